"""One column of plain text that the options name: `text_column`."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.formats import Place, Row, id_of, other_columns, words
from llmops_cli.data.records import Record

SHAPE = "a column named by text_column"
ORDER = 0


def matches(row: Row, options: ReadOptions) -> bool:
    return options.text_column is not None and not any(
        isinstance(row.get(key), list) for key in ("messages", "text", "units")
    )


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    column = options.text_column or ""
    if column not in row:
        what = f"no column {column!r}: there are {', '.join(row)}"
        raise InputError([WrongSetting(what, place.where, "--set text_column=NAME")])
    yield Record(
        id=id_of(row, place),
        text=words(row, column, place),
        source=place.source,
        metadata=other_columns(row, ("id", column)),
        where=place.where,
    )
