"""Characters that no writer typed: what an encoding, a tokenizer or a cut between bytes left behind."""

from __future__ import annotations

import re
from typing import Literal

from llmops_cli.text.jamo import LOOSE_JAMO, lone_jamo, torn_syllables
from llmops_cli.text.mojibake import MOJIBAKE, mojibake

Damage = Literal["lost character", "lone surrogate", "control character", "lone jamo", "torn syllables", "mojibake"]

_SINGLE: dict[Damage, str] = {
    "lost character": "\ufffd",
    "lone surrogate": "\ud800-\udfff",
    "control character": "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f",
}
_ANY_SINGLE = re.compile(f"[{''.join(_SINGLE.values())}]")
_KINDS = {damage: re.compile(f"[{characters}]") for damage, characters in _SINGLE.items()}


def broken_characters(text: str) -> dict[Damage, list[str]]:
    """What is broken in NFC text, by kind; each character is counted once.

    Of a line that is mojibake these are the words that show it. ㅋㅋ, ㅠㅠ and ㅇㅈ are no torn syllables.
    """
    found: dict[Damage, list[str]] = {}
    if MOJIBAKE.search(text):
        garbled = [
            word for line in text.splitlines() if mojibake(line) for word in line.split() if MOJIBAKE.search(word)
        ]
        if garbled:
            found["mojibake"] = garbled
            for word in garbled:
                text = text.replace(word, "", 1)
    if _ANY_SINGLE.search(text):
        found |= {damage: hits for damage, kind in _KINDS.items() if (hits := kind.findall(text))}
    if LOOSE_JAMO.search(text):
        jamo: dict[Damage, list[str]] = {"lone jamo": lone_jamo(text), "torn syllables": torn_syllables(text)}
        found |= {damage: hits for damage, hits in jamo.items() if hits}
    return found
