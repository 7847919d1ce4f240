"""A model's folder: weights in one safetensors file, and `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import write_json

WEIGHTS = "model.safetensors"


def write_model(
    folder: Path, tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], dtype: str, made_by: str = "pt"
) -> None:
    """Write weights and configuration.

    Args:
        folder: where they go.
        tensors: by the names of the architecture.
        config: `config.json` of the original, and what the format adds.
        dtype: of what is not quantized, as `config.json` spells it.
        made_by: the library whose layout it is, kept in the file's metadata.

    Raises:
        InputError: a number is too large for its dtype.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(f"{name} has numbers too large for {tensor.dtype}", where=WEIGHTS, hint="--to gguf-q8_0")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS, {"format": made_by})
    write_json(folder / "config.json", {**config, "dtype": dtype})
