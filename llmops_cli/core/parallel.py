"""Work spread over processes, its results in the order of the work."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from llmops_cli.core.errors import MachineError

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WORKERS = 8
_AHEAD = 2  # items that wait for a worker: enough to keep it busy, few enough to keep memory flat


def worker_count(wanted: int | None = None) -> int:
    """Processes to use: `wanted`, or one for each core this process may use, at most 8."""
    if wanted is not None:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """`map(function, items)` in `workers` processes; with one, in this process.

    `items` is drawn as results are taken, a few ahead, so that neither side piles up. `function` and its values
    are pickled. Closing the iterator ends the workers, and so does the death of this process.

    Raises:
        MachineError: a worker was killed, most likely for memory.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    import multiprocessing
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")  # fork is not safe beside threads, and macOS has none to trust
    waiting: deque[Future[Result]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= workers + _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise MachineError("a worker process was killed, most likely for memory", hint="--set workers=1") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    """Leave interrupts to the parent, and end when it is gone, even if it was killed."""
    import multiprocessing
    from multiprocessing.connection import wait

    gc.disable()  # a piece of work makes many objects and no cycles; a collector would walk them again and again
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent: Any = multiprocessing.parent_process()

    def follow_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()
