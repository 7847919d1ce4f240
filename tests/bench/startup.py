"""`llmops --help` beside the floor: Python that imports Typer and does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 10


def run() -> None:
    """Ten interleaved runs of each; medians in seconds."""
    commands = {
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        "llmops --help": [sys.executable, "-m", "llmops_cli", "--help"],
    }
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            samples[name].append(time.perf_counter() - started)
    for name, values in samples.items():
        counted = values[1:]  # the first one fills the page cache
        print(f"{name:28} median {statistics.median(counted):.3f} s  min {min(counted):.3f}  max {max(counted):.3f}")
