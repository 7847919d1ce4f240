"""A command as another process: its seconds and the most memory that it and its children held at once."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

INTERVAL = 0.05
"""Seconds between two looks at the memory."""


class Finished(NamedTuple):
    """What a command came to. `peak` is in bytes: resident memory summed over the process tree, shared pages twice."""

    seconds: float
    peak: int
    code: int
    out: str


def timed(command: Sequence[str], allowed: Sequence[int] = (0,), cwd: Path | None = None) -> Finished:
    """Run a command to its end.

    Raises:
        RuntimeError: it ended with a code that is not `allowed`; the message is what it wrote to stderr.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=cwd)
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        watcher.join()
        out.seek(0)
        err.seek(0)
        if code not in allowed:
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {err.read().decode()[-2000:]}")
        return Finished(seconds, peak[0], code, out.read().decode())


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        try:
            parent = psutil.Process(process.pid)
            peak[0] = max(peak[0], sum(_resident(one) for one in [parent, *parent.children(recursive=True)]))
        except psutil.NoSuchProcess:
            return
        time.sleep(INTERVAL)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
