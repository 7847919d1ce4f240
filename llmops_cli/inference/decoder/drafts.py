"""Guessing the next tokens from the text so far, where a sequence repeats itself."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_cli.inference.config import Precision

SHORTEST_MATCH, LONG_MATCH = 4, 8
"""Tokens that must have been there before, and how many of them make a copy likely."""
SHORTEST, LONGEST = 3, 15
"""Tokens of a draft; with the token before them they fill the kernels' blocks of four rows."""
FIRST_CREDIT, CREDIT_OF_A_TOKEN, MOST_CREDIT = 1.1, 0.01, 3.0
DEBT = 2.5
"""How far a long match may overdraw the credit."""
DENSE_COST = (0.8, 0.08)
COSTS: dict[Precision, tuple[float, float]] = {"int8": (0.0, 0.2), "int4": (0.0, 0.3)}
"""What a draft adds to a forward pass, in passes of one token as measured on a CPU: once, and for each of its tokens.

A dense product of one row is a faster kind of product than one of several; the quantized kernels compute more with
every row.
"""


class PromptLookup:
    """Drafts after Saxena 2023, "Prompt Lookup Decoding": what followed the last tokens when they were there before.

    As many tokens are guessed as were found again, and drafting has to pay for itself: it has the credit of about a
    pass and of 1 % of the plain time, and what accepted drafts have saved can be risked again.
    """

    def __init__(self, precision: Precision) -> None:
        self._pass_cost, self._token_cost = COSTS.get(precision, DENSE_COST)
        self._followed_at: dict[tuple[int, ...], int] = {}
        self._indexed = SHORTEST_MATCH
        self._credit = FIRST_CREDIT

    def propose(self, ids: Sequence[int], most: int) -> list[int]:
        """Up to `most` tokens that may follow `ids`; empty where nothing matches or drafting did not pay."""
        for end in range(self._indexed, len(ids)):
            self._followed_at[tuple(ids[end - SHORTEST_MATCH : end])] = end
        self._indexed = max(self._indexed, len(ids))
        start = self._followed_at.get(tuple(ids[-SHORTEST_MATCH:]))
        if start is None:
            return []
        matched = _matched(ids, start)
        credit = self._credit + (DEBT if matched >= LONG_MATCH else 0)
        length = min(matched, most, int((credit - self._pass_cost) / self._token_cost))
        if length < min(SHORTEST, most):
            return []
        followed = list(ids[start : start + length])
        return [followed[place % len(followed)] for place in range(length)]

    def settle(self, drafted: int, accepted: int) -> None:
        """Tell what became of a proposal; a pass without one is (0, 0)."""
        self._credit = min(self._credit + CREDIT_OF_A_TOKEN + accepted - self.cost(drafted), MOST_CREDIT)

    def cost(self, drafted: int) -> float:
        """What a draft of so many tokens takes, in passes of one token."""
        return self._pass_cost + self._token_cost * drafted if drafted else 0.0


def _matched(ids: Sequence[int], start: int) -> int:
    """How many of the last tokens, at most LONGEST, were there before `start` too."""
    matched = SHORTEST_MATCH
    while matched < min(LONGEST, start) and ids[start - 1 - matched] == ids[-1 - matched]:
        matched += 1
    return matched
