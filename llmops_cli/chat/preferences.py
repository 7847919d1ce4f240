"""What was chosen, as rows that preference training reads."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_cli.chat.store import Choice


def preference_rows(choices: Iterable[Choice]) -> Iterator[dict[str, Any]]:
    """A row `{id, prompt, chosen, rejected, …}` for every pair of answers to the very same turns.

    A pair is what `/ab` showed, or an answer called good beside one called bad; of several opinions on an answer the
    last one counts. Two answers that are the same say nothing, and an empty one cannot be learned from.

    Args:
        choices: in the order of time.
    """
    opinions: dict[tuple[int, str], dict[int | None, Choice]] = {}
    for choice in choices:
        if choice.kind == "ab":
            yield from _row(choice, choice)
        else:
            of_prompt = opinions.setdefault((choice.conversation, json.dumps(choice.prompt)), {})
            of_prompt[choice.turn] = choice
    for of_prompt in opinions.values():
        liked = [choice for choice in of_prompt.values() if choice.kind == "good"]
        disliked = [choice for choice in of_prompt.values() if choice.kind == "bad"]
        for pair in itertools.product(liked, disliked):
            yield from _row(*pair)


def _row(liked: Choice, disliked: Choice) -> Iterator[dict[str, Any]]:
    """The columns behind the answers are provenance: `data validate` and training keep them as metadata."""
    chosen, rejected = liked.chosen or "", disliked.rejected or ""
    if chosen == rejected or not chosen.strip() or not rejected.strip():
        return
    pair = [liked] if liked is disliked else [liked, disliked]
    made = liked.made.get("chosen", liked.made)
    yield {
        "id": "-".join(["chat", str(liked.conversation), *(str(choice.id) for choice in pair)]),
        "prompt": [dict(turn) for turn in liked.prompt],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        "kind": liked.kind,
        "reason": " / ".join(choice.reason for choice in pair if choice.reason),
        "model": made.get("model", ""),
        "adapter": made.get("adapter", ""),
        "template": made.get("template", ""),
        "created": liked.created,
    }
