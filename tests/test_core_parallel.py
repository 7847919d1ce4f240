"""Work in several processes: in order, a few items ahead, and ended with the parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator

import pytest

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.parallel import ordered_map, worker_count


def square(number: int) -> tuple[int, int]:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 17:
        raise InputError("no number to square", where=str(number))
    return number * number, os.getpid()


def test_results_come_in_order_and_items_are_drawn_as_they_are_needed() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in (*range(13), *range(20, 100)):
            drawn.append(number)
            yield number

    results = ordered_map(square, items(), 2)
    first = [next(results) for _ in range(10)]
    assert [value for value, _ in first] == [number * number for number in range(10)]
    assert os.getpid() not in {process for _, process in first}
    assert len(drawn) <= 14
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_a_killed_worker_is_told_in_one_line() -> None:
    with pytest.raises(MachineError, match="a worker process was killed, most likely for memory -> --set workers=1"):
        list(ordered_map(square, range(10, 15), 2))


def test_an_error_in_a_worker_arrives_whole() -> None:
    with pytest.raises(InputError) as caught:
        list(ordered_map(square, [17], 2))
    assert str(caught.value.problems[0]) == "17: no number to square"
    assert multiprocessing.active_children() == []


def test_one_worker_is_this_process() -> None:
    assert list(ordered_map(square, [3], 1)) == [(9, os.getpid())]
    assert worker_count(3) == 3
    assert 1 <= worker_count() <= 8
