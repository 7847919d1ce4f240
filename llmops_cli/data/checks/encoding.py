"""Traces of a lost encoding: replacement characters (U+FFFD), control characters, and mojibake."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record
from llmops_cli.text.mojibake import MOJIBAKE, mojibake, repaired

ID = "encoding"
SEVERITY = "error"
ABOUT = "replacement characters (U+FFFD), control characters, text read in the wrong encoding"
FIX = "read the original with --set encoding=cp949; if it is lost: llmops data convert PATH -o OUT.jsonl --fix encoding"
FAST = True

_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")

TRACE = re.compile(f"{_BROKEN.pattern}|{MOJIBAKE.pattern}")


def start(params: None) -> Check:
    return _broken


def _broken(record: Record) -> Iterator[str]:
    texts = record.contents()
    kinds = {kind for text in texts if (kind := mojibake(text))}
    if kinds:
        yield f"mojibake: {', '.join(sorted(kinds))}"
    found = [char for text in texts for char in _BROKEN.findall(text)]
    if found and not any("Latin-1" in kind for kind in kinds):  # these have control characters of their own
        yield f"{len(found)} broken characters, the first U+{ord(found[0]):04X}"


def repair(text: str) -> str:
    return repaired(text) or text
