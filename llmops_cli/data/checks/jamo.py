"""Jamo that fell out of their syllables: conjoining ones alone, or a word spelled in the keyboard's (ㅇㅏㄴㄴㅕㅇ)."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record
from llmops_cli.text.jamo import LOOSE_JAMO, lone_jamo, torn_syllables, with_compatibility_jamo

ID = "jamo"
SEVERITY = "warning"
ABOUT = "conjoining jamo outside of syllables, words torn into jamo; ㅋㅋ, ㅠㅠ and ㅇㅈ are right as they are"
FIX = "llmops data convert PATH -o OUT.jsonl --fix jamo makes lone jamo the keyboard's; write torn words anew"
FAST = True
TRACE = LOOSE_JAMO


def start(params: None) -> Check:
    return _loose


def _loose(record: Record) -> Iterator[str]:
    texts = record.contents()
    lone = [jamo for text in texts for jamo in lone_jamo(text)]
    if lone:
        yield f"{len(lone)} lone conjoining jamo, the first U+{ord(lone[0]):04X}"
    torn = [run for text in texts for run in torn_syllables(text)]
    if torn:
        yield f"{len(torn)} words torn into jamo, the first {torn[0][:12]}"


def repair(text: str) -> str:
    return with_compatibility_jamo(text)
