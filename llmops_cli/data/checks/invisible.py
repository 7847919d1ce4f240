"""Characters that nobody sees: they split words for a tokenizer and for every comparison, and can hide a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "invisible"
SEVERITY = "warning"
ABOUT = "zero-width characters, writing-direction marks, Hangul fillers, hidden tag characters"
FIX = "llmops data convert PATH -o OUT.jsonl --fix invisible"
FAST = True

# A zero-width joiner between two emoji and tags after a black flag (Scotland) are part of one picture.
_TAGS = "\U000e0001\U000e0020-\U000e007f"
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\uffa0"
    f"{_TAGS}](?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]\u200d)(?<![\U0001f3f4{_TAGS}][{_TAGS}])[{_TAGS}]*"
)

TRACE = _INVISIBLE


def start(params: None) -> Check:
    return _hidden


def _hidden(record: Record) -> Iterator[str]:
    found = "".join(run for text in record.contents() for run in _INVISIBLE.findall(text))
    if found:
        yield f"{len(found)} invisible characters, the first U+{ord(found[0]):04X}"


def repair(text: str) -> str:
    return _INVISIBLE.sub("", text)
