"""Traces of a lost encoding: replacement characters (U+FFFD) and control characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "encoding"
SEVERITY = "error"

_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


def start() -> Check:
    return _broken


def _broken(record: Record) -> Iterator[str]:
    found = [char for text in record.contents() for char in _BROKEN.findall(text)]
    if found:
        yield f"{len(found)} broken characters, the first U+{ord(found[0]):04X}"
