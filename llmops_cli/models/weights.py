"""What safetensors files hold, read from their headers; pickles are refused by name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmops_cli.core.errors import InputError

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Endings of files that `torch.load` unpickles."""


DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I8": "int8"}
"""Names of types by those in the headers; others keep theirs."""
UNSIGNED_BITS = {"U8": 8, "U32": 32}
HINT = "save the model with save_pretrained(safe_serialization=True)"


def check_safetensors(names: Sequence[str], where: str) -> None:
    """Make sure that there is a safetensors file among the names of a model's files.

    Raises:
        InputError: there is none; pickled weights are named.
    """
    refuse_pickles(names, where)
    if not any(name.endswith(".safetensors") for name in names):
        raise InputError("no *.safetensors here", where=where, hint=HINT)


def refuse_pickles(names: Sequence[str], where: str) -> None:
    """Refuse pickles that are all there is.

    Raises:
        InputError: the name of the first.
    """
    pickles = sorted(name for name in names if name.endswith(PICKLES))
    if pickles and not any(name.endswith(".safetensors") for name in names):
        raise InputError(f"only pickled weights ({pickles[0]}), which can run code", where=where, hint=HINT)


@dataclass(frozen=True)
class WeightsSummary:
    """What some files hold: parameters, types of tensors (the most used first), and the size of the files in bytes."""

    parameters: int
    dtypes: list[str]
    size: int


def summarize_weights(paths: Sequence[Path], bits: int | None = None) -> WeightsSummary:
    """Count what safetensors files hold without reading a tensor.

    Args:
        paths: the files.
        bits: of a quantized weight; several share an unsigned number, and scales beside them are no parameters.

    Raises:
        InputError: a file is cut or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    parameters: Counter[str] = Counter()
    for path in paths:
        try:
            with safe_open(path, "numpy") as tensors:
                names = set(tensors.keys())
                for name in names:
                    if bits and _is_scale(name, names):
                        continue
                    tensor = tensors.get_slice(name)
                    dtype = tensor.get_dtype()
                    packed = UNSIGNED_BITS[dtype] // bits if bits and dtype in UNSIGNED_BITS else 1
                    parameters[dtype] += math.prod(tensor.get_shape()) * packed
        except SafetensorError as error:
            raise InputError(f"the weights cannot be read: {error}", where=str(path)) from None
    dtypes = [DTYPES.get(name, name) for name, _ in parameters.most_common()]
    return WeightsSummary(parameters.total(), dtypes, sum(path.stat().st_size for path in paths))


def _is_scale(name: str, names: set[str]) -> bool:
    """Whether a tensor only belongs to a quantized one: `X.weight_scale` of ours, `X.scales` of MLX."""
    return name.endswith((".weight_scale", ".weight_middle", ".scales")) or (
        name.endswith(".biases") and name.removesuffix("biases") + "scales" in names
    )
