"""Characters of no width: they split words for a tokenizer and for every comparison, and nobody sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "invisible"
SEVERITY = "warning"

# A zero-width joiner between two emoji is part of one picture.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff]|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"
)


def start() -> Check:
    return _hidden


def _hidden(record: Record) -> Iterator[str]:
    found = [char for text in record.contents() for char in _INVISIBLE.findall(text)]
    if found:
        yield f"{len(found)} zero-width characters, the first U+{ord(found[0]):04X}"
