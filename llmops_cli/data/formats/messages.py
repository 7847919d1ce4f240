"""OpenAI `messages`, and our own record: the same with `chosen`, `rejected`, `source` and `metadata`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.conversations import Conversation
from llmops_cli.data.formats import Place, Row, id_of, own_metadata, words
from llmops_cli.data.records import ROLES, Message, Record

SHAPE = "messages: [{role, content}]"
ORDER = 1

_USED = ("id", "messages", "chosen", "rejected", "source")


def matches(row: Row, options: ReadOptions) -> bool:
    return is_conversation(row.get("messages"))


def is_conversation(value: Any) -> bool:
    """Whether `value` is a list of messages with roles."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "role" in value[0]


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    source = row.get("source")
    source = source if isinstance(source, str) and source else place.source
    metadata = own_metadata(row, place, _USED)
    messages = read_messages(row["messages"], place)
    if row.get("chosen") is None and row.get("rejected") is None:
        yield Record.of_messages(id_of(row, place), messages, source, metadata, place.where)
        return
    yield Record(
        id=id_of(row, place),
        messages=messages,
        chosen=words(row, "chosen", place) if row.get("chosen") is not None else None,
        rejected=words(row, "rejected", place) if row.get("rejected") is not None else None,
        source=source,
        metadata=metadata,
        where=place.where,
    )


def record_of(row: Conversation, place: Place) -> Record:
    """The record of a row that has been parsed as one. Raises InputError as :func:`own_metadata`."""
    messages = tuple([_message_of((turn.role, turn.content)) for turn in row.messages])
    metadata = own_metadata({"metadata": row.metadata}, place, ()) if row.metadata else {}
    name = row.id if isinstance(row.id, str) and row.id.strip() else id_of({"id": row.id}, place)
    return Record.of_messages(name, messages, row.source or place.source, metadata, place.where)


_message_of: Callable[[tuple[str, str]], Message] = partial(tuple.__new__, Message)  # half the time of Message(…)


def read_messages(items: list[Any], place: Place) -> tuple[Message, ...]:
    """Turn `[{role, content}]` into messages; content may be a list of text parts, and null is empty.

    Raises:
        InputError: an item that is no message, an unknown role, or content that is not text.
    """
    return tuple([_message(item, index, place) for index, item in enumerate(items)])


def _message(item: Any, index: int, place: Place) -> Message:
    if not isinstance(item, dict):
        raise InputError(f"messages[{index}]: want {{role, content}}", where=place.where)
    role, content = item.get("role"), item.get("content")
    if role not in ROLES:
        raise InputError(f"messages[{index}].role: got {role!r}, want {', '.join(ROLES)}", where=place.where)
    if isinstance(content, str):
        return Message(role, content)
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        content = "".join(part["text"] for part in content)
    if not isinstance(content, (str, type(None))):
        raise InputError(f"messages[{index}].content: want text or a list of text parts", where=place.where)
    return Message(role, content or "")


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
