"""Conjoining jamo (U+1100 to U+11FF) outside a syllable: torn text, or old spelling. ㅋㅋ is another
block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "jamo"
SEVERITY = "warning"

_CONJOINING = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")


def start() -> Check:
    return _loose


def _loose(record: Record) -> Iterator[str]:
    found = [char for text in record.contents() for char in _CONJOINING.findall(text)]
    if found:
        yield f"{len(found)} lone conjoining jamo, the first U+{ord(found[0]):04X}"
