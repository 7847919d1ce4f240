"""Text that was not NFC in its file. Reading normalises it; other programs that read the file may not."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "normalisation"
SEVERITY = "warning"
ABOUT = "decomposed text (NFD), as macOS leaves it: 한 in two or three characters"
FIX = "llmops data convert PATH -o OUT.jsonl"
FAST = True


def start(params: None) -> Check:
    return _decomposed


def _decomposed(record: Record) -> Iterator[str]:
    if record.denormalised:
        yield "the file has decomposed text (NFD); it is read as NFC"
