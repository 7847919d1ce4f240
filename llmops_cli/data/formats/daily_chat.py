"""A chat between people: `messages` with a `speaker_id`, several turns in a row by one speaker.

It becomes a conversation of two sides. One speaker answers (`assistant_speaker`, by default the last to
speak), the others are the user; where there are several of them, their names stay in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns
from llmops_cli.data.records import Message, Record

SHAPE = "messages: [{speaker_id, content}]"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    turns = row.get("messages")
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict) and "speaker_id" in turns[0]


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    turns = [turn for index, item in enumerate(row["messages"]) if (turn := _turn(item, index, place))[1]]
    speakers = list(dict.fromkeys(speaker for speaker, _, _ in turns))
    if len(speakers) < 2:
        raise InputError(f"a chat needs two speakers, got {len(speakers)}", where=place.where)
    answers = options.assistant_speaker or turns[-1][0]
    if answers not in speakers:
        raise InputError(
            f"no speaker {answers!r}: there are {', '.join(speakers)}",
            where=place.where,
            hint="--set assistant_speaker=ID",
        )
    while turns and turns[0][0] == answers:
        turns.pop(0)
    while turns and turns[-1][0] != answers:
        turns.pop()
    if not turns:
        raise InputError(f"speaker {answers!r} answers nobody in this chat", where=place.where)
    dropped = len(row["messages"]) - len(turns)
    yield Record(
        id=id_of(row, place),
        messages=tuple(_sides(turns, answers, named=len(speakers) > 2)),
        source=place.source,
        metadata=other_columns(row, ("id", "messages"))
        | {"speakers": len(speakers), "assistant": answers}
        | ({"dropped_turns": dropped} if dropped else {}),
        where=place.where,
    )


def _turn(item: Any, index: int, place: Place) -> tuple[str, str, str]:
    """Speaker, text and shown name of one message."""
    speaker = item.get("speaker_id") if isinstance(item, dict) else None
    content = item.get("content") if isinstance(item, dict) else None
    if not isinstance(speaker, (str, int)) or not isinstance(content, (str, type(None))):
        raise InputError(f"messages[{index}]: want {{speaker_id, content}}", where=place.where)
    name = next((item[key] for key in ("speaker_name", "name") if isinstance(item.get(key), str)), str(speaker))
    return str(speaker), (content or "").strip(), name


def _sides(turns: list[tuple[str, str, str]], answers: str, *, named: bool) -> Iterator[Message]:
    for answering, side in groupby(turns, key=lambda turn: turn[0] == answers):
        runs = [
            (name, "\n".join(text for _, text, _ in run))
            for (_, name), run in groupby(side, key=lambda turn: (turn[0], turn[2]))
        ]
        if answering:
            yield Message("assistant", "\n".join(text for _, text in runs))
        else:
            yield Message("user", "\n".join(f"{name}: {text}" if named else text for name, text in runs))
