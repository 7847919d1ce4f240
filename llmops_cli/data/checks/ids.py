"""Ids that stand more than once: scores, corrections and lineage cannot tell such records apart."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_cli.data.checks import duplicates
from llmops_cli.data.near_duplicates import digests
from llmops_cli.data.records import Record
from llmops_cli.text.shingles import Hashes

ID = "ids"
SEVERITY = "warning"
ABOUT = "ids that stand more than once"
FIX = "llmops data convert PATH -o OUT.jsonl numbers them"
FAST = True


def collect(records: Sequence[Record], params: None = None) -> Hashes:
    """A digest of each id, [records]."""
    return digests(record.id for record in records)


class Judge(duplicates.Judge):
    """Of records with one id each but the first is a finding. Held-out records are not looked at."""

    what = "the id of {}"
