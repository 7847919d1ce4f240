"""Weights in 8 and 4 bits: the one definition of the numbers, in memory and on disk.

8 bits: w = q * scale, q in -127..127, a scale for each output channel. 4 bits: w = (q - 8) * scale + middle, q in
0..15, a scale and a middle for each group of `GROUP` inputs. Rows do not depend on each other, and what was restored
gives the same numbers when it is quantized again.
"""

from __future__ import annotations

import torch

GROUP = 32
"""Input channels that share a 4-bit scale; the quantized kernels also want a multiple of it."""
SMALLEST = 1e-7
"""The least scale, not 0 in fp16 either, so that nothing is divided by zero."""


def to_int8(matrix: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize (outputs, inputs), of any floating-point dtype; int8 of that shape, and scales of `dtype`, (outputs,).

    Symmetric absolute-maximum quantization, rounded with the scale as it is kept.
    """
    values = matrix.float()
    scales = (values.abs().amax(dim=1) / 127).clamp(min=SMALLEST).to(dtype)
    return (values / scales.float()[:, None]).round().clamp(-127, 127).to(torch.int8), scales


def from_int8(quantized: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The weights in fp32, (outputs, inputs)."""
    return quantized.float() * scales.float()[:, None]


def to_int4(matrix: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Quantize (outputs, inputs), inputs a multiple of `GROUP`; uint8 of that shape holding 0..15.

    Returns:
        The numbers, and scales and middles of `dtype`, each (outputs, groups).
    """
    groups = matrix.float().reshape(len(matrix), -1, GROUP)
    low, high = groups.aminmax(dim=2)
    scales = ((high - low) / 15).clamp(min=SMALLEST)
    quantized = ((groups - low[..., None]) / scales[..., None]).round().clamp(0, 15).to(torch.uint8)
    return quantized.flatten(1), scales.to(dtype), (low + 8 * scales).to(dtype)


def from_int4(quantized: torch.Tensor, scales: torch.Tensor, middles: torch.Tensor) -> torch.Tensor:
    """The weights in fp32, (outputs, inputs)."""
    groups = quantized.float().reshape(len(quantized), -1, GROUP)
    weights = (groups - 8) * scales.float()[..., None] + middles.float()[..., None]
    return weights.flatten(1)
