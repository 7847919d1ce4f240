"""Few-shot examples: those nearest to what is asked, as many as a budget of tokens holds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from llmops_cli.prompts.config import Value
from llmops_cli.prompts.template import Turn
from llmops_cli.text.ngrams import ngrams

CountTokens = Callable[[Sequence[Turn]], int]
"""Tokens of turns as a model sees them, its chat template around them."""


class Shot(NamedTuple):
    """An example: a user's turn and its answer; `about` is what nearness to a request is measured on."""

    user: str
    assistant: str
    about: str

    @property
    def turns(self) -> list[Turn]:
        """The two turns."""
        return [{"role": "user", "content": self.user}, {"role": "assistant", "content": self.assistant}]


def choose(
    shots: Iterable[Shot], request: str, count_tokens: CountTokens | None = None, budget: int | None = None
) -> list[Turn]:
    """The turns of the examples that fit, the one nearest to the request last, where a small model heeds it most.

    The nearest example is taken first, of equally near ones that which stands first; one that does not fit is passed
    over. The same request and budget choose the same examples.

    Args:
        shots: the examples, in the order of their file.
        request: what is asked.
        count_tokens: needed where there is a budget.
        budget: most tokens of all turns together; None for no limit.

    Raises:
        ValueError: a budget, and nothing that counts.
    """
    if budget is not None and count_tokens is None:
        raise ValueError("a budget of tokens needs count_tokens")
    wanted = bigrams(request)
    chosen: list[Turn] = []
    for shot in sorted(shots, key=lambda shot: -overlap(wanted, bigrams(shot.about))):
        longer = [*shot.turns, *chosen]
        if budget is None or count_tokens is None or count_tokens(longer) <= budget:
            chosen = longer
    return chosen


def bigrams(text: str) -> set[tuple[Hashable, ...]]:
    """The pairs of neighbouring characters of a text, white space left out."""
    return set(ngrams("".join(text.split()), 2))


def overlap(left: set[tuple[Hashable, ...]], right: set[tuple[Hashable, ...]]) -> float:
    """What two sets share, 0 to 1 (Dice 1945): it does not prefer the longer text."""
    total = len(left) + len(right)
    return 2 * len(left & right) / total if total else 0.0


def joined(values: Mapping[str, Value]) -> str:
    """The texts of values, a line each."""
    return "\n".join(" ".join(value) if isinstance(value, list) else str(value) for value in values.values())
