"""Which layers an adapter goes on, checked against the names in the weight files before they are loaded."""

from __future__ import annotations

import re
from pathlib import Path

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import suggestion
from llmops_cli.training.config import ALL_LINEAR


def check_targets(targets: str | list[str], folder: Path) -> None:
    """Make sure that every name, or the regular expression, in `lora.targets` meets a layer; peft ignores the others.

    Raises:
        InputError: every name that meets none, or weight files that cannot be read.
    """
    if targets == ALL_LINEAR:
        return
    layers = _matrices(folder)
    known = sorted({name.rpartition(".")[2] for name in layers})
    if isinstance(targets, str):
        try:
            wrong = [] if any(re.fullmatch(targets, name) for name in layers) else [targets]
        except re.error as error:
            raise InputError(f"not a regular expression: {error}", where="lora.targets") from None
    else:
        wrong = [name for name in targets if not any(f".{layer}".endswith(f".{name}") for layer in layers)]
    if wrong or not targets:
        what = [f"no layer {name!r}: there are {', '.join(known)}" for name in wrong] or ["want at least one layer"]
        hints = [suggestion(name, known) for name in wrong] or [f"--set lora.targets={ALL_LINEAR}"]
        raise InputError([Problem(text, "lora.targets", hint) for text, hint in zip(what, hints, strict=True)])


def _matrices(folder: Path) -> list[str]:
    """The names of the layers that hold a matrix."""
    from safetensors import SafetensorError, safe_open

    names = []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "np") as tensors:
                names += [key for key in tensors.keys() if len(tensors.get_slice(key).get_shape()) == 2]  # noqa: SIM118
        except SafetensorError as error:
            raise InputError(f"the weights cannot be read: {error}", where=str(path)) from None
    return [name.removesuffix(".weight") for name in names]
