"""From raw files to records: the one boundary where bytes become NFC text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.parallel import ordered_map, worker_count
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import formats
from llmops_cli.data.batches import Piece, pieces_of, rows_of_piece
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.conversations import Conversation
from llmops_cli.data.formats import Place, messages
from llmops_cli.data.layout import Layout, OnProblem
from llmops_cli.data.records import Record
from llmops_cli.data.sources import Source, expand

Value = TypeVar("Value")

_WORTH_WORKERS = 4_000_000  # bytes; starting processes for less takes longer than the reading


@dataclass
class Tally:
    """What was found in one source of `file`: rows, rows that cannot be read, records, and the rows of each format."""

    file: Path
    layout: Layout
    rows: int = 0
    records: int = 0
    bad: int = 0
    formats: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.rows += other.rows
        self.records += other.records
        self.bad += other.bad
        self.formats += other.formats


@dataclass
class Outcome(Generic[Value]):
    """A piece of the input that has been read: what was made of it, and what was met on the way.

    `tallies` are by the name of the source; `size` is the bytes of input that were read.
    """

    value: Value
    problems: list[Problem]
    tallies: dict[str, Tally]
    size: int


def read_records(paths: Sequence[str], options: ReadOptions, on_problem: OnProblem | None = None) -> Iterator[Record]:
    """Read the records of files and folders of any known format. Text is NFC, ids are unique.

    Args:
        paths: files, folders and patterns, relative to the current folder.
        options: how the files are understood.
        on_problem: gets every thing that cannot be read, after which reading goes on; without it the first
            one is raised.

    Raises:
        InputError: as :func:`expand`, and without `on_problem` for anything that cannot be read, with its
        line.
    """
    ids = UniqueIds()
    tallies: dict[str, Tally] = {}
    report = on_problem or _raise
    for piece in pieces_of(expand(paths), options):
        found: dict[str, Tally] = {}
        for record in _records_of(piece, options, report, found):
            name = ids.unique(record.id)
            yield record if name == record.id else record._replace(id=name)
        _merge(tallies, found)
        for problem in _without_rows(piece, tallies):
            report(problem)


def scan(
    files: Sequence[Path],
    options: ReadOptions,
    work: Callable[[Iterator[Record]], Value],
    workers: int | None = None,
) -> Iterator[Outcome[Value]]:
    """Let `work` see all records, a piece of the input at a time, in several processes; outcomes come in file order.

    Args:
        files: as :func:`expand` gives them.
        options: how the files are understood.
        work: takes the records of one piece and returns what is wanted of them; it and its value are pickled. Ids
            are not made unique across pieces.
        workers: processes; by default one for each core, and one for a small input.

    Raises:
        MachineError: a worker was killed.
    """
    small = total_size(files) < _WORTH_WORKERS
    count = 1 if small and workers is None else worker_count(workers)
    tallies: dict[str, Tally] = {}
    for piece, outcome in ordered_map(partial(_read_piece, options, work), pieces_of(files, options), count):
        _merge(tallies, outcome.tallies)
        outcome.problems += _without_rows(piece, tallies)
        yield outcome


def total_size(files: Iterable[Path]) -> int:
    """Bytes of files, as far as they are there."""
    return sum(file.stat().st_size for file in files if file.exists())


def _read_piece(
    options: ReadOptions, work: Callable[[Iterator[Record]], Value], piece: Piece
) -> tuple[Piece, Outcome[Value]]:
    problems: list[Problem] = []
    tallies: dict[str, Tally] = {}
    value = work(_records_of(piece, options, problems.append, tallies))
    return Piece(piece.sources, ends=piece.ends), Outcome(value, problems, tallies, piece.size)


def _raise(problem: Problem) -> None:
    raise InputError([problem])


def _merge(into: dict[str, Tally], found: dict[str, Tally]) -> None:
    for name, tally in found.items():
        into.setdefault(name, Tally(tally.file, tally.layout)).add(tally)


def _without_rows(piece: Piece, tallies: dict[str, Tally]) -> Iterator[Problem]:
    """What to say of sources that have ended without giving a row or a problem."""
    for source in piece.sources if piece.ends else ():
        tally = tallies.pop(source.name, None)
        if tally and not tally.rows and not tally.bad:
            yield Problem("the file is empty" if source.size == 0 else "no rows in this file", source.name)


def _records_of(piece: Piece, options: ReadOptions, report: OnProblem, tallies: dict[str, Tally]) -> Iterator[Record]:
    tally = no_source = Tally(Path(), Layout("lines", "utf-8"))

    def count(problem: Problem) -> None:
        tally.bad += 1
        report(problem)

    for source, layout, rows in rows_of_piece(piece, options, count):
        tally = tallies[source.name] = Tally(source.path, layout)
        try:
            yield from _records_of_rows(source, rows, options, tally, count, starts=piece.line == 1)
        except InputError as error:
            for problem in error.problems:
                count(problem)
        except OSError as error:
            count(Problem(f"cannot be read: {error.strerror or error}", source.name))
        tally = no_source


def _records_of_rows(
    source: Source,
    rows: Iterable[tuple[int, Any, bool]],
    options: ReadOptions,
    tally: Tally,
    count: OnProblem,
    *,
    starts: bool,
) -> Iterator[Record]:
    name, stem = source.name, source.stem
    for line, row, denormalised in rows:
        tally.rows += 1
        place = Place(name, stem, line)
        try:
            if type(row) is Conversation:
                found, records = "messages", [messages.record_of(row, place)]
            else:
                found, parse = _format_of(row, place, options)
                records = list(parse(row, place, options))
        except InputError as error:
            first = starts and tally.rows == 1
            wrong_setting = any(isinstance(problem, WrongSetting) for problem in error.problems)
            if wrong_setting and tally.rows == 1 and tally.layout.kind == "table":  # the header decides for every row
                if starts:
                    raise
                tally.rows = 0  # it was told with the first piece
                return
            told = error.problems
            if not first:  # rows before it could be read with these settings: it is at fault itself, and counts once
                told = (Problem(told[0].what, told[0].where, told[0].hint),)
            for problem in told:
                count(problem)
            continue
        tally.formats[found] += 1
        tally.records += len(records)
        yield from (record._replace(denormalised=True) for record in records) if denormalised else records


def _format_of(row: Any, place: Place, options: ReadOptions) -> tuple[str, Callable[..., Iterable[Record]]]:
    """Name and `parse` of the format of a row."""
    if not isinstance(row, dict):
        raise InputError("want one JSON object for each row", where=place.where)
    for name, module in _formats():
        if module.matches(row, options):
            return name, module.parse
    columns = ", ".join(row) or "nothing"
    known = "; ".join(module.SHAPE for _, module in _formats() if module.ORDER)
    hint = "--set prompt_column=NAME --set completion_column=NAME, or --set text_column=NAME"
    raise InputError([WrongSetting(f"unknown shape with {columns}; known are {known}", place.where, hint)])


@cache
def _formats() -> tuple[tuple[str, ModuleType], ...]:
    found = load_plugins(formats)
    return tuple(sorted(found.items(), key=lambda item: (item[1].ORDER, item[0])))


class UniqueIds:
    """Gives an id that was given before a number behind it: `a`, `a-2`, `a-3`.

    Of each id its 64-bit hash is kept. Two ids with one hash are possible, 1 in 10^7 among a million; the later one
    then gets a number it did not need.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._counts: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """`wanted`, or the first of its numbered forms that is free."""
        if self._take(wanted):
            return wanted
        count = self._counts.get(wanted, 1) + 1
        while not self._take(f"{wanted}-{count}"):
            count += 1
        self._counts[wanted] = count
        return f"{wanted}-{count}"

    def _take(self, name: str) -> bool:
        before = len(self._seen)
        self._seen.add(hash(name))
        return len(self._seen) > before
