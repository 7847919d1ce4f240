"""Jamo outside of syllables: torn text, or on purpose (ㅋㅋ, ㅠㅠ, old spelling)."""

from __future__ import annotations

import re

_LEAD, _VOWEL, _TAIL = "\u1100-\u115e\ua960-\ua97c", "\u1161-\u11a7\ud7b0-\ud7c6", "\u11a8-\u11ff\ud7cb-\ud7fb"
_CONJOINING = re.compile(f"[{_LEAD}{_VOWEL}{_TAIL}]")
# After NFC a lead with its vowel is a syllable of old spelling, for which there is no single character.
_LONE = re.compile(f"[{_LEAD}]+[{_VOWEL}]+[{_TAIL}]*|([{_LEAD}{_VOWEL}{_TAIL}])")
_TORN = re.compile("[ㄱ-ㅎ][ㅏ-ㅣ][ㄱ-ㅎ]{0,2}(?:[ㄱ-ㅎ][ㅏ-ㅣ][ㄱ-ㅎ]{0,2})+")
_SPOKEN = re.compile("[ㅏ-ㅣ](?<![ㅜㅠㅡ])")  # the others are eyes: ㅠㅅㅠ

_COMPATIBILITY = {
    **{0x1100 + index: jamo for index, jamo in enumerate("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ")},
    **{0x1161 + index: chr(0x314F + index) for index in range(21)},
    **{0x11A8 + index: jamo for index, jamo in enumerate("ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")},
}

LOOSE_JAMO = re.compile(f"{_CONJOINING.pattern}|[ㄱ-ㅎ][ㅏ-ㅣ]")
"""What neither lone jamo nor torn syllables are without."""


def lone_jamo(text: str) -> list[str]:
    """Conjoining jamo (U+1100 to U+11FF and extensions) of NFC text that belong to no syllable.

    NFKC leaves them behind: it turns ㅋ (U+314B) into U+110F. Syllables of old spelling are none.
    """
    return [jamo for jamo in _LONE.findall(text) if jamo] if _CONJOINING.search(text) else []


def torn_syllables(text: str) -> list[str]:
    """Runs of compatibility jamo that spell syllables (ㅇㅏㄴㄴㅕㅇ); ㅋㅋ, ㅇㅈ and ㅠㅅㅠ do not."""
    return [run for run in _TORN.findall(text) if _SPOKEN.search(run)]


def with_compatibility_jamo(text: str) -> str:
    """`text` with its lone modern jamo as compatibility jamo, the characters that a keyboard types."""
    if not _CONJOINING.search(text):
        return text
    return _LONE.sub(lambda found: found.group().translate(_COMPATIBILITY) if found.group(1) else found.group(), text)
