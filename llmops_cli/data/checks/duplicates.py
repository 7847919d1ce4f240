"""Records with exactly the same roles and contents as one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from llmops_cli.data.near_duplicates import digests, originals
from llmops_cli.data.records import Record
from llmops_cli.text.shingles import Hashes

ID = "duplicates"
SEVERITY = "warning"
ABOUT = "records that are the same as one before, character for character"
FIX = "llmops data dedup PATH -o OUT.jsonl"
FAST = True


def collect(records: Sequence[Record], params: None = None) -> Hashes:
    """A digest of each record, [records]."""
    return digests("\0".join([*(role for role, _ in record.messages), *record.contents()]) for record in records)


class Judge:
    """Of equal records each but the first is a finding. Held-out records are not looked at."""

    what = "the same as {}"

    def __init__(self, params: None = None) -> None:
        self._start = 0
        self._digests: list[Hashes] = []

    def add(self, first: int, evidence: Hashes, *, held_out: bool) -> None:
        if held_out:
            return
        if not self._digests:
            self._start = first
        self._digests.append(evidence)

    def findings(self, where: Callable[[int], str]) -> Iterator[tuple[int, str]]:
        if not self._digests:
            return
        original = originals(np.concatenate(self._digests))
        for copy in np.flatnonzero(original != np.arange(len(original))).tolist():
            yield self._start + copy, self.what.format(where(self._start + int(original[copy])))
