"""JSON text to rows with the line each starts in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.decoding import LONGEST_ROW, too_long

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n]*")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is out of range")
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_constant)


def parse_line(text: str, where: str) -> Any:
    """One JSON value. Raises InputError at `where` (`file:line`) when the text is not exactly that."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"broken JSON: {error.msg} (column {error.colno})",
            where=where,
            hint="a .jsonl file has one JSON object a line",
        ) from None
    except RecursionError:
        raise InputError([nested_too_deep(where)]) from None
    except ValueError as error:
        raise InputError(f"broken JSON: {error}", where=where) from None
    _refuse_half_characters(text, where)
    return value


def nested_too_deep(where: str) -> Problem:
    """What to say of lists in lists that no program can follow."""
    return Problem("broken JSON: nested too deep", where)


def rows_of_document(chunks: Iterable[str], source: str) -> Iterator[tuple[int, Any]]:
    """Line and value of each row: the items of an array, or the objects that stand one after another.

    Args:
        chunks: the text in pieces of any size; no more of it is kept than the row that is being read.
        source: names the file in problems.

    Raises:
        InputError: broken JSON, with the line; the rows before it have been given out.
    """
    window = _Window(iter(chunks), source)
    array = window.peek() == "["
    if array:
        window.take(1)
    while (start := window.peek()) and not (array and start == "]"):
        yield window.value()
        if array and window.peek() not in (",", "]"):
            raise window.broken("the array does not go on with ',' or ']'")
        if array and window.peek() == ",":
            window.take(1)
    if array:
        if window.peek() != "]":
            raise window.broken("the array is not closed")
        window.take(1)
        if window.peek():
            raise window.broken("there is more after the array")


class _Window:
    """The part of a text that is being read, and the line it stands in."""

    def __init__(self, chunks: Iterator[str], source: str) -> None:
        self._chunks, self._source = chunks, source
        self._text, self._at, self._line = "", 0, 1

    def peek(self) -> str:
        """The next character that is no space, or an empty text at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self.take(match.end() - self._at if match else 0)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow(1):
                return ""

    def take(self, characters: int) -> None:
        """Step over characters."""
        self._line += self._text.count("\n", self._at, self._at + characters)
        self._at += characters

    def value(self) -> tuple[int, Any]:
        """The line and the JSON value that starts here."""
        line = self._line
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._grow(2 * (len(self._text) - self._at)):
                    continue
                raise self.broken(error.msg, line + self._text.count("\n", self._at, error.pos)) from None
            except RecursionError:
                raise InputError([nested_too_deep(f"{self._source}:{line}")]) from None
            except ValueError as error:
                raise self.broken(str(error)) from None
            if end < len(self._text) or not self._grow(1):
                break
        _refuse_half_characters(self._text[self._at : end], f"{self._source}:{line}")
        self.take(end - self._at)
        return line, value

    def broken(self, what: str, line: int | None = None) -> InputError:
        return InputError(f"broken JSON: {what}", where=f"{self._source}:{line or self._line}")

    def _grow(self, wanted: int) -> bool:
        """Drop what has been read and take in more, to `wanted` characters or a little over; False at the end."""
        parts = [self._text[self._at :]]
        length = len(parts[0])
        if length > LONGEST_ROW:
            raise InputError([too_long(f"{self._source}:{self._line}")])
        grown = False
        for chunk in self._chunks:
            parts.append(chunk)
            length += len(chunk)
            grown = True
            if length >= wanted:
                break
        self._text, self._at = "".join(parts), 0
        return grown


def _refuse_half_characters(text: str, where: str) -> None:
    """A lone `\\ud83d` is legal JSON and no character: it could never be written as UTF-8 again."""
    if not _SURROGATE_ESCAPE.search(text):
        return
    try:
        written = json.dumps(_DECODER.decode(text), ensure_ascii=False)
    except RecursionError:
        raise InputError([nested_too_deep(where)]) from None
    if _SURROGATE.search(written):
        raise InputError("half a character (a lone \\ud800 to \\udfff)", where=where)
