"""Character codes (C001) that no name has replaced: a model would learn to write them."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.names import CODE
from llmops_cli.data.records import Record

ID = "story_codes"
SEVERITY = "warning"
ABOUT = "character codes (C001) in the place of names"
FIX = "llmops data convert PATH -o OUT.jsonl --set names.C001=NAME"
FAST = True
TRACE = CODE


def start(params: None) -> Check:
    return _leftover


def _leftover(record: Record) -> Iterator[str]:
    found = sorted({code for text in record.contents() for code in CODE.findall(text)})
    if found:
        yield f"story codes without a name: {', '.join(found[:5])}"
