"""`llmops chat --once` on the builtin model, from Enter to the first piece of text, and where the time goes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 7
STAGES = {
    "Python itself": "pass",
    "the command line": "import llmops_cli.app",
    "torch": "import llmops_cli.app, torch",
    "the model, loaded": """
import llmops_cli.app
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.open import open_engine
open_engine(EngineConfig(model="builtin:tiny-ko"))""",
}
"""Programs, each of which does what the one before does and more."""


def run() -> None:
    """Medians of interleaved runs, in seconds; each stage is what it adds to the one before."""
    with tempfile.TemporaryDirectory() as folder:
        samples: dict[str, list[float]] = {name: [] for name in [*STAGES, "the first token"]}
        for _ in range(RUNS + 1):
            for name, code in STAGES.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=folder)
                samples[name].append(time.perf_counter() - started)
            samples["the first token"].append(_first_piece(folder))
    before = 0.0
    for name, values in samples.items():
        seconds = statistics.median(values[1:])  # the first one fills the page cache
        print(f"{name:20} + {seconds - before:.2f} s = {seconds:.2f} s")
        before = seconds
    print("aim: under 4 s")


def _first_piece(folder: str) -> float:
    command = [sys.executable, "-m", "llmops_cli", "chat", "builtin:tiny-ko", "--once", "오늘 뭐 먹지?"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder) as process:
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1)
        seconds = time.perf_counter() - started
        process.stdout.read()
    return seconds
