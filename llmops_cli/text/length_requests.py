"""Lengths that a Korean prompt asks for: 400자 내외, 공백 제외 1,000자 이상, 원고지 5매, 세 문장으로."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from llmops_cli.text.lengths import COUNTS, Unit
from llmops_cli.text.numbers import NUMBER, read_number

_UNITS: dict[str, Unit] = {
    "글자": "characters",
    "자": "characters",
    "매": "manuscript_pages",
    "장": "manuscript_pages",
    "문장": "sentences",
    "문단": "paragraphs",
    "단락": "paragraphs",
    "줄": "lines",
    "행": "lines",
    "어절": "words",
    "단어": "words",
    "낱말": "words",
}
_UNIT = "|".join(_UNITS)
_QUANTITIES = (
    re.compile(
        rf"(?<![가-힣\d.,])(?:(?P<low>{NUMBER})\s?(?:{_UNIT})?\s?(?:[~∼〜～–-]|에서\s)\s?)?"
        rf"(?P<number>{NUMBER})\s?(?:여\s?)?(?:개의?\s)?(?P<unit>{_UNIT})"
    ),
    re.compile(rf"(?P<low>)(?P<unit>문장|문단|단락|줄|행)[을를]?\s(?:딱\s)?(?P<number>{NUMBER})(?:\s?개)?"),
)
_SHEET = re.compile(r"(?:(\d[\d,]{0,12})\s?자\s?(?:짜리\s)?)?원고지(?:\s?\(?(\d[\d,]{0,12})\s?자(?:\s?기준)?\)?)?")
_WITHOUT_SPACES = re.compile(r"(?:공백|띄어쓰기)\S?\s?(?:제외|미포함|빼|없이)")
_WITH_SPACES = re.compile(r"(?:공백|띄어쓰기)\S?\s?포함")

_AT_LEAST = re.compile(r"\s?(?:이상|초과|넘게|넘도록)")
_AT_MOST = re.compile(r"\s?(?:이내|이하|미만|까지|안으로|안에|[을를]?\s?넘[기지])")
_LABEL = re.compile(
    r"(?P<least>최소|적어도)\s?$|(?P<most>최대|많아야)\s?$|(?:분량|길이|수|총|약|대략|포함|제외)[은는]?\s?[:,)]?\s?$"
)
_WRITE = r"(?:쓰|써|쓸|적|지어|지으|작성|만들|말해|답하|답해|요약|완성|채워|묘사|소개|설명|부탁)"
_ASKED = re.compile(
    rf"\s?(?:내외|안팎|정도|가량|쯤|남짓|분량|짜리|만(?![가-힣])|이면|(?:으로|로)(?!\s?(?:구성됩|이루어져)))"
    rf"|[을를]?\s(?:더\s)?{_WRITE}|\s*(?:[)\].,!?\n]|$)"
)
_ASKED_LATER = re.compile(rf"(?![가-힣])[^.\n]*{_WRITE}|[를의]\s[^.\n]*{_WRITE}")
_OF_EACH = re.compile(r"(?:각|마다|당)\s[^.,\n]*$|(?:다음|아래|위|주어진|처음|첫|앞|마지막|이|그)\s?$")
_LEAST_ASKED_LATER = 10  # 3자 대면


class LengthRequest(NamedTuple):
    """A length from `low` to `high` in one of `units`: two where the prompt does not say whether spaces count."""

    units: tuple[Unit, ...]
    low: float
    high: float

    def nearest(self, text: str) -> tuple[Unit, float, float]:
        """The unit in which `text` is nearest to what was asked, its length in it, and how far off that is."""
        given = [(unit, COUNTS[unit](text)) for unit in self.units]
        return min(((unit, length, self._deviation(length)) for unit, length in given), key=lambda each: each[2])

    def _deviation(self, length: float) -> float:
        """0.0 from `low` to `high`, else the share by which the nearer of the two is missed; 1.0 for an empty text."""
        return abs(length / min(max(length, self.low), self.high) - 1.0) if length else 1.0


def length_requests(prompt: str) -> list[LengthRequest]:
    """What `prompt` asks for, one for each unit; nothing for lengths of a part (문단마다 세 문장) or of a given text.

    `내외` and a bare number ask for just that number, `이상` and `이내` for no less and no more, and `300~500자` or
    `300자 이상 500자 이하` for what lies between. Sheets of 원고지 have 200 squares unless the prompt says how many.
    """
    sheet = _SHEET.search(prompt)
    squares = next((int(each.replace(",", "")) for each in sheet.groups() if each), 200) if sheet else 200
    prompt = _SHEET.sub("원고지", prompt)
    asked: dict[tuple[Unit, ...], LengthRequest] = {}
    for found in _found(prompt):
        unit = _UNITS[found["unit"]]
        bounds = _bounds(prompt, found)
        if bounds is None or (found["unit"] == "장" and not sheet):
            continue
        low, high = sorted(bounds)
        if unit == "manuscript_pages":
            low, high = low * squares / 200, high * squares / 200
        units = _counted(unit, prompt)
        before = asked.get(units)
        if before and max(before.low, low) <= min(before.high, high):
            low, high = max(before.low, low), min(before.high, high)
        if high > 0:
            asked[units] = LengthRequest(units, low, high)
    return list(asked.values())


def _found(prompt: str) -> Iterable[re.Match[str]]:
    return (found for pattern in _QUANTITIES for found in pattern.finditer(prompt))


def _bounds(prompt: str, found: re.Match[str]) -> tuple[float, float] | None:
    """The least and the greatest number that are asked for; None where nothing is."""
    before, after = prompt[max(0, found.start() - 30) : found.start()], prompt[found.end() : found.end() + 60]
    low, high = read_number(found["number"])
    if _OF_EACH.search(before) or re.match(r"\s?씩", after):
        return None
    if found["low"]:
        power = found["number"][-1]
        same_power = found["low"][-1].isdigit() and power in "백천만"  # 2~3천 자
        low = read_number(found["low"] + power if same_power else found["low"])[0]
    label = _LABEL.search(before)
    if _AT_LEAST.match(after) or (label and label["least"]):
        return low, math.inf
    if _AT_MOST.match(after) or (label and label["most"]):
        return (low if found["low"] else 0), high
    later = _UNITS[found["unit"]] in ("characters", "manuscript_pages") and high >= _LEAST_ASKED_LATER
    between = found["low"] and re.match(r"\s?사이", after)
    if label or between or _ASKED.match(after) or (later and _ASKED_LATER.match(after)):
        return low, high
    return None


def _counted(unit: Unit, prompt: str) -> tuple[Unit, ...]:
    if unit != "characters" or _WITH_SPACES.search(prompt):
        return (unit,)
    return ("characters_without_spaces",) if _WITHOUT_SPACES.search(prompt) else (unit, "characters_without_spaces")
