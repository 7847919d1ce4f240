"""Plain `text`, also in our own record shape."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, own_metadata
from llmops_cli.data.records import Record

SHAPE = "text"
ORDER = 3


def matches(row: Row, options: ReadOptions) -> bool:
    return isinstance(row.get("text"), str) and "messages" not in row


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    source = row.get("source")
    yield Record(
        id=id_of(row, place),
        text=row["text"],
        source=source if isinstance(source, str) and source else place.source,
        metadata=own_metadata(row, place, ("id", "text", "source")),
        where=place.where,
    )
