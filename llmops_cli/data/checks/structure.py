"""A conversation opens with the user, alternates, leaves no turn empty and ends with the answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "structure"
SEVERITY = "error"
ABOUT = "turns out of order, empty turns and texts, no answer at the end"
FIX = "llmops data convert PATH -o OUT.jsonl leaves such records out and counts them"
FAST = True


def start(params: None) -> Check:
    return faults


def faults(record: Record) -> Iterator[str]:
    """What is wrong with the order and the filling of the turns."""
    messages = record.messages
    if not messages:
        if not (record.text or "").strip():
            yield "empty text"
        return
    yield from _order_faults(tuple([role for role, _ in messages]), preference=record.chosen is not None)
    for number, (role, content) in enumerate(messages, 1):
        if not content or content.isspace():
            yield f"empty content in message {number}, {role}"
            break
    if record.chosen is not None and not (record.chosen.strip() and (record.rejected or "").strip()):
        yield "empty chosen or rejected"


@lru_cache(maxsize=1024)
def _order_faults(roles: tuple[str, ...], *, preference: bool) -> tuple[str, ...]:
    turns = [role for role in roles if role != "system"]
    if not turns:
        return ("only a system message",)
    found = []
    if "system" in roles[1:]:
        found.append("a system message after the first place")
    if turns[0] != "user":
        found.append("the first turn is not the user's")
    if repeated := next((first for first, second in pairwise(turns) if first == second), None):
        found.append(f"two {repeated} turns in a row")
    if preference and turns[-1] != "user":
        found.append("the turn before chosen and rejected is not the user's")
    if not preference and turns[-1] != "assistant":
        found.append("the last turn is not the assistant's")
    return tuple(found)
