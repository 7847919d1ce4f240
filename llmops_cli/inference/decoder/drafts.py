"""Guessing the next tokens from the text so far, where a sequence repeats itself."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_cli.inference.config import Precision

MATCH = 4
"""Tokens that must have been there before."""
SHORTEST, LONGEST = 3, 15
FIRST_CREDIT, CREDIT_OF_A_TOKEN, MOST_CREDIT = 1.0, 0.02, 3.0
DENSE_COST = (0.5, 0.05)
COSTS: dict[Precision, tuple[float, float]] = {"int8": (0.0, 0.15), "int4": (0.0, 0.3)}
"""What a draft adds to a forward pass, in passes of one token as measured on a CPU: once, and for each of its tokens.

A dense product of one row is a faster kind of product than one of several; the quantized kernels compute more with
every row.
"""


class PromptLookup:
    """Drafts after Saxena 2023, "Prompt Lookup Decoding": what followed the last tokens when they were there before.

    Drafting has to pay for itself. It starts with the credit of one pass and may lose a fiftieth of the plain time
    besides; what accepted drafts have saved can be risked again.
    """

    def __init__(self, precision: Precision) -> None:
        self._pass_cost, self._token_cost = COSTS.get(precision, DENSE_COST)
        self._followed_at: dict[tuple[int, ...], int] = {}
        self._indexed = MATCH
        self._length = SHORTEST
        self._credit = FIRST_CREDIT

    def propose(self, ids: Sequence[int], most: int) -> list[int]:
        """Up to `most` tokens that may follow `ids`; empty where nothing matches or drafting did not pay."""
        for end in range(self._indexed, len(ids)):
            self._followed_at[tuple(ids[end - MATCH : end])] = end
        self._indexed = max(self._indexed, len(ids))
        affordable = int((self._credit - self._pass_cost) / self._token_cost)
        length = min(self._length, most, affordable)
        if length < 1:
            return []
        start = self._followed_at.get(tuple(ids[-MATCH:]))
        if start is None:
            return []
        followed = list(ids[start : start + length])
        return [followed[place % len(followed)] for place in range(length)]

    def settle(self, drafted: int, accepted: int) -> None:
        """Tell what became of a proposal; a pass without one is (0, 0)."""
        self._credit += CREDIT_OF_A_TOKEN
        if drafted:
            self._credit += accepted - self.cost(drafted)
            self._length = min(2 * drafted, LONGEST) if accepted == drafted else max(accepted, SHORTEST)
        self._credit = min(self._credit, MOST_CREDIT)

    def cost(self, drafted: int) -> float:
        """What a draft of so many tokens takes, in passes of one token."""
        return self._pass_cost + self._token_cost * drafted if drafted else 0.0
