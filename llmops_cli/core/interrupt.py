"""Ctrl-C and SIGTERM during long work: finish the step, keep the state, then stop with the right exit code."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from llmops_cli.core.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, LlmopsError


class Interrupted(LlmopsError):
    """Work was stopped by a signal after its state was kept."""

    def __init__(self, number: int, what: str, *, where: str = "", hint: str = "") -> None:
        self.exit_code = EXIT_TERMINATED if number == signal.SIGTERM else EXIT_INTERRUPTED
        super().__init__(what, where=where, hint=hint)


@dataclass
class Interruption:
    """The signal that asked the work to stop, once there was one."""

    signal: int | None = None


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[Interruption]:
    """Turn the first Ctrl-C or SIGTERM into a flag the work looks at; a second one interrupts at once.

    Outside the main thread signals cannot be caught, and the flag stays empty.
    """
    state = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return

    def note(number: int, frame: FrameType | None) -> None:
        if state.signal is not None:
            raise KeyboardInterrupt
        state.signal = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
