"""Digits as people write and disguise them, read as figures with the place of each.

Two steps, neither of which changes the text itself: `fold` turns compatibility forms into ASCII on a shadow of the
whole text, `read` reads one run of digits, whatever they are written with, as figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from llmops_cli.text.josa import final_class

_ZERO_WIDTH = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u20e3"
# Superscripts, digits of other scripts, subscripts, enclosed, ideographic space, small, full-width, mathematical.
_COMPATIBILITY = (
    *((0xB2, 0xB3), (0xB9, 0xB9), (0x660, 0x669), (0x6F0, 0x6F9), (0x966, 0x96F), (0x2070, 0x209C), (0x2460, 0x24FF)),
    *((0x2776, 0x2793), (0xFE50, 0xFE6B), (0xFF01, 0xFF5E), (0x1D400, 0x1D7FF), (0x1F100, 0x1F10A)),
)
_COMPATIBLE = re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _COMPATIBILITY)}]")
_INVISIBLE = re.compile(f"[{_ZERO_WIDTH}]+")
_FOLDABLE = re.compile(f"{_COMPATIBLE.pattern[:-1]}{_ZERO_WIDTH}]")

_SPOKEN = {
    **dict.fromkeys("공영빵〇零", "0"),
    **dict(zip("일이삼사오육칠팔구", "123456789", strict=True)),
    **dict(zip("一二三四五六七八九", "123456789", strict=True)),
    "륙": "6",
    "둘": "2",
}
_LOOK_ALIKE = {
    **dict.fromkeys("OoQОоΟοㅇ", "0"),
    **dict.fromkeys("lIi|ㅣ│∣ⅠІі", "1"),
    "Z": "2",
    "S": "5",
    "B": "8",
}
MASKS = "*∗⁎✱✻×✕✖#●○◯◎◉■□▲△▒░█★☆•"
"""Signs that hide what stands there."""
_HIDDEN = f"{MASKS}xX"
# Marks that hide digits only where several of them, or one in a group, stand among digits: 02-123-????, 12-3_-123456.
_COVERS = re.compile(
    r"[?_·…](?<![?_·…].)(?!(?<=[0-9].)[_·…]*[0-9])"
    r"(?:(?:(?<=[0-9].)|(?<=[0-9]-.)|(?<=[0-9][A-Z].))(?:[?_·…]+|(?=-[0-9?_·…]|번지|호)|(?<=-[0-9].))|[?_·…]+(?=-?[0-9]))"
)
_CIRCLES = dict.fromkeys(map(ord, "○◯"), "O")
DIGIT_LIKE = re.escape("0123456789" + "".join(_SPOKEN) + "".join(_LOOK_ALIKE) + _HIDDEN)
DASHES = (
    "\\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58"
    "\u2043\u207b\u208b\u2212\u02d7\u2796~〜∼⁓ㅡー─━‾_"
)
BRACKETS = dict(zip("([{<「『〔【《〈", ")]}>」』〕】》〉", strict=True))
SEPARATOR = rf"\s{DASHES}.,:;=^/\\·ㆍ・‧∙⋅･․ᆞ{re.escape(''.join([*BRACKETS, *BRACKETS.values()]))}"
_SPOKEN_DASH = "에|다시|대시|하이픈"
RUN = re.compile(
    rf"[{DIGIT_LIKE}](?:[{SEPARATOR}]{{0,6}}+(?:(?:{_SPOKEN_DASH})[{SEPARATOR}]{{0,3}}+)?[{DIGIT_LIKE}]){{7,}}+"
)
# 010*1234*5678, 010|1234|5678: signs that otherwise hide a digit, or look like one.
_SIGN_BETWEEN_GROUPS = re.compile(r"(?<=[0-9])[*|xX×#•│∣](?=[0-9])")
_DIGIT_WITH_GAP = re.compile(rf"([^{DIGIT_LIKE}]*)([{DIGIT_LIKE}])")
_LATIN_AT_START, _LATIN_AT_END = re.compile(r"[A-Za-z]+"), re.compile(r"[A-Za-z]+$")
# Syllables that are digits elsewhere, at the beginning of what follows a number: 5678이에요, 5678 이게.
_ENDING = re.compile(
    r"이(?:에요|예요|[야고라며나랑든다었지죠요니래란네면어거잖자군세던]|구[요나])|일(?:까|지|거|걸|텐|듯|수|세)|구요"
)
_ENDING_OR_JOSA = re.compile(rf"{_ENDING.pattern}|이(?![가-힣])")
_WORD = re.compile(
    r"이(?:[게거건걸번제런렇쪽후전분]|름|메일)|일(?:단|반|정|어)|사(?:실|진|용|람|무|업)|오(?:늘|전|후)"
    r"|구(?:매|입|글)|영(?:업|화|수)|공(?:유|지|식)|삼(?:성|촌)"
)
_LONGEST = 20
_FEWEST_SPREAD = 8


class Reading(NamedTuple):
    """A run of digits in any writing. The four sequences have one element a digit."""

    digits: str
    """0-9, and * for a digit that is hidden."""
    places: list[int]
    """Offsets in the text."""
    sources: str
    """f: a figure, h: a spoken digit, l: a letter that looks like one, m: a mask."""
    gaps: list[str]
    """What stands between this digit and the one before, empty for nothing."""


def fold(text: str) -> tuple[str, Sequence[int] | None]:
    """`text` with full-width, circled and other forms of ASCII characters as ASCII, and no zero-width characters.

    Question marks, low lines and dots that stand for digits become `*`.

    Also returns where each remaining character stands in `text`, or None where all stand where they stood.
    """
    folded = text
    if _FOLDABLE.search(text):
        table = _folds()
        folded = _COMPATIBLE.sub(lambda match: table.get(match[0], match[0]), text)
    folded = _COVERS.sub(lambda match: "*" * len(match[0]), folded)
    if not _INVISIBLE.search(folded):
        return folded, None
    places: list[int] = []
    done = 0
    for gone in _INVISIBLE.finditer(folded):
        places.extend(range(done, gone.start()))
        done = gone.end()
    places.extend(range(done, len(folded)))
    return _INVISIBLE.sub("", folded), places


@lru_cache(maxsize=1)
def _folds() -> dict[str, str]:
    """ASCII for every compatibility character that stands for one ASCII character."""
    table = {"ⓐ": "@"}
    for first, last in _COMPATIBILITY:
        for character in map(chr, range(first, last + 1)):
            digit = unicodedata.digit(character, None)
            plain = unicodedata.normalize("NFKC", character) if digit is None else str(digit)
            if len(plain) == 1 and plain.isascii():
                table.setdefault(character, plain)
    return table


def read(text: str, start: int, end: int, *, signs_separate: bool = False, circles_are_zeros: bool = False) -> Reading:
    """The digits of `text[start:end]`, a match of `RUN` in folded text.

    Letters count as digits only where they belong to no word. With `signs_separate`, a sign between two figures that
    could hide a digit or look like one (`*`, `|`, `x`) separates them; with `circles_are_zeros`, ○ hides no digit.
    """
    if (word := _LATIN_AT_START.match(text, start, end)) and _LATIN_AT_START.match(text, max(0, start - 1), start):
        start = word.end()
    if _LATIN_AT_START.match(text, end) and (word := _LATIN_AT_END.search(text, max(start, end - 9), end)):
        end = word.start()
    written = text[start:end]
    if signs_separate:
        written = _SIGN_BETWEEN_GROUPS.sub("-", written)
    if circles_are_zeros:
        written = written.translate(_CIRCLES)
    digits, places, sources, gaps = [], [], [], []
    for match in _DIGIT_WITH_GAP.finditer(written):
        digit, source = _read_digit(match[2])
        digits.append(digit)
        sources.append(source)
        places.append(start + match.start(2))
        gaps.append(text[start + match.start() : start + match.start(2)])
    return Reading("".join(digits), places, "".join(sources), gaps)


def has_signs(text: str, start: int, end: int) -> bool:
    """Whether `signs_separate` makes a difference to `text[start:end]`."""
    return _SIGN_BETWEEN_GROUPS.search(text, start, end) is not None


def has_circles(text: str, start: int, end: int) -> bool:
    """Whether `circles_are_zeros` makes a difference to `text[start:end]`."""
    return "○" in text[start:end] or "◯" in text[start:end]


def close_up(reading: Reading) -> Reading:
    """`reading` without the blanks in stretches in which one stands before every digit: `0 1 0 - 1 2 3 4`."""
    gaps, sources = list(reading.gaps), reading.sources
    begin = 0
    for index in range(1, len(gaps) + 1):
        if index < len(gaps) and gaps[index] and (sources[index] == "h") == (sources[index - 1] == "h"):
            continue
        if index - begin >= _FEWEST_SPREAD:
            gaps[begin + 1 : index] = [gap.strip() for gap in gaps[begin + 1 : index]]
        begin = index
    return reading._replace(gaps=gaps)


def _read_digit(character: str) -> tuple[str, str]:
    if character in "0123456789":
        return character, "f"
    if digit := _SPOKEN.get(character):
        return digit, "h"
    if digit := _LOOK_ALIKE.get(character):
        return digit, "l"
    return "*", "m"


def starts(reading: Reading) -> list[int]:
    """Indices of digits at which a number may begin: after a gap, after masks, at figures after a syllable.

    Not within a row of digits, or of pairs of them, that are all set apart by the same sign.
    """
    sources, gaps = reading.sources, reading.gaps
    found = []
    only_masks = True
    for index, source in enumerate(sources):
        if index == 0 or gaps[index]:
            if not index or not _is_in_row(gaps, index):
                found.append(index)
            only_masks = True
        elif (only_masks and source != "m") or (source == "f" and sources[index - 1] == "h"):
            found.append(index)
        only_masks = only_masks and source == "m"
    return found


def _is_in_row(gaps: Sequence[str], index: int) -> bool:
    sign = [gaps[index]]
    return gaps[index + 1 : index + 2] == sign or (index > 1 and gaps[index - 2 : index + 3 : 2] == 3 * sign)


def ends(reading: Reading, text: str) -> set[int]:
    """Indices of digits before which a number may end, the number of digits among them.

    Any other digit may be followed by a syllable that only happens to be one too (`5678이에요`, `5678사용`), or by
    signs that would elsewhere hide digits (`010-1234-5678**`).
    """
    sources, gaps = reading.sources, reading.gaps
    found = {len(sources)}
    only_masks = True
    for index in range(len(sources) - 1, 0, -1):
        only_masks = only_masks and sources[index] == "m"
        if gaps[index]:
            found.add(index)
            only_masks = True
        elif sources[index] == "h":
            if sources[index - 1] != "h" or _ENDING_OR_JOSA.match(text, reading.places[index]):
                found.add(index)
        elif only_masks:
            found.add(index)
    return found


def likely_end(reading: Reading, begin: int, text: str) -> int:
    """The first index from `begin` whose digit is rather the first syllable of what follows the number."""
    for index in range(begin, min(begin + _LONGEST, len(reading.sources))):
        if reading.sources[index] == "h" and _begins_ending(reading, index, text):
            return index
    return len(reading.sources)


def _begins_ending(reading: Reading, index: int, text: str) -> bool:
    place, before = reading.places[index], reading.sources[index - 1]
    if reading.gaps[index]:
        return _WORD.match(text, place) is not None
    if ending := _ENDING.match(text, place):
        # 이 comes after a consonant, and then 이에요: in 구이고 and in 칠이예요 it is the digit.
        by_consonant = final_class(text[place - 1]) != "none" and ending[0] != "이예요"
        return before != "h" or by_consonant or ending[0] == "이에요"
    return before != "h" and (
        (index == len(reading.sources) - 1 and text[place] == "이") or bool(_WORD.match(text, place))
    )
