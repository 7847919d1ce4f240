"""How the rows of a file are laid out, found from its content, and read one after another."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Literal, NamedTuple

import orjson

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.columnar import COLUMNAR, read_columnar
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.conversations import parse_conversation
from llmops_cli.data.decoding import (
    LONGEST_ROW,
    Encoding,
    byte_lines,
    decoded,
    encoding_of,
    lines_of,
    too_long,
    without_mark,
)
from llmops_cli.data.documents import nested_too_deep, parse_line, rows_of_document
from llmops_cli.data.sources import Source
from llmops_cli.data.table import read_table
from llmops_cli.text.normalize import nfc

OnProblem = Callable[[Problem], None]
Rows = Iterator[tuple[int, Any, bool]]
"""Line, row, and whether its text had to be normalised."""

Kind = Literal["lines", "document", "table", "conll", "text", "columnar"]

_SAMPLE = 500  # rows
_BLOCK = 1 << 20
_MISSES = 100  # lines in a row that are no conversations, after which no more are expected
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19


class Layout(NamedTuple):
    """What a file is: one JSON value a line, a JSON document, a table, CoNLL, plain text or columns.

    `marked` says that a byte order mark stands before it.
    """

    kind: Kind
    encoding: Encoding
    marked: bool = False


def layout_of(source: Source, options: ReadOptions) -> Layout:
    """Look at the content of a file.

    Raises:
        InputError: as :func:`encoding_of`.
        OSError: the file cannot be read.
    """
    if source.suffix in COLUMNAR:
        return Layout("columnar", "utf-8")
    encoding, marked = encoding_of(source, options)
    if source.suffix == ".json":
        return Layout("document", encoding, marked)
    lines = (line for line in lines_of(source, encoding) if isinstance(line, str) and line.strip())
    if source.suffix in (".csv", ".tsv"):
        return Layout("conll" if next(lines, "").startswith("## ") else "table", encoding, marked)
    if source.suffix == ".txt":
        return Layout("table" if options.text_unit is None and _is_tabular(lines) else "text", encoding, marked)
    kind = _kind_of_json(lines)
    if kind == "text" and options.text_unit is None:
        hint = "rename it to .txt, or --set text_unit=file, paragraph or line"
        raise InputError([WrongSetting("plain text, no JSON in any line", f"{source.name}:1", hint)])
    return Layout(kind, encoding, marked)


def _is_tabular(lines: Iterator[str]) -> bool:
    """Whether the first line has tabs, and the next ones are rows under it."""
    header = next(lines, "")
    try:
        rows = list(islice(read_table(chain([header], lines), "", tabs=True), _SAMPLE))
    except InputError:
        return False
    return "\t" in header and bool(rows) and not any(isinstance(row, Problem) for row in rows)


def _kind_of_json(lines: Iterator[str]) -> Kind:
    """One value a line, or a document: an array, or objects over several lines; or text under a wrong name."""
    first = next(lines, "{}").strip()
    if first == "{" or (first.startswith("[") and not (_is_json(first) and _is_json(next(lines, "")))):
        return "document"
    looks_like_rows = any(line.lstrip().startswith("{") or _is_json(line) for line in chain([first], lines))
    return "lines" if looks_like_rows else "text"


def _is_json(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def rows_of(source: Source, layout: Layout, options: ReadOptions, report: OnProblem) -> Rows:
    """The rows of a whole file in their order; `report` gets each one that cannot be read.

    Raises:
        InputError: nothing more of the file can be read.
        OSError: the file cannot be read.
    """
    if layout.kind == "columnar":
        for number, row in enumerate(read_columnar(source), 1):
            yield number, *_normalised(row)
    elif layout.kind == "conll":
        for line, text in _sentences(_texts(source, layout, report)):
            yield line, *_normalised({"text": text})
    elif layout.kind == "table":
        for item in read_table(_texts(source, layout, report), source.name, tabs=source.suffix != ".csv"):
            if isinstance(item, Problem):
                report(item)
            else:
                yield item[0], *_normalised(item[1])
    elif layout.kind == "document":
        for line, row in rows_of_document(_chunks(source, layout.encoding), source.name):
            yield line, *normalised_row(row, f"{source.name}:{line}")
    elif layout.kind == "text":
        for line, text in _passages(_texts(source, layout, report), options.text_unit or "file"):
            if len(text) > LONGEST_ROW:
                report(too_long(f"{source.name}:{line}"))
            else:
                yield line, *_normalised({"text": text})
    else:
        with source.open() as stream:
            yield from json_lines(byte_lines(stream), source, layout, report)


def json_lines(lines: Iterable[tuple[int, bytes | None]], source: Source, layout: Layout, report: OnProblem) -> Rows:
    """The rows of numbered lines of one JSON value each."""
    for number, data in lines:
        where = f"{source.name}:{number}"
        if data is None:
            report(too_long(where))
            continue
        data = without_mark(data, number)
        if not data.strip():
            continue
        try:
            text = decoded(data, where, layout.encoding).rstrip("\r\n")
            row = parse_line(text, where)
            plain = "\\u" not in text and unicodedata.is_normalized("NFC", text)
            found = (row, False) if plain else normalised_row(row, where)
        except InputError as error:
            for problem in error.problems:
                report(problem)
        else:
            yield number, *found


def json_block(data: bytes, first: int, source: Source, layout: Layout, report: OnProblem, *, typed: bool) -> Rows:
    """As :func:`json_lines` for whole lines in one piece, faster where nothing in them needs care.

    With `typed`, a line that is a conversation is given as such.
    """
    data = without_mark(data, first)
    lines = enumerate(data.split(b"\n"), first)
    if layout.encoding != "utf-8" or not is_plain(data):
        yield from json_lines(lines, source, layout, report)
        return
    misses = 0 if typed else _MISSES
    for number, line in lines:
        if misses < _MISSES:
            if row := parse_conversation(line):
                misses = 0
                yield number, row, False
                continue
            misses += 1
        try:
            yield number, orjson.loads(line), False
        except orjson.JSONDecodeError:  # blank, or broken in a way that the slower parser can name
            yield from json_lines([(number, line)], source, layout, report)


def is_plain(data: bytes) -> bool:
    """Whether the fast parser reads this JSON as the careful one does.

    It is UTF-8 in NFC, no escapes hide text that is not NFC or half characters, and no integer is beyond 64 bits: that
    would become a float.
    """
    if b"\\u" in data or _LONG_NUMBER in data.translate(_AS_ZEROS):
        return False
    try:
        return unicodedata.is_normalized("NFC", data.decode())
    except UnicodeDecodeError:
        return False


def _texts(source: Source, layout: Layout, report: OnProblem) -> Iterator[str]:
    """The lines of a file; one that cannot be decoded is reported and stands as a blank line."""
    for item in lines_of(source, layout.encoding):
        if isinstance(item, Problem):
            report(item)
        yield "" if isinstance(item, Problem) else item


def _chunks(source: Source, encoding: Encoding) -> Iterator[str]:
    """The text of a document in pieces. Raises InputError with the line where it cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with source.open() as stream:
            block = without_mark(stream.read(_BLOCK), 1)
            while block:
                yield decoder.decode(block)
                block = stream.read(_BLOCK)
            yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InputError([line for line in lines_of(source, encoding) if isinstance(line, Problem)][:1]) from None


def _sentences(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """First line and text of each sentence of a CoNLL file: a token and its label a line, `##` before a comment.

    Tokens of one character are characters (KLUE); others are joined with spaces.
    """
    tokens: list[str] = []
    start = 1
    for number, line in enumerate(chain(lines, [""]), 1):
        if line.startswith("##"):
            continue
        if line.strip():
            start = start if tokens else number
            tokens.append(line.split("\t")[0])
        elif tokens:
            yield start, ("" if all(len(token) == 1 for token in tokens) else " ").join(tokens)
            tokens = []


def _passages(lines: Iterator[str], unit: str) -> Iterator[tuple[int, str]]:
    """First line and text of each record of a plain text, without white space around it.

    Of one that is too long to be a row only a little more than what is allowed is given out.
    """
    kept: list[str] = []
    start, length = 1, 0
    for number, line in enumerate(chain(lines, [""]), 1):
        ends = unit == "line" or (unit == "paragraph" and not line.strip())
        if not kept:
            start, length = number, 0
        if (line.strip() or kept) and length <= LONGEST_ROW:
            kept.append(line)
            length += len(line) + 1
        if ends and kept:
            yield start, "\n".join(kept).strip()
            kept = []
    if text := "\n".join(kept).strip():
        yield start, text


def normalised_row(row: Any, where: str) -> tuple[Any, bool]:
    """A row with all its text in NFC, and whether any was not. Raises InputError where it is nested too deep."""
    try:
        return _normalised(row)
    except RecursionError:
        raise InputError([nested_too_deep(where)]) from None


def _normalised(value: Any) -> tuple[Any, bool]:
    """`value` with all its text in NFC, and whether any was not."""
    if isinstance(value, str):
        text = nfc(value)
        return text, text != value
    if isinstance(value, list):
        items = [_normalised(item) for item in value]
        return [item for item, _ in items], any(changed for _, changed in items)
    if isinstance(value, dict):
        pairs = [(nfc(key), _normalised(item)) for key, item in value.items()]
        return {key: item for key, (item, _) in pairs}, any(changed for _, (_, changed) in pairs)
    return value, False
