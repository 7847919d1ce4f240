"""What a writer thinks of answers: one of two, or good and bad with a word of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llmops_cli.chat.asking import Reply
from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.frame import sent_turns
from llmops_cli.chat.tree import Turn
from llmops_cli.core.errors import InputError
from llmops_cli.text.josa import substitute


@dataclass(frozen=True)
class Variant:
    """What is different in the other of two answers; a template of "" is none, None the one that is set."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True)
class Pair:
    """Two answers to a question in the order in which they are shown; `other` is the place of the variant's."""

    question: Turn
    replies: Sequence[Reply]
    other: int


def keep_choice(conversation: Conversation, pair: Pair, which: int, reason: str) -> Turn:
    """Keep which of two answers is better, 0 or 1, and go on from it.

    Raises:
        InputError: `which` is neither, or one of them was stopped before any text.
    """
    if which not in (0, 1):
        raise InputError(f"want 0 or 1, got {which}")
    chosen, rejected = pair.replies[which].turn, pair.replies[1 - which].turn
    if not (chosen.made and rejected.made):
        raise InputError("one of the two answers did not begin: there is nothing to choose", hint="/regen")
    made = {"chosen": chosen.made.to_json(), "rejected": rejected.made.to_json(), "rejected_turn": rejected.id}
    prompt = sent_turns(conversation.tree, chosen)
    conversation.choose(
        "ab", chosen.id, prompt, _text(conversation, chosen), _text(conversation, rejected), reason, made
    )
    conversation.go(chosen.id)
    return chosen


def keep_opinion(conversation: Conversation, turn: Turn, kind: Literal["good", "bad"], reason: str) -> None:
    """Keep that an answer is good or bad.

    Raises:
        InputError: it is no answer of a model.
    """
    prompt, text = sent_turns(conversation.tree, turn), _text(conversation, turn)
    made = turn.made.to_json() if turn.made else {}
    chosen, rejected = (text, None) if kind == "good" else (None, text)
    conversation.choose(kind, turn.id, prompt, chosen, rejected, reason, made)


def _text(conversation: Conversation, turn: Turn) -> str:
    return substitute(turn.text, conversation.state.names)
