"""Weights quantized by MLX, in the layout that mlx-lm loads."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.core.console import Progress
from llmops_cli.export.format import FormatLimits
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    import torch

    from llmops_cli.export.merging import MergedModel

FORMATS = {
    "mlx-8": FormatLimits(kl_mean=0.01, kl_p99=0.1, top1_agreement=0.94, perplexity_rise=0.02),
    "mlx-4": FormatLimits(kl_mean=0.2, kl_p99=2.0, top1_agreement=0.8, perplexity_rise=0.2),
}
BITS = {"mlx-8": 8, "mlx-4": 4}
GROUP = 64
"""Weights that share a scale and a bias, the default of mlx-lm."""


def cannot_write(files: ModelFiles, tokenizer: ModelTokenizer) -> str | None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    return None if importlib.util.find_spec("mlx") else "mlx is missing -> pip install 'llmops-cli[mlx]'"


def write(model: MergedModel, tokenizer: ModelTokenizer, to: str, folder: Path, progress: Progress) -> None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    from llmops_cli.export.writing import write_model

    tensors: dict[str, torch.Tensor] = {}
    for done, (name, tensor) in enumerate(model.tensors(), 1):
        if tensor.ndim == 2 and tensor.shape[1] % GROUP == 0:
            tensors |= _quantized(name.removesuffix(".weight"), tensor, BITS[to])
        else:
            tensors[name] = tensor.half()
        progress.update(done)
    config = _with_rope(model.files.architecture) | {"quantization": {"group_size": GROUP, "bits": BITS[to]}}
    write_model(folder, tensors, config, "float16", made_by="mlx")


def _quantized(module: str, matrix: torch.Tensor, bits: int) -> dict[str, torch.Tensor]:
    """MLX's affine quantization: w = q * scale + bias, the q packed into uint32 from the lowest bits up."""
    import mlx.core as mx
    import numpy as np
    import torch

    parts = mx.quantize(mx.array(matrix.half().numpy()), group_size=GROUP, bits=bits)
    arrays = [torch.from_numpy(np.array(part)) for part in parts]
    return dict(zip((f"{module}.weight", f"{module}.scales", f"{module}.biases"), arrays, strict=True))


def _with_rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """mlx-lm reads the rotary settings where older files had them, and has other defaults."""
    settings = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    theta = settings.pop("rope_theta", None) or config.get("rope_theta") or 10_000.0
    is_plain = settings.get("rope_type", settings.get("type", "default")) == "default"
    return {**config, "rope_theta": theta, "rope_scaling": None if is_plain else settings}
