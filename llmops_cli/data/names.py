"""Names for the characters of a work that knows them by code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

CODE = re.compile(r"(?<![0-9A-Za-z_])C[0-9]{3,4}(?![0-9A-Za-z_])")

_WITHOUT_FINAL = "지우 민서 서아 지호 현우 유나 시우 태호 진우 예나 도하 은비 수지 영호 미나 재희"
_WITH_FINAL = "민준 서준 지훈 하은 서연 수빈 지원 예준 도현 은영 재원 정민 미숙 동욱 상혁 준혁 혜진 순덕"
_WITH_RIEUL = "은솔 한결 한별 다솔 샛별 예슬 수길 영철"
GIVEN_NAMES = tuple(f"{_WITHOUT_FINAL} {_WITH_FINAL} {_WITH_RIEUL}".split())
_FAMILY_NAMES = "김이박최정강조윤장임"


def names_for(work: str, codes: Iterable[str], texts: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """A name for every code of one work, the same on every reading.

    Args:
        work: id of the work; it decides the order in which names are given out.
        codes: codes that the work declares.
        texts: all text of the work; undeclared codes in it (C001 and the like) get names too, and no name is
            given to a character that the text already uses for somebody.
        given: names fixed by the configuration.
    """
    text = "\n".join(texts)
    wanted = sorted({*codes, *CODE.findall(text)} - set(given), key=lambda code: (len(code), code))
    order = sorted(GIVEN_NAMES, key=lambda name: hashlib.sha256(f"{work}/{name}".encode()).digest())
    taken = set(given.values())
    full = (family + name for family in ("", *_FAMILY_NAMES) for name in order)
    free = (name for name in full if name not in text and name not in taken)
    return dict(given) | dict(zip(wanted, free, strict=False))
