"""The input cut into parts that one process can read on its own: small files in groups, large ones in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.decoding import byte_lines, without_mark
from llmops_cli.data.layout import Layout, OnProblem, Rows, is_plain, json_block, json_lines, layout_of, rows_of
from llmops_cli.data.sources import Source, sources_of

_SMALL = 1_000_000  # bytes; a file beyond that is read in pieces
_PIECE = 4_000_000  # bytes of a group of files or of a piece of one
_MOST_FILES = 256
_ROWS = 5_000  # rows of a piece of a file that cannot be cut by bytes; fewer where they are long


@dataclass(frozen=True)
class Piece:
    """A part of the input.

    Either whole `sources`; or of one source in a known `layout` the bytes from `start` to `end`, which begin with
    `line`, or the `rows` that had to be read on the way, with what could not be read between them. `ends` marks the
    last piece of a source. `problems` are about something that is no source of rows.
    """

    sources: tuple[Source, ...]
    layout: Layout | None = None
    start: int = 0
    end: int = 0
    line: int = 1
    rows: tuple[tuple[int, Any, bool] | Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    ends: bool = True

    @property
    def size(self) -> int:
        """Bytes of input, counted with the last piece where they are not known of each."""
        if self.end:
            return self.end - self.start
        return sum(source.size for source in self.sources) if self.ends else 0


def pieces_of(files: Sequence[Path], options: ReadOptions) -> Iterator[Piece]:
    """The pieces of all files in their order."""
    group: list[Source] = []
    size = 0
    for file in files:
        for source in sources_of(file):
            small = isinstance(source, Source) and source.size <= _SMALL
            if group and (not small or size >= _PIECE or len(group) >= _MOST_FILES):
                yield Piece(tuple(group))
                group, size = [], 0
            if isinstance(source, Problem):
                yield Piece((), problems=(source,))
            elif small:
                group.append(source)
                size += source.size
            else:
                yield from _pieces_of_large(source, options)
    if group:
        yield Piece(tuple(group))


def _pieces_of_large(source: Source, options: ReadOptions) -> Iterator[Piece]:
    try:
        layout = layout_of(source, options)
        if layout.kind == "lines" and source.on_disk:
            yield from _spans(source, layout)
        else:
            yield from _read_ahead(source, layout, options)
    except InputError as error:
        yield Piece((), problems=error.problems)
    except OSError as error:
        yield Piece((), problems=(_unreadable(error, source),))


def _spans(source: Source, layout: Layout) -> Iterator[Piece]:
    start, line = 0, 1
    with source.open() as stream:
        while block := stream.read(_PIECE):
            end, lines = start + len(block), block.count(b"\n")
            while not block.endswith(b"\n") and (block := stream.readline(_PIECE)):
                end, lines = end + len(block), lines + block.count(b"\n")
            yield Piece((source,), layout, start, end, line, ends=end >= source.size)
            start, line = end, line + lines


def _read_ahead(source: Source, layout: Layout, options: ReadOptions) -> Iterator[Piece]:
    rows: list[tuple[int, Any, bool] | Problem] = []
    first = 1
    characters = 0
    try:
        for row in rows_of(source, layout, options, rows.append):
            rows.append(row)
            characters += _characters(row[1])
            if len(rows) >= _ROWS or characters >= _PIECE:
                yield Piece((source,), layout, line=first, rows=tuple(rows), ends=False)
                first, characters = row[0] + 1, 0
                rows.clear()
    except InputError as error:
        rows += error.problems
    except OSError as error:
        rows.append(_unreadable(error, source))
    yield Piece((source,), layout, line=first, rows=tuple(rows))


def _characters(value: Any) -> int:
    """The length of all texts in a row."""
    if isinstance(value, str):
        return len(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_characters, items))


def rows_of_piece(piece: Piece, options: ReadOptions, report: OnProblem) -> Iterator[tuple[Source, Layout, Rows]]:
    """Each source of a piece with its layout and the rows that the piece has of it.

    What is wrong with a whole source is reported. Drawing from the rows may raise InputError and OSError, after which
    the next source can be read.
    """
    for problem in piece.problems:
        report(problem)
    for source in piece.sources:
        if piece.layout is None:
            try:
                yield source, *_small_file(source, options, report)
            except InputError as error:
                for problem in error.problems:
                    report(problem)
            except OSError as error:
                report(_unreadable(error, source))
        elif piece.end:
            yield source, piece.layout, _span(piece, source, piece.layout, options, report)
        else:
            yield source, piece.layout, _replayed(piece.rows, report)


def _small_file(source: Source, options: ReadOptions, report: OnProblem) -> tuple[Layout, Rows]:
    if source.suffix == ".json" and options.encoding != "cp949":
        with source.open() as stream:
            data = stream.read()
        document = without_mark(data, 1)
        if document[:1] == b"{" and is_plain(document):
            try:
                row = orjson.loads(document)
            except orjson.JSONDecodeError:
                pass  # several objects, or broken: the slower parser can tell
            else:
                return Layout("document", "utf-8", document is not data), iter([(1, row, False)])
    layout = layout_of(source, options)
    return layout, rows_of(source, layout, options, report)


def _replayed(rows: Iterable[tuple[int, Any, bool] | Problem], report: OnProblem) -> Rows:
    for row in rows:
        if isinstance(row, Problem):
            report(row)
        else:
            yield row


def _span(piece: Piece, source: Source, layout: Layout, options: ReadOptions, report: OnProblem) -> Rows:
    size = piece.end - piece.start
    named = options.prompt_column or options.completion_column or options.text_column
    with source.open() as stream:
        stream.seek(piece.start)
        if size <= 2 * _PIECE:
            yield from json_block(stream.read(size), piece.line, source, layout, report, typed=not named)
        else:
            yield from json_lines(byte_lines(stream, piece.line, size), source, layout, report)


def _unreadable(error: OSError, source: Source) -> Problem:
    return Problem(f"cannot be read: {error.strerror or error}", source.name)
