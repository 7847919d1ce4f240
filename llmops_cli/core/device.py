"""Which device and dtype a job uses, why, and how much memory there is. The one place that decides."""

from __future__ import annotations

import os
import platform
import resource
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmops_cli.core.errors import MachineError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DeviceChoice:
    """A device and a dtype for frozen weights, each with the reason, as the run record keeps them."""

    name: str
    reason: str
    dtype: str
    dtype_reason: str


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """Choose `mps`, else `cuda`, else `cpu`; an explicit wish is met or refused, never replaced.

    Raises:
        MachineError: the named device is not available here.
    """
    import torch

    available = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available(), "cpu": True}
    if wanted != "auto" and not available[wanted]:
        here = ", ".join(name for name, is_here in available.items() if is_here)
        raise MachineError(
            f"device {wanted} is not available here (available: {here})",
            where="device",
            hint="--set device=auto",
        )
    if wanted != "auto":
        return DeviceChoice(wanted, "asked for", *_dtype_for(wanted))
    name = next(name for name, is_here in available.items() if is_here)
    missing = [other for other in ("mps", "cuda") if not available[other]][: ("mps", "cuda", "cpu").index(name)]
    reason = "first available of mps, cuda, cpu" + (f" ({', '.join(missing)} not available)" if missing else "")
    return DeviceChoice(name, reason, *_dtype_for(name))


def _dtype_for(device: str) -> tuple[str, str]:
    """The dtype of frozen base weights on a device; adapters, optimizer and the loss sum stay fp32 everywhere."""
    if device == "cpu":
        return "float32", "CPU matrix products are fastest in fp32"
    if device == "mps":
        if _emulates_bfloat16():
            return "float16", "bf16 is emulated in software on M1 and M2"
        return "bfloat16", "native on this Apple Silicon"
    return "bfloat16", "native on this GPU"


def _emulates_bfloat16() -> bool:
    return any(f"Apple {chip}" in chip_name() for chip in ("M1", "M2"))


def chip_name() -> str:
    """The processor's name, such as `Apple M3 Pro`; the architecture where the system does not tell."""
    if sys.platform == "darwin":
        import subprocess

        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.machine()


def torch_dtype(name: str) -> torch.dtype:
    """The torch dtype of a name in :class:`DeviceChoice`."""
    import torch

    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[name]


def total_memory() -> int:
    """Physical memory in bytes; on a Mac the GPU shares it."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def peak_memory() -> int:
    """The highest resident set of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_memory(device: str) -> int:
    """Bytes the device's allocator holds now; 0 on the CPU, where :func:`peak_memory` tells."""
    import torch

    if device == "mps":
        return torch.mps.driver_allocated_memory()
    if device == "cuda":
        return torch.cuda.memory_reserved()
    return 0


def synchronize(device: str) -> None:
    """Wait until the device has done what was queued, so that a clock read afterwards is true."""
    import torch

    if device == "mps":
        torch.mps.synchronize()
    elif device == "cuda":
        torch.cuda.synchronize()
