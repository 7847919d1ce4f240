"""How a weight matrix is held, and the product with it that the device is fast at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Protocol

import torch
import torch.nn.functional as F

from llmops_cli.inference.config import Precision
from llmops_cli.inference.decoder.quantization import GROUP, to_int4, to_int8

FEW_ROWS = 24
"""Up to so many rows the int8 kernel is faster than a dense product that first restores the weights."""
BLOCK = 2048
"""Rows of a weight matrix that are restored, or multiplied, at once: what they give stays in the cache."""


class Weight(Protocol):
    """A matrix of shape (outputs, inputs)."""

    def product(self, rows: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """`rows @ matrix.T + bias`: (rows, inputs) to (rows, outputs), in the dtype of the kernel."""

    def products(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        """The product in blocks of outputs, each (rows, some outputs): all of a vocabulary may be too many at once."""

    def lookup(self, ids: torch.Tensor) -> torch.Tensor:
        """Rows of the matrix, (ids, inputs)."""

    def nbytes(self) -> int:
        """What it holds, in bytes."""


class DenseWeight:
    """A matrix of floating-point numbers."""

    def __init__(self, matrix: torch.Tensor) -> None:
        self._matrix = matrix

    def product(self, rows: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        return F.linear(rows, self._matrix, bias)

    def products(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        return (F.linear(rows, block) for block in torch.split(self._matrix, BLOCK))

    def lookup(self, ids: torch.Tensor) -> torch.Tensor:
        return F.embedding(ids, self._matrix)

    def nbytes(self) -> int:
        return self._matrix.nbytes


class Int8Weight:
    """8 bits a weight, and a scale for each output channel.

    The kernel is called with 16-bit activations only: with fp32 ones it is 20 times slower.
    """

    def __init__(self, matrix: torch.Tensor, device: str, dtype: torch.dtype) -> None:
        parts = [to_int8(block, _kernel_dtype(dtype)) for block in torch.split(matrix, BLOCK)]
        self._quantized, self._scales = (torch.cat(part).to(device) for part in zip(*parts, strict=True))
        self._dtype = dtype

    def product(self, rows: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        if len(rows) > FEW_ROWS:
            result = torch.cat(list(self.products(rows)), dim=1)
        else:
            result = torch.ops.aten._weight_int8pack_mm(rows.to(self._scales.dtype), self._quantized, self._scales)
        return result if bias is None else result + bias

    def products(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        dense = _dense_dtype(rows.device.type, self._scales.dtype)
        rows = rows.to(dense)
        for block, scales in zip(torch.split(self._quantized, BLOCK), torch.split(self._scales, BLOCK), strict=True):
            yield rows @ block.to(dense).T * scales

    def lookup(self, ids: torch.Tensor) -> torch.Tensor:
        return self._quantized[ids].to(self._dtype) * self._scales[ids, None].to(self._dtype)

    def nbytes(self) -> int:
        return self._quantized.nbytes + self._scales.nbytes


class Int4Weight:
    """4 bits a weight, with a scale and a middle for each group of inputs."""

    def __init__(self, matrix: torch.Tensor, device: str, dtype: torch.dtype) -> None:
        quantized, scales, middles = to_int4(matrix, _kernel_dtype(dtype))
        self._middles = torch.stack((scales, middles), dim=2).transpose(0, 1).contiguous().to(device)
        if device == "cpu":
            self._packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(quantized.int(), 1)
            self._kernel = torch.ops.aten._weight_int4pack_mm_for_cpu
        else:
            pairs = (quantized[:, ::2] << 4 | quantized[:, 1::2]).to(device)
            self._packed = torch.ops.aten._convert_weight_to_int4pack(pairs, 2)
            self._kernel = torch.ops.aten._weight_int4pack_mm

    def product(self, rows: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        result: torch.Tensor = self._kernel(rows.to(self._middles.dtype), self._packed, GROUP, self._middles)
        return result if bias is None else result + bias

    def products(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        yield self.product(rows)

    def lookup(self, ids: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("an embedding is held in 8 bits")

    def nbytes(self) -> int:
        return int(self._packed.nbytes + self._middles.nbytes)


def hold(matrix: torch.Tensor, precision: Precision, device: str, dtype: torch.dtype) -> Weight:
    """Hold a matrix of shape (outputs, inputs), given on the CPU in any floating-point dtype.

    A matrix whose sides the quantized kernels cannot take is held with more bits.

    Args:
        matrix: the weights.
        precision: anything but `auto`.
        device: where it is used.
        dtype: of the activations; a dense matrix has it too.
    """
    outputs, inputs = matrix.shape
    if precision == "int4" and inputs % GROUP == 0 and outputs % 16 == 0:
        return Int4Weight(matrix, device, dtype)
    if precision in ("int8", "int4") and inputs % GROUP == 0:
        return Int8Weight(matrix, device, dtype)
    return DenseWeight(matrix.to(device, dtype, copy=True))


def _kernel_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.bfloat16 if dtype == torch.float32 else dtype


def _dense_dtype(device: str, dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if device == "cpu" and not _has_bfloat16_products() else dtype


@cache
def _has_bfloat16_products() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
