"""A `prompt` without an answer, for generation or for a reward."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns, words
from llmops_cli.data.formats.messages import is_conversation, read_messages
from llmops_cli.data.records import Message, Record

SHAPE = "prompt"
ORDER = 3


def matches(row: Row, options: ReadOptions) -> bool:
    return "prompt" in row and not isinstance(row.get("text"), str)


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    prompt = row["prompt"]
    yield Record(
        id=id_of(row, place),
        messages=read_messages(prompt, place)
        if is_conversation(prompt)
        else (Message("user", words(row, "prompt", place)),),
        source=place.source,
        metadata=other_columns(row, ("id", "prompt")),
        where=place.where,
    )
