"""Personal data: a model repeats what it has learned, a telephone number too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record
from llmops_cli.safety.personal_data import find

ID = "personal_data"
SEVERITY = "warning"
ABOUT = "telephone numbers, registration and account numbers, addresses and the like"
FIX = "llmops data mask PATH -o OUT.jsonl"
FAST = False


def start(params: None) -> Check:
    return _personal


def _personal(record: Record) -> Iterator[str]:
    kinds = Counter(found.kind for text in record.contents() for found in find(text))
    if kinds:
        yield ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
