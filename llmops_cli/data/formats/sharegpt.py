"""ShareGPT: `conversations` of `{from, value}`, with the names for the roles that files of this kind use."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns
from llmops_cli.data.records import Message, Record, Role

SHAPE = "conversations: [{from, value}]"
ORDER = 1

_ROLES: dict[str, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "assistant": "assistant",
}


def matches(row: Row, options: ReadOptions) -> bool:
    turns = row.get("conversations")
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict) and "from" in turns[0]


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    messages = [_message(item, f"conversations[{index}]", place) for index, item in enumerate(row["conversations"])]
    system = row.get("system")
    if isinstance(system, str) and system.strip() and messages[0].role != "system":
        messages.insert(0, Message("system", system))
    yield Record(
        id=id_of(row, place),
        messages=tuple(messages),
        source=place.source,
        metadata=other_columns(row, ("id", "conversations", "system")),
        where=place.where,
    )


def _message(item: object, name: str, place: Place) -> Message:
    speaker = item.get("from") if isinstance(item, dict) else None
    value = item.get("value") if isinstance(item, dict) else None
    role = _ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        raise InputError(f"{name}.from: got {speaker!r}, want {', '.join(_ROLES)}", where=place.where)
    if not isinstance(value, (str, type(None))):
        raise InputError(f"{name}.value: want text", where=place.where)
    return Message(role, value or "")
