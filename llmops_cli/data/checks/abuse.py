"""Profanity, slurs and threats: a model writes as it was written to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.contents import Contents
from llmops_cli.data.records import Record
from llmops_cli.safety.abuse import abuse, patterns

ID = "abuse"
SEVERITY = "warning"
ABOUT = "profanity, slurs against a group and threats, disguised spellings included; a list, and not complete"
FIX = "leave the record out, unless a character of a story may speak so"
FAST = True


def start(params: None) -> Check:
    return _abusive


def suspects(contents: Contents, params: None) -> Iterator[int]:
    """Records in which one of the patterns is found."""
    yield from sorted({number for pattern in patterns().values() for number in contents.matching(pattern)})


def _abusive(record: Record) -> Iterator[str]:
    kinds = Counter(found.kind for text in record.contents() for found in abuse(text))
    if kinds:
        yield ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
