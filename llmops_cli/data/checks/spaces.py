"""Spaces and line breaks that look like the plain ones and are others: words and lines no longer compare equal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "spaces"
SEVERITY = "warning"
ABOUT = "no-break, ideographic and other wide or narrow spaces, carriage returns, Unicode line separators"
FIX = "llmops data convert PATH -o OUT.jsonl --fix spaces"
FAST = True

_SPACE = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_LINE = "\r\n?|[\u0085\u2028\u2029]"
_ODD = re.compile(f"{_SPACE}|{_LINE}")

TRACE = _ODD


def start(params: None) -> Check:
    return _odd


def _odd(record: Record) -> Iterator[str]:
    found = [char for text in record.contents() for char in _ODD.findall(text)]
    if found:
        yield f"{len(found)} odd spaces or line breaks, the first U+{ord(found[0][0]):04X}"


def repair(text: str) -> str:
    return re.sub(_SPACE, " ", re.sub(_LINE, "\n", text))
