"""Which scripts a text is written in."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

_HANGUL = "가-힣ㄱ-ㆎ\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uffa0-\uffdc"
_HANGUL_RUN = re.compile(f"[{_HANGUL}]+")
# Alphanumeric for `re`, and no letters: ①, Ⅱ, ½.
_NUMERALS = (
    "²³¹¼-¾\u2070-\u209c\u2150-\u218b\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3007"
    "\u3220-\u3229\u3251-\u325f\u3280-\u3289"
)
_LETTER_BUT_HANGUL = rf"^\W\d_{_NUMERALS}{_HANGUL}"
_OTHER_LETTERS = re.compile(f"[{_LETTER_BUT_HANGUL}]+")
_LATIN_AND_GREEK = (
    "A-Za-zªµº\u00c0-\u02ff\u0370-\u03ff\u1d00-\u1dbf\u1e00-\u1fff\u2100-\u214f\u2c60-\u2c7f\ua720-\ua7ff"
    "\ufb00-\ufb06\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff"
)
SLIP = re.compile(f"[{_LETTER_BUT_HANGUL}{_LATIN_AND_GREEK}]+")
"""A run of letters that are neither Hangul, Latin nor Greek."""
_GLOSS = re.compile(r"(?<=\w)['\"’”」』》]?[(（\[〔][^()（）\[\]〔〕가-힣\n]{1,30}[)）\]〕]")

_RANGES = {
    "han": "\u2e80-\u2fdf\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "kana": "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "cyrillic": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe",
    "hebrew": "\u0590-\u05ff\ufb1d-\ufb4f",
    "indic": "\u0900-\u0dff",
    "thai": "\u0e00-\u0e7f",
    "georgian_armenian": "\u0530-\u058f\u10a0-\u10ff",
}
_FOREIGN_RUN = re.compile(f"[{''.join(_RANGES.values())}]+")
_SCRIPTS = {script: re.compile(f"[{ranges}]") for script, ranges in _RANGES.items()}

HANGUL, OTHER, FOREIGN = 1, 2, 3
"""What :func:`script_classes` tells apart: Hangul, letters of `foreign_scripts`, and all other letters."""


@cache
def script_classes() -> NDArray[np.uint8]:
    """HANGUL, OTHER, FOREIGN, or 0 for what is no letter, of each code point up to U+FFFF.

    The entry behind them stands for all beyond: FOREIGN, though most of those in use are emoji.
    """
    text = "".join(map(chr, range(0x10000)))
    classes = np.full(len(text) + 1, FOREIGN, dtype=np.uint8)
    classes[:-1] = 0
    for script, pattern in ((OTHER, _OTHER_LETTERS), (HANGUL, _HANGUL_RUN), (FOREIGN, _FOREIGN_RUN)):
        for found in pattern.finditer(text):
            classes[found.start() : found.end()] = script
    return classes


def letters(text: str) -> tuple[int, int]:
    """How many letters are Hangul, jamo of every block included, and how many are of another script.

    Digits, punctuation and emoji are no letters.
    """
    hangul = sum(map(len, _HANGUL_RUN.findall(text)))
    return hangul, sum(map(len, _OTHER_LETTERS.findall(text)))


def hangul_share(text: str) -> float:
    """Hangul letters among all letters, 0.0 to 1.0; 1.0 for a text without letters, which is in no other language."""
    hangul, others = letters(text)
    return hangul / (hangul + others) if hangul + others else 1.0


def foreign_scripts(text: str) -> dict[str, int]:
    """Letters of each script but Hangul and Latin: `{"han": 3, "kana": 1}`. Greek is left out: α and π are symbols."""
    found = "".join(_FOREIGN_RUN.findall(text))
    if not found:
        return {}
    counts = {script: len(letter.findall(found)) for script, letter in _SCRIPTS.items()}
    return {script: count for script, count in counts.items() if count}


def foreign_slips(text: str) -> list[str]:
    """Runs of letters that are neither Hangul nor Latin, where no bracket explains the word before it: 작가(作家).

    Greek is left out: α and π are symbols.
    """
    return SLIP.findall(_GLOSS.sub("", text)) if SLIP.search(text) else []
