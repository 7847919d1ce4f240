"""Weights in 8 or 4 bits for the torch engine; the layout is that of :mod:`llmops_cli.inference.decoder.packed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.console import Progress
from llmops_cli.export.format import FormatLimits
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    import torch

    from llmops_cli.export.merging import MergedModel

FORMATS = {
    "int8": FormatLimits(kl_mean=0.01, kl_p99=0.1, top1_agreement=0.94, perplexity_rise=0.02),
    "int4": FormatLimits(kl_mean=0.15, kl_p99=1.5, top1_agreement=0.8, perplexity_rise=0.15),
}
BITS = {"int8": 8, "int4": 4}


def cannot_write(files: ModelFiles, tokenizer: ModelTokenizer) -> str | None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    return None


def write(model: MergedModel, tokenizer: ModelTokenizer, to: str, folder: Path, progress: Progress) -> None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    from llmops_cli.export.writing import write_model
    from llmops_cli.inference.decoder.architecture import QUANT_METHOD
    from llmops_cli.inference.decoder.packed import pack

    tensors: dict[str, torch.Tensor] = {}
    for done, (name, tensor) in enumerate(model.tensors(), 1):
        tensors |= pack(name, tensor, BITS[to])
        progress.update(done)
    settings = {"quant_method": QUANT_METHOD, "bits": BITS[to]}
    write_model(folder, tensors, model.files.architecture | {"quantization_config": settings}, "float16")
