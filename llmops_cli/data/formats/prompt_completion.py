"""`prompt` and `completion`: two texts, or two lists of messages as TRL writes them."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns, question_and_answer, words
from llmops_cli.data.formats.messages import is_conversation, read_messages
from llmops_cli.data.records import Record

SHAPE = "prompt, completion"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    return "prompt" in row and "completion" in row


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    used = ("prompt", "completion")
    if is_conversation(row["prompt"]) and is_conversation(row["completion"]):
        messages = read_messages([*row["prompt"], *row["completion"]], place)
        metadata = other_columns(row, ("id", *used))
        yield Record(id_of(row, place), messages, source=place.source, metadata=metadata, where=place.where)
        return
    yield question_and_answer(row, place, words(row, "prompt", place), words(row, "completion", place), used)
