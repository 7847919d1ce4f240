"""How fast this machine is right now: shared machines drift by a factor of two within minutes."""

from __future__ import annotations

import time


def gflops() -> float:
    """GFLOP/s of a fixed fp32 matrix product (1024 x 1024 x 1024, best of five)."""
    import torch

    left, right = torch.rand(1024, 1024), torch.rand(1024, 1024)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - started)
    return 2 * 1024**3 / best / 1e9
