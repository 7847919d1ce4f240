"""Values that stand in for personal data and belong to nobody.

| kind | what keeps it from being a real one |
| --- | --- |
| resident and foreigner number | the month is 13 or later |
| mobile, landline | no subscriber's number begins with 0 after the prefix: 010-0, 02-0 |
| business number | the check digit is wrong |
| card | the check digit is wrong, in a range for tests (4000 00) |
| driver's licence | no region has the number 99 |
| passport | Korean ones do not begin with X |
| e-mail | example.com belongs to nobody (RFC 2606) |
| address | there is no 예시구 |
| account | no list of given numbers is published; 000 is the branch of no bank known here |

A number keeps its separators and its prefix of country and region. Disguised digits become figures.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from llmops_cli.safety.personal_data import checksums
from llmops_cli.safety.personal_data.passport import PASSPORT, passport_digits
from llmops_cli.safety.personal_data.reading import fold, read

_PREFIX = re.compile(r"(?:(?:00)?82)?0?(?:2|1[016789]|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-9])")
_COUNTRY = re.compile(r"(?:00)?820?")


def surrogate(kind: str, value: str, seed: int) -> str:
    """A value of `kind` in the shape of `value`, the same for the same value and `seed`.

    A number counts as the same in any writing, and with or without its country code; an e-mail address or a postal
    address only with the same letters. Two different values meet with the probability that their free digits, drawn by
    a keyed hash, are equal: 1 in 10 million for a mobile number.
    """
    value, _ = fold(value)
    if kind == "email":
        return f"user{_draw(kind, re.sub(r'[^0-9a-z@가-힣]', '', value.lower()), seed, 10)}@example.com"
    if kind == "address":
        drawn = _draw(kind, re.sub(r"\s", "", value), seed, 10)
        return f"서울특별시 예시구 보기로{int(drawn[:3]) + 1}길 {int(drawn[3:7]) + 1}-{int(drawn[7:]) + 1}"
    if kind == "passport":
        return _passport(value, seed)
    lengths, make = _NUMBERS[kind]
    reading = read(value, 0, len(value), signs_separate=True)
    if len(reading.digits) not in lengths:
        reading = read(value, 0, len(value))
    drawn = _draw(kind, _COUNTRY.sub("0", reading.digits) if kind in _TELEPHONES else reading.digits, seed, 16)
    digits = make(reading.digits, drawn)
    gaps = list(reading.gaps)
    if kind == "driver_licence" and len(digits) == 10:
        gaps[0] = "99-"
    return "".join(gap + digit for gap, digit in zip(gaps, digits, strict=True))


def _draw(kind: str, value: str, seed: int, count: int) -> str:
    """`count` digits that follow from the value and the seed only."""
    digest = hashlib.blake2b(f"{kind} {value}".encode(), key=str(seed).encode(), digest_size=16).digest()
    return str(int.from_bytes(digest) % 10**count).zfill(count)


def _passport(value: str, seed: int) -> str:
    match = PASSPORT.fullmatch(value)
    digits = "".join(reading.digits for reading in passport_digits(match)) if match else value
    drawn = _draw("passport", digits, seed, 8)
    if not match or not match[4]:
        return f"X{drawn}"
    return f"X{drawn[:3]}{match[4].upper() if match[4].isascii() else 'A'}{drawn[3:7]}"


def _registration(value: str, drawn: str) -> str:
    month = 13 + int(drawn[2:4]) % 87
    sex = value[6] if value[6] != "*" else "1"
    return f"{drawn[:2]}{month}{drawn[4:6]}{sex}{drawn[6:12]}"[: len(value)]


def _telephone(value: str, drawn: str) -> str:
    prefix = _PREFIX.match(value)
    kept = prefix.group() if prefix else ""
    return kept + "0" + drawn[: len(value) - len(kept) - 1]


def _business(value: str, drawn: str) -> str:
    return _failing(drawn[:10], checksums.business)


def _account(value: str, drawn: str) -> str:
    return ("000" + drawn)[: len(value)]


def _licence(value: str, drawn: str) -> str:
    return ("99" + drawn)[: len(value)] if len(value) == 12 else drawn[: len(value)]


def _card(value: str, drawn: str) -> str:
    return _failing(("400000" + drawn)[: len(value)], checksums.luhn)


def _failing(digits: str, check: Callable[[str], bool]) -> str:
    return digits[:-1] + str((int(digits[-1]) + 1) % 10) if check(digits) else digits


_NUMBERS: dict[str, tuple[range, Callable[[str, str], str]]] = {
    "resident_number": (range(9, 14), _registration),
    "foreigner_number": (range(9, 14), _registration),
    "mobile": (range(10, 15), _telephone),
    "landline": (range(9, 15), _telephone),
    "business_number": (range(10, 11), _business),
    "account": (range(10, 15), _account),
    "driver_licence": (range(10, 13), _licence),
    "card": (range(14, 17), _card),
}
"""How many digits a number of the kind has, with a country code too, and what makes another of the same length."""
_TELEPHONES = {"mobile", "landline"}
