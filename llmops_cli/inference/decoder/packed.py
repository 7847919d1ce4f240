"""A model's folder with weights in 8 or 4 bits.

`config.json` says `quantization_config: {quant_method: llmops, bits: 8 | 4}`. In the safetensors files a quantized
matrix `X.weight` (outputs, inputs) is held as

- 8 bits: `X.weight` int8 (outputs, inputs), `X.weight_scale` bf16 (outputs,);
- 4 bits: `X.weight` uint8 (outputs, inputs / 2), two weights a byte, the first in the high half; `X.weight_scale` and
  `X.weight_middle` bf16 (outputs, inputs / GROUP).

The numbers are those of :mod:`llmops_cli.inference.decoder.quantization`. In a model of 4 bits the embedding and the
head have 8, and a matrix whose inputs do not fill groups is held whole in any. All else is fp16.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from llmops_cli.core.errors import InputError
from llmops_cli.inference.decoder.architecture import Architecture
from llmops_cli.inference.decoder.checkpoint import Checkpoint
from llmops_cli.inference.decoder.quantization import GROUP, from_int4, from_int8, to_int4, to_int8

VOCABULARY = ("model.embed_tokens.weight", "lm_head.weight")
SCALE, MIDDLE = "_scale", "_middle"


def matrix_bits(name: str, shape: tuple[int, ...], bits: int) -> int | None:
    """How many bits a tensor has in a model of `bits`, or None when it is held whole."""
    if len(shape) != 2 or shape[1] % GROUP:
        return None
    return 8 if name in VOCABULARY else bits


def pack(name: str, tensor: torch.Tensor, bits: int) -> dict[str, torch.Tensor]:
    """A tensor as it is held in a model of `bits`, with what belongs to it."""
    held = matrix_bits(name, tuple(tensor.shape), bits)
    if held is None:
        return {name: tensor.to(torch.float16)}
    if held == 8:
        numbers, scales = to_int8(tensor, torch.bfloat16)
        return {name: numbers, name + SCALE: scales}
    numbers, scales, middles = to_int4(tensor, torch.bfloat16)
    return {name: numbers[:, ::2] << 4 | numbers[:, 1::2], name + SCALE: scales, name + MIDDLE: middles}


class PackedCheckpoint:
    """The tensors of such a folder, restored one at a time; raises as :class:`Checkpoint`."""

    def __init__(self, folder: Path, shapes: Mapping[str, tuple[int, ...]], bits: int) -> None:
        if bits not in (8, 4):
            raise InputError(f"quantization_config.bits: got {bits}, want 8 or 4", where=str(folder / "config.json"))
        self._bits = {name: held for name, shape in shapes.items() if (held := matrix_bits(name, shape, bits))}
        stored = dict(shapes)
        for name, held in self._bits.items():
            outputs, inputs = shapes[name]
            stored[name] = (outputs, inputs if held == 8 else inputs // 2)
            stored[name + SCALE] = (outputs,) if held == 8 else (outputs, inputs // GROUP)
            if held == 4:
                stored[name + MIDDLE] = (outputs, inputs // GROUP)
        integers = {name: "I8" if held == 8 else "U8" for name, held in self._bits.items()}
        self._checkpoint = Checkpoint(folder, stored, integers)

    def read(self, name: str) -> torch.Tensor:
        """A tensor on the CPU; a quantized one in fp32."""
        stored, held = self._checkpoint.read(name), self._bits.get(name)
        if held is None:
            return stored
        scales = self._checkpoint.read(name + SCALE)
        if held == 8:
            return from_int8(stored, scales)
        numbers = torch.stack((stored >> 4, stored & 15), dim=2).flatten(1)
        return from_int4(numbers, scales, self._checkpoint.read(name + MIDDLE))


def open_weights(folder: Path, architecture: Architecture) -> Checkpoint | PackedCheckpoint:
    """The tensors of a model's folder, however they are held; raises as :class:`Checkpoint`."""
    shapes = architecture.tensor_shapes()
    if architecture.packed_bits is None:
        return Checkpoint(folder, shapes)
    return PackedCheckpoint(folder, shapes, architecture.packed_bits)
