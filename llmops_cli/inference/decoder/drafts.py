"""Guessing the next tokens from the text so far, where a sequence repeats itself."""

from __future__ import annotations

from collections.abc import Sequence

MATCH = 3
"""Tokens that must have been there before."""
LONGEST = 16
SHORTEST = 3
STEP_COST, TOKEN_COST = 0.5, 0.15
"""What a draft adds to a forward pass, in passes of one token, measured on a CPU: once, and for each drafted token."""
FIRST_CREDIT, CREDIT_OF_A_TOKEN, MOST_CREDIT = 1.0, 0.02, 3.0


class PromptLookup:
    """Drafts after Saxena 2023, "Prompt Lookup Decoding": what followed the last tokens when they were there before.

    Drafting has to pay for itself. It starts with the credit of one pass and may lose a fiftieth of the plain time
    besides; what accepted drafts have saved can be risked again.
    """

    def __init__(self) -> None:
        self._followed_at: dict[tuple[int, ...], int] = {}
        self._indexed = MATCH
        self._length = SHORTEST
        self._credit = FIRST_CREDIT

    def propose(self, ids: Sequence[int], most: int) -> list[int]:
        """Up to `most` tokens that may follow `ids`; empty where nothing matches or drafting did not pay."""
        for end in range(self._indexed, len(ids)):
            self._followed_at[tuple(ids[end - MATCH : end])] = end
        self._indexed = max(self._indexed, len(ids))
        length = min(self._length, most)
        if length < 1 or self._credit < STEP_COST + TOKEN_COST * length:
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
            self._credit += accepted - STEP_COST - TOKEN_COST * drafted
            self._length = min(2 * drafted, LONGEST) if accepted == drafted else max(accepted, SHORTEST)
        self._credit = min(self._credit, MOST_CREDIT)
