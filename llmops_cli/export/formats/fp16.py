"""A plain folder in fp16, as transformers writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.console import Progress
from llmops_cli.export.format import FormatLimits
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    from llmops_cli.export.merging import MergedModel

FORMATS = {"fp16": FormatLimits(kl_mean=0.001, kl_p99=0.01, top1_agreement=0.97, perplexity_rise=0.005)}


def cannot_write(files: ModelFiles, tokenizer: ModelTokenizer) -> str | None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    return None


def write(model: MergedModel, tokenizer: ModelTokenizer, to: str, folder: Path, progress: Progress) -> None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    from llmops_cli.export.writing import write_model

    tensors = {}
    for done, (name, tensor) in enumerate(model.tensors(), 1):
        tensors[name] = tensor.half()
        progress.update(done)
    write_model(folder, tensors, model.files.architecture, "float16")
