"""OpenAI `messages`, and our own record: the same with `chosen`, `rejected`, `source` and `metadata`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns, words
from llmops_cli.data.records import ROLES, Message, Record, Role

SHAPE = "messages: [{role, content}]"
ORDER = 1

_USED = ("id", "messages", "chosen", "rejected", "source", "metadata")


def matches(row: Row, options: ReadOptions) -> bool:
    return is_conversation(row.get("messages"))


def is_conversation(value: Any) -> bool:
    """Whether `value` is a list of messages with roles."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "role" in value[0]


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    source = row.get("source")
    yield Record(
        id=id_of(row, place),
        messages=read_messages(row["messages"], place),
        chosen=words(row, "chosen", place) if row.get("chosen") is not None else None,
        rejected=words(row, "rejected", place) if row.get("rejected") is not None else None,
        source=source if isinstance(source, str) and source else place.source,
        metadata=other_columns(row, _USED) | cast(dict[str, Any], metadata),
        where=place.where,
    )


def read_messages(items: list[Any], place: Place) -> tuple[Message, ...]:
    """Turn `[{role, content}]` into messages; content may be a list of text parts, and null is empty.

    Raises:
        InputError: an item that is no message, an unknown role, or content that is not text.
    """
    return tuple(_message(item, f"messages[{index}]", place) for index, item in enumerate(items))


def _message(item: Any, name: str, place: Place) -> Message:
    if not isinstance(item, dict):
        raise InputError(f"{name}: want {{role, content}}", where=place.where)
    if item.get("role") not in ROLES:
        raise InputError(f"{name}.role: got {item.get('role')!r}, want {', '.join(ROLES)}", where=place.where)
    content = item.get("content")
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        content = "".join(part["text"] for part in content)
    if not isinstance(content, (str, type(None))):
        raise InputError(f"{name}.content: want text or a list of text parts", where=place.where)
    return Message(cast(Role, item["role"]), content or "")


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
