"""A conversation opens with the user, alternates, leaves no turn empty and ends with the answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "structure"
SEVERITY = "error"


def start() -> Check:
    return faults


def faults(record: Record) -> Iterator[str]:
    """What is wrong with the order and the filling of the turns."""
    if not record.messages:
        if not (record.text or "").strip():
            yield "empty text"
        return
    turns = [message for message in record.messages if message.role != "system"]
    if any(message.role == "system" for message in record.messages[1:]):
        yield "a system message after the first place"
    if turns and turns[0].role != "user":
        yield "the first turn is not the user's"
    for first, second in pairwise(turns):
        if first.role == second.role:
            yield f"two {first.role} turns in a row"
            break
    empty = [index for index, message in enumerate(record.messages) if not message.content.strip()]
    if empty:
        yield f"empty content in message {empty[0] + 1}, {record.messages[empty[0]].role}"
    if record.chosen is None:
        if not turns or turns[-1].role != "assistant":
            yield "the last turn is not the assistant's"
        return
    if not turns or turns[-1].role != "user":
        yield "the turn before chosen and rejected is not the user's"
    if not record.chosen.strip() or not (record.rejected or "").strip():
        yield "empty chosen or rejected"
