"""How an answer came about, and what a conversation amounts to."""

from __future__ import annotations

from typing import Any

from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.frame import sent_turns
from llmops_cli.chat.tree import Tree, Turn


def trace(tree: Tree, turn: Turn) -> dict[str, Any]:
    """What made an answer: everything needed to have it made again, and the turns that the model saw.

    Raises:
        InputError: no model gave it.
    """
    sent = sent_turns(tree, turn)
    made = turn.made
    assert made is not None
    return {
        "turn": turn.id,
        "model": made.model,
        "adapter": made.adapter,
        "run": made.run,
        "engine": made.engine,
        "template": made.template,
        "seed": made.settings.get("seed"),
        "settings": dict(made.settings),
        "prompt_tokens": made.prompt_tokens,
        "tokens": _tokens(tree, turn),
        "finish_reason": made.finish_reason,
        "first_token": made.first_token,
        "seconds": made.seconds,
        "edited": made.edited,
        "continues": made.continues,
        "dropped": list(made.dropped),
        "sent": [dict(each) for each in sent],
    }


def statistics(conversation: Conversation) -> dict[str, Any]:
    """Turns, branches and characters of a conversation; tokens generated, and how many in a second."""
    tree = conversation.tree
    answers = [turn for turn in tree.turns.values() if turn.role == "assistant" and turn.made]
    generated = [turn for turn in answers if turn.made and not turn.made.edited]
    tokens = sum(_tokens(tree, turn) for turn in generated)
    seconds = sum(turn.made.seconds for turn in generated if turn.made)
    return {
        "turns": len(tree.turns),
        "here": len(tree.path()),
        "branches": sum(not tree.children(turn) for turn in tree.turns),
        "answers": len(answers),
        "characters": sum(len(turn.text) for turn in tree.path()),
        "prompt_tokens": sum(turn.made.prompt_tokens for turn in generated if turn.made),
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(tokens / seconds, 1) if seconds else None,
    }


def _tokens(tree: Tree, turn: Turn) -> int:
    """The tokens that were generated for an answer, without those of the one that it continues."""
    if turn.made is None:
        return 0
    before = tree.turns.get(turn.made.continues) if turn.made.continues else None
    return max(len(turn.made.token_ids) - (len(before.made.token_ids) if before and before.made else 0), 0)
