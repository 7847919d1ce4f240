"""Records that are nearly the same as one before: reworded copies, other spacing, another system message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.checks import duplicates
from llmops_cli.data.near_duplicates import NearDuplicates, Signatures, originals, signatures_of
from llmops_cli.data.records import Record
from llmops_cli.text.minhash import bands_for
from llmops_cli.text.shingles import Hashes

ID = "near_duplicates"
SEVERITY = "warning"
ABOUT = "records that are nearly the same as one before"
FIX = "llmops data dedup PATH -o OUT.jsonl"
FAST = False


class Params(StrictModel):
    threshold: float = Field(
        default=0.8, ge=0.5, le=1, description="Jaccard similarity of character 5-grams from which records are alike"
    )


class Evidence(NamedTuple):
    """Of a batch: what near-duplicates are found by, and what exact copies are."""

    signatures: Signatures
    exact: Hashes


def collect(records: Sequence[Record], params: Params) -> Evidence:
    """Texts, band keys and digests of a batch."""
    return Evidence(signatures_of(records, bands_for(params.threshold)), duplicates.collect(records))


class Judge:
    """A record is a finding when one before it is alike; the most alike is named.

    Exact copies are left to the check `duplicates`, held-out records to `leakage`.
    """

    def __init__(self, params: Params) -> None:
        self._start = 0
        self._exact: list[Hashes] = []
        self._near = NearDuplicates(params.threshold)

    def add(self, first: int, evidence: Evidence, *, held_out: bool) -> None:
        if held_out:
            return
        if not self._exact:
            self._start = first
        self._exact.append(evidence.exact)
        self._near.add(evidence.signatures)

    def findings(self, where: Callable[[int], str]) -> Iterator[tuple[int, str]]:
        if not self._exact:
            return
        original = originals(np.concatenate(self._exact))
        similarity = np.zeros(len(original))
        like = np.zeros(len(original), dtype=np.int64)
        for earlier, later, jaccard in self._near.pairs():
            if jaccard > similarity[later] and original[later] == later:
                similarity[later], like[later] = jaccard, earlier
        for record in np.flatnonzero(similarity).tolist():
            what = f"{int(100 * similarity[record])} % like {where(self._start + int(like[record]))}"
            yield self._start + record, what
