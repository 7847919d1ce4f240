"""Postal addresses that begin with a province or a metropolitan city, by road name or by lot number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.safety.personal_data.kinds import Found
from llmops_cli.safety.personal_data.reading import MASKS

_PROVINCE = (
    r"서울(?:특별시|시)?|(?:부산|대구|인천|광주|대전|울산)(?:광역시|시)?|세종(?:특별자치시|시)?"
    r"|(?:강원|전북|제주)(?:특별자치도|도)?|경기도?|(?:충청|전라|경상)[남북]도|(?:충북|충남|전남|경북|경남)도?"
)
_DASH = r"\s?[-‐-―−~]\s?"
_MASKED = rf"[xX{re.escape(MASKS)}]{{0,4}}+"
_NUMBER = rf"[0-9]{{1,5}}+{_MASKED}(?:{_DASH}[0-9]{{1,5}}+{_MASKED})?+"
# 로 is also a particle: 서울 시내로 30분, 대구로 3명.
_UNIT = (
    r"(?:분|시|명|년|월|일|개|킬로|[kK]?[mM]|미터|회|번(?![길지])|대|차|여|[만천백억]|원|%|퍼센트|세|살|위|점|배|권|인(?![데가지])|주년|주간"
    r"|호선|가지|종|곳|척|등|건|㎞|㎡)"
)
_NOT_COUNTED = (
    rf"(?!{_UNIT}|층|가\s?[0-9]|[가-힣]{{0,2}}길|[^\S\n]{_UNIT}(?![가-힣A-Za-z])|\.?[0-9]|,[0-9]{{3}}(?![0-9동호층]))"
)
_NUMBER_OF_HOUSE = rf"{_NUMBER}{_NOT_COUNTED}"
_DISTRICT_NAME = r"\s{0,3}[가-힣]{1,5}?[시군구읍면]"
_DISTRICT = rf"(?>{_DISTRICT_NAME}(?=\s)|{_DISTRICT_NAME}(?=[가-힣]))"
_NO_ROAD = r"(?:으|최초|별도|차례|실제|그대|대체|절대|홀|따|도|의|(?<![가-힣])(?:제대|새|서|주))로\s"
_ROAD = (
    rf"(?!\s?[가-힣]{{0,9}}?{_NO_ROAD})\s{{0,3}}[가-힣A-Za-z0-9.·]{{1,14}}?(?:로|길)(?:\s?[0-9]{{1,4}}[가-힣]{{0,2}}길)?"
    rf"\s{{0,3}}(?:지하\s?)?{_NUMBER_OF_HOUSE}(?:번지)?"
)
_LOT_AREA = r"\s{0,3}[가-힣]{1,7}?(?:[0-9]{0,2}동|[0-9]가|리)"
_LOT = (
    rf"(?P<area>{_LOT_AREA}(?:\s{{0,2}}[가-힣]{{1,6}}리)?)\s{{0,3}}(?:산\s?)?(?P<number>{_NUMBER_OF_HOUSE}(?:\s?번지)?)"
)
_BUILDING = r"(?:,\s{0,3}|\s{1,3})[가-힣A-Za-z0-9]{1,20}?"
_FLOOR = rf"[,\s]{{0,3}}(?:제\s?|지하\s?|[Bb])?[0-9]{{1,3}}{_MASKED}층"
_DOOR = rf"[,\s]{{0,3}}(?:제\s?|[A-Za-z])?[0-9]{{1,5}}{_MASKED}호"
_ROOM = rf"[,\s]{{0,3}}(?:제\s?)?[0-9A-Za-z가나다라마바]{{1,4}}동(?:{_FLOOR})?{_DOOR}"
_NOTE = r"(?:,?\s?\([^()\n]{1,30}\))?"
_TAIL = (
    rf"{_NOTE}(?:{_BUILDING}(?:아파트|빌라|오피스텔|빌딩|타워|맨션|주택|하우스|센터|상가))?"
    rf"(?:(?:{_BUILDING})?(?:{_ROOM}|{_FLOOR}(?:{_DOOR})?|{_DOOR}))?{_NOTE}"
)
_ANCHOR = re.compile(rf"(?:{_PROVINCE})(?=[\s가-힣])")
_ADDRESS = re.compile(
    rf"(?P<districts>(?:{_DISTRICT}){{0,4}})"
    rf"(?:(?P<road>{_ROAD}){_TAIL}|(?P<lot>{_LOT}){_TAIL}|(?P<room>(?:{_LOT_AREA})?(?:{_BUILDING}){{0,2}}{_ROOM}))"
)
_DIGIT_SOON = re.compile(r"[^0-9]{1,45}[0-9]")
_YEARS = re.compile(rf"(?:1[89]|20)[0-9]{{2}}{_DASH}")


def find_addresses(text: str) -> Iterator[Found]:
    """Addresses in folded `text`."""
    done = 0
    for anchor in _ANCHOR.finditer(text):
        start, end = anchor.span()
        if start < done or not _DIGIT_SOON.match(text, end):
            continue
        match = _ADDRESS.match(text, end)
        if match and (
            match["road"] or (match["lot"] and _is_lot(match, start)) or (match["room"] and match["districts"])
        ):
            done = match.end() - 2 * (text.startswith("**", start - 2) and text.endswith("**", start, match.end()))
            yield Found(
                "address", start, done, "road" if match["road"] else "lot" if match["lot"] else "room", "none", ""
            )


def _is_lot(match: re.Match[str], start: int) -> bool:
    """Whether 동 or 리 and a number are a place (서종면 문호리 12) rather than words (활동 3, 거리 20)."""
    number, districts = match["number"], match["districts"]
    if number.endswith("번지"):
        return True
    if _YEARS.match(number):
        return False
    if not districts:
        return match.string.startswith(("세종시", "세종특별자치시") if number.isdigit() else "세종", start)
    return not number.isdigit() or not match["area"].endswith("리") or districts.endswith(("읍", "면"))
