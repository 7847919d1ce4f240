"""The texts of many records as one, so that what is rare is looked for once and not record by record."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from llmops_cli.data.records import Record

BORDER = "\n"
"""Stands behind each record."""


class Contents:
    """All contents of a batch of records, joined; or only their answers, for those who judge what is learned."""

    def __init__(self, records: Sequence[Record], *, answers: bool = False) -> None:
        self._records = records
        texts = [BORDER.join(record.answers() if answers else record.contents()) for record in records]
        self.text = BORDER.join([*texts, ""])
        self.starts = [0, *accumulate(len(text) + len(BORDER) for text in texts)]

    @cached_property
    def answers(self) -> Contents:
        """The answers of the same records."""
        return Contents(self._records, answers=True)

    @cached_property
    def code_points(self) -> NDArray[np.uint32]:
        """The code points of the text, [characters]."""
        return np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype="<u4")

    def matching(self, pattern: re.Pattern[str]) -> Iterator[int]:
        """The numbers of the records in which, or across whose border, `pattern` is found."""
        at = 0
        while match := pattern.search(self.text, at):
            number = bisect_right(self.starts, match.start()) - 1
            yield number
            at = self.starts[number + 1]
            if match.end() > at:
                yield number + 1

    def sums(self, values: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the values, one for each character, are true in each record, [records]."""
        if len(self.starts) == 1:
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(values, self.starts[:-1], dtype=np.int64)
