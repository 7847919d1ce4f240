"""Shapes of raw rows, one module each, found by its file name.

A row is a JSON object or a line of a table as a mapping, its text already NFC. A module has:

- `SHAPE`: the shape in one line, for messages to the user;
- `ORDER`: modules with a smaller number are asked first (0: named in the options, 1: a shape of its own, 2:
  usual column names, 3: anything with text);
- `matches(row, options) -> bool`: whether this module reads the row; cheap, never raises;
- `parse(row, place, options) -> Iterator[Record]`: the records of the row; raises InputError at `place.where`
  when the row has the shape and cannot be used. A row is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from llmops_cli.core.errors import InputError
from llmops_cli.data.records import Message, Record

Row = Mapping[str, Any]
_SMALL = 200
_DEEPEST = 64


class Place(NamedTuple):
    """Where a row stands: the file as the user named it, its stem, and the line from 1."""

    source: str
    stem: str
    line: int

    @property
    def where(self) -> str:
        return f"{self.source}:{self.line}"


def id_of(row: Row, place: Place) -> str:
    """The id that the row gives, or `<file stem>:<line>`."""
    value = row.get("id")
    if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    return f"{place.stem}:{place.line}"


def words(row: Row, key: str, place: Place, *, optional: bool = False) -> str:
    """The text at `key`; null is an empty text, and so is a missing optional key.

    Raises:
        InputError: something else than text stands there.
    """
    value = row.get(key)
    if value is None and (optional or key in row):
        return ""
    if not isinstance(value, str):
        raise InputError(f"{key}: got {_kind(value)}, want text", where=place.where)
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", type(None): "nothing", bool: repr(value)}
    return names.get(type(value), f"the number {value!r}")


def other_columns(row: Row, used: tuple[str, ...]) -> dict[str, Any]:
    """The columns a shape does not use, for the metadata: numbers and texts of up to 200 characters."""
    return {
        key: value
        for key, value in row.items()
        if key not in used and isinstance(value, (str, int, float)) and len(str(value)) <= _SMALL
    }


def own_metadata(row: Row, place: Place, used: tuple[str, ...]) -> dict[str, Any]:
    """The `metadata` of a row in our own shape, and the columns that mean nothing to it.

    Raises:
        InputError: the metadata is nested so deep that it could not be written again.
    """
    metadata = row.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    if _is_deeper(metadata, _DEEPEST):
        raise InputError(f"metadata: nested deeper than {_DEEPEST} levels", where=place.where)
    return other_columns(row, ("metadata", *used)) | metadata


def _is_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(item, levels - 1) for item in items)


def question_and_answer(row: Row, place: Place, question: str, answer: str, used: tuple[str, ...]) -> Record:
    """A record of one question and its answer, after the text of its `system` column where there is one."""
    system = words(row, "system", place, optional=True)
    opening = (Message("system", system),) if system.strip() else ()
    return Record(
        id=id_of(row, place),
        messages=(*opening, Message("user", question), Message("assistant", answer)),
        source=place.source,
        metadata=other_columns(row, ("id", "system", *used)),
        where=place.where,
    )
