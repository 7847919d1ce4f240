"""Korean passport numbers: M12345678, and since 21 December 2021 M123A4567 (passport.go.kr)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.safety.personal_data.evidence import around
from llmops_cli.safety.personal_data.kinds import Found
from llmops_cli.safety.personal_data.reading import DASHES, DIGIT_LIKE, Reading, read

_GAP = rf"[\s{DASHES}.·/]{{0,3}}"
_D = f"[{DIGIT_LIKE}]"
_LETTER_NAME = (
    "에이치?|비|씨|시|디|에프|쥐|지|아이|제이|케이|엘|엠|엔|피|큐|알|에스|티|유|브이|더블유|엑스|와이|제트|젯|제드"
)
PASSPORT = re.compile(
    rf"(?:(?<![A-Za-z0-9])([MSRGDOmsrgdo])|(엠|에스|알|지|디|오)(?=[^A-Za-z]{{8}})){_GAP}"
    rf"(?:({_D}(?:{_GAP}{_D}){{2}}){_GAP}([A-Za-z]|{_LETTER_NAME}){_GAP}({_D}(?:{_GAP}{_D}){{3}})|({_D}(?:{_GAP}{_D}){{7}}))"
    r"(?![A-Za-z0-9*])"
)
"""Groups: the letter, the letter spelled in Hangul, then 3 digits, a letter or its name and 4 digits, or 8 digits."""
_GROUPS_OF_DIGITS = (3, 5, 6)
_LETTER_LIKE_DIGIT = "OoSs"
_PART_OF_NUMBER = re.compile(r"[0-9A-Za-z][-–/.]$")


def find_passports(text: str) -> Iterator[Found]:
    """Passport numbers in folded `text`. Without 여권 nearby, only as they are printed."""
    for match in PASSPORT.finditer(text):
        readings = passport_digits(match)
        sources = "".join(reading.sources for reading in readings)
        shown = len(sources) - sources.count("m")
        if shown < 3 or shown - sources.count("l") < 3:
            continue
        evidence = around(text, match.start(), match.end(), 0, len(text))
        named = "passport" in evidence
        if not named and (
            match[2]
            or not (match[4] or "").isascii()
            or match[1].islower()
            or any(gap.strip(" -") for reading in readings for gap in reading.gaps)
            or (match[1] in _LETTER_LIKE_DIGIT and not match[0][1:].isalnum())
            or _PART_OF_NUMBER.search(text, max(0, match.start() - 2), match.start())
        ):
            continue
        rule = "grouped" if "-" in match[0] or " " in match[0] else "bare"
        if "m" in sources:
            rule = "half masked"
        elif "l" in sources:
            rule = "disguised letters"
        elif "h" in sources:
            rule = "spoken digits"
        context = "passport" if named else next(iter(evidence), "")
        yield Found("passport", match.start(), match.end(), rule, "none", context)


def passport_digits(match: re.Match[str]) -> list[Reading]:
    """The runs of digits in a match of `PASSPORT`."""
    return [read(match[group], 0, len(match[group])) for group in _GROUPS_OF_DIGITS if match[group]]
