"""Josa that disagree with a name or placeholder (민준는), as replacing names carelessly leaves them behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from llmops_cli.data.checks import Check
from llmops_cli.data.names import GIVEN_NAMES
from llmops_cli.data.records import Record
from llmops_cli.text.agreement import disagreements

ID = "josa"
SEVERITY = "warning"
ABOUT = "wrong josa after given names, speakers, names in metadata.names, and placeholders ([이름]는)"
FIX = "correct the josa; llmops data convert and llmops data mask choose the right one when they replace names"
FAST = False

_SPEAKER = re.compile(r"(?:^|\n)([가-힣]{2,5}): ")


def start(params: None) -> Check:
    return _disagreeing


def _disagreeing(record: Record) -> Iterator[str]:
    text = "\n".join(record.contents())
    found = dict(disagreements(text, GIVEN_NAMES))
    if names := _names(record, text):
        found |= disagreements(text, names)
    if found:
        yield "; ".join(f"{wrong}, want {right}" for wrong, right in list(found.items())[:5])


def _names(record: Record, text: str) -> list[str]:
    """Names that the record itself tells: of its metadata, and of those who speak more than once (`NAME: `)."""
    known = record.metadata.get("names")
    told = known.values() if isinstance(known, Mapping) else known if isinstance(known, list) else ()
    speakers = Counter(_SPEAKER.findall(text)) if ": " in text else Counter[str]()
    spoken = (name for name, times in speakers.items() if times > 1)
    return sorted({name for name in (*told, *spoken) if isinstance(name, str) and len(name) > 1})
