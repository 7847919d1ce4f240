"""Tensors of a model's safetensors files, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from llmops_cli.core.errors import InputError
from llmops_cli.models.resolve import read_json

DTYPES = ("F64", "F32", "F16", "BF16")


class Checkpoint:
    """The files of a folder, checked against the tensors that a model has.

    A file is opened anew for each tensor, and so what was read before does not stay mapped into memory. `integers` are
    the tensors that hold none but integers, with their dtype.

    Raises:
        InputError: a tensor is missing, spare, of the wrong shape or of another dtype, or a file is cut.
    """

    def __init__(
        self, folder: Path, shapes: Mapping[str, tuple[int, ...]], integers: Mapping[str, str] | None = None
    ) -> None:
        kinds = {name: (kind,) for name, kind in (integers or {}).items()}
        self._files: dict[str, Path] = {}
        for path in _weight_files(folder):
            try:
                with safe_open(path, "pt") as file:
                    for name in file.keys():  # noqa: SIM118
                        self._files[name] = path
                        part = file.get_slice(name)
                        shape, dtype = tuple(part.get_shape()), part.get_dtype()
                        if name in shapes and shape != shapes[name]:
                            want = list(shapes[name])
                            raise InputError(f"{name} has shape {list(shape)}, want {want}", where=str(path))
                        wanted = kinds.get(name, DTYPES)
                        if name in shapes and dtype not in wanted:
                            raise InputError(f"{name} is {dtype}, want {' or '.join(wanted)}", where=str(path))
            except SafetensorError as error:
                raise InputError(f"the weights cannot be loaded: {error}", where=str(path)) from error
        for what, names in (
            ("lack", shapes.keys() - self._files.keys()),
            ("have a spare", {name for name in self._files.keys() - shapes.keys() if not _derived(name)}),
        ):
            if names:
                raise InputError(f"the weights {what} {min(names)} ({len(names)} in all)", where=str(folder))

    def read(self, name: str) -> torch.Tensor:
        """A tensor on the CPU, in the dtype of its file.

        Raises:
            InputError: it holds nan or infinity.
        """
        with safe_open(self._files[name], "pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        refuse_broken(tensor, name, self._files[name])
        return tensor


def refuse_broken(tensor: torch.Tensor, name: str, path: Path) -> None:
    """Make sure that a tensor holds only numbers.

    Raises:
        InputError: it holds nan or infinity.
    """
    low, high = tensor.aminmax()
    if not (low.isfinite() and high.isfinite()):
        raise InputError(f"{name} holds nan or infinity", where=str(path), hint="the file is broken: fetch it again")


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return [folder / "model.safetensors"]
    return [folder / name for name in sorted(set(read_json(index)["weight_map"].values()))]


def _derived(name: str) -> bool:
    """Tensors that follow from others: the head where it is the embedding, and what old files hold of rotary tables."""
    return name == "lm_head.weight" or name.endswith("rotary_emb.inv_freq")
