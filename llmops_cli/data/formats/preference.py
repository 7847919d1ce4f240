"""Preference rows: a `prompt` and two answers, `chosen` and `rejected`, each a text or messages as TRL writes them.

Where there is no `prompt`, the messages that `chosen` and `rejected` begin with in common are it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns, words
from llmops_cli.data.formats.messages import is_conversation, read_messages
from llmops_cli.data.records import Message, Record

SHAPE = "prompt, chosen, rejected"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    return "chosen" in row and "rejected" in row and "messages" not in row


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    prompt = _turns(row, "prompt", place) if row.get("prompt") is not None else ()
    chosen, rejected = _answer(row, "chosen", place), _answer(row, "rejected", place)
    common = 0
    while common < min(len(chosen), len(rejected)) - 1 and chosen[common] == rejected[common]:
        common += 1
    if len(chosen) != common + 1 or len(rejected) != common + 1:
        raise InputError("chosen and rejected: want the same turns and one last answer each", where=place.where)
    messages = prompt if chosen[:common] in ((), prompt) else prompt + chosen[:common]
    if not messages:
        raise InputError("a preference row needs a prompt", where=place.where)
    yield Record(
        id=id_of(row, place),
        messages=messages,
        chosen=chosen[-1].content,
        rejected=rejected[-1].content,
        source=place.source,
        metadata=other_columns(row, ("id", "prompt", "chosen", "rejected")),
        where=place.where,
    )


def _turns(row: Row, key: str, place: Place) -> tuple[Message, ...]:
    value: Any = row[key]
    return read_messages(value, place) if is_conversation(value) else (Message("user", words(row, key, place)),)


def _answer(row: Row, key: str, place: Place) -> tuple[Message, ...]:
    value: Any = row[key]
    return read_messages(value, place) if is_conversation(value) else (Message("assistant", words(row, key, place)),)
