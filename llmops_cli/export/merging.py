"""The weights of a model as one: its adapter merged into the unquantized base."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from llmops_cli.inference.decoder.adapter import LoraAdapter
from llmops_cli.inference.decoder.architecture import projections, read_architecture
from llmops_cli.inference.decoder.checkpoint import Checkpoint
from llmops_cli.models.resolve import ModelFiles


class MergedModel:
    """A model's tensors in fp32, one at a time, under the names of its safetensors files.

    Raises:
        InputError: the architecture or the adapter is of a kind that is not computed here, or the files are broken.
    """

    def __init__(self, files: ModelFiles) -> None:
        self.files = files
        self.architecture = read_architecture(files.base)
        self.shapes = self.architecture.tensor_shapes()
        self._checkpoint = Checkpoint(files.base, self.shapes)
        self._adapter = LoraAdapter(files, self.architecture) if files.adapter else None
        layers = range(self.architecture.layers)
        self._projections = {f"{module}.weight" for layer in layers for module, _ in projections(layer)}

    def tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Every tensor of the model.

        Raises:
            InputError: a tensor holds nan or infinity.
        """
        for name in self.shapes:
            tensor = self._checkpoint.read(name).float()
            if self._adapter and name in self._projections:
                up, down = self._adapter.update(name.removesuffix(".weight"))
                tensor = tensor + up @ down
            yield name, tensor
