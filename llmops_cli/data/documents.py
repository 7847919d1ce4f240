"""JSON text to rows with the line each starts in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from llmops_cli.core.errors import InputError

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
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {_reason(error)}", where=where) from None
    _refuse_half_characters(text, where)
    return value


def rows_of_document(text: str, source: str) -> Iterator[tuple[int, Any]]:
    """Line and value of each row: the items of an array, or the objects that stand one after another.

    Raises:
        InputError: broken JSON, with the line; the rows before it have been given out.
    """
    at, line = _skip(text, 0), 1
    line += text.count("\n", 0, at)
    array = text.startswith("[", at)
    at += array
    while (start := _skip(text, at)) < len(text) and not (array and text[start] == "]"):
        line += text.count("\n", at, start)
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise InputError(
                f"broken JSON: {error.msg} (column {error.colno})", where=f"{source}:{error.lineno}"
            ) from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"broken JSON: {_reason(error)}", where=f"{source}:{line}") from None
        _refuse_half_characters(text[start:end], f"{source}:{line}")
        yield line, value
        line += text.count("\n", start, end)
        at = end
        if array:
            at = _skip(text, end)
            line += text.count("\n", end, at)
            if text[at : at + 1] not in (",", "]"):
                raise InputError("broken JSON: the array does not go on with ',' or ']'", where=f"{source}:{line}")
            at += text[at] == ","
    if array:
        line += text.count("\n", at, start)
        if start >= len(text):
            raise InputError("broken JSON: the array is not closed", where=f"{source}:{line}")
        if _skip(text, start + 1) < len(text):
            raise InputError("broken JSON: there is more after the array", where=f"{source}:{line}")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _reason(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _refuse_half_characters(text: str, where: str) -> None:
    """A lone `\\ud83d` is legal JSON and no character: it could never be written as UTF-8 again."""
    if _SURROGATE_ESCAPE.search(text) and _SURROGATE.search(json.dumps(_DECODER.decode(text), ensure_ascii=False)):
        raise InputError("half a character (a lone \\ud800 to \\udfff)", where=where)
