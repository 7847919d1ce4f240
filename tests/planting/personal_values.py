"""Invented personal data in its standard writing. Shapes and check digits are the public ones; nobody owns a value."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from .personal_places import DETAILS, GENERIC_ROADS, PLACES, Place

KINDS = (
    "resident_number", "foreigner_number", "mobile", "landline", "business_number", "account", "passport",
    "driver_licence", "card", "email", "address",
)  # fmt: skip

AREA_CODES = (
    "02", "031", "032", "033", "041", "042", "043", "044", "051", "052", "053", "054", "055", "061", "062", "063",
    "064", "070", "0502", "0503", "0504", "0505", "0506", "0507", "0508",
)  # fmt: skip

BANKS = (
    ("국민은행", "6-2-6"), ("KB", "6-2-6"), ("국민", "3-2-4-3"), ("신한은행", "3-3-6"), ("신한", "3-2-6"),
    ("우리은행", "4-3-6"), ("우리", "3-6-2-3"), ("하나은행", "3-6-5"), ("하나", "3-6-5"), ("농협은행", "3-4-4-2"),
    ("농협", "3-4-4-2"), ("NH농협", "3-2-6"), ("지역 농협", "3-4-4-3"), ("기업은행", "3-6-2-3"), ("IBK", "3-4-4-1"),
    ("카카오뱅크", "4-2-7"), ("카뱅", "4-2-7"), ("토스뱅크", "4-4-4"), ("토스", "4-4-4"), ("케이뱅크", "3-3-6"),
    ("새마을금고", "4-4-4-1"), ("신협", "3-3-6"), ("우체국", "6-2-6"), ("수협은행", "4-4-4"), ("SC제일은행", "3-2-6"),
    ("씨티은행", "3-5-3"), ("대구은행", "3-2-6-1"), ("iM뱅크", "3-2-6-1"), ("부산은행", "3-4-4-2"),
    ("광주은행", "3-3-6"), ("전북은행", "4-2-7"), ("경남은행", "3-4-4-2"), ("제주은행", "2-2-6"),
    ("산업은행", "3-4-4-3"),
)  # fmt: skip
"""Name and usual grouping of the account number; lengths are those of the CMS list of the clearing institute."""

_FIRST_DIGITS = {"카카오뱅크": "3333", "카뱅": "3333", "토스뱅크": "1000", "토스": "1001", "새마을금고": "9003"}
_CARD_PREFIXES = ("4", "4579", "51", "5409", "55", "2221", "2720", "3560", "6250", "9410", "9430", "9490", "34", "37")
_LICENCE_REGIONS = (*range(11, 27), 28)
_DOMAINS = (
    "naver.com", "naver.com", "gmail.com", "gmail.com", "daum.net", "hanmail.net", "kakao.com", "nate.com",
    "outlook.com", "icloud.com", "snu.ac.kr", "hanbit-edu.co.kr", "mail.daesan.go.kr", "moa.or.kr", "byul.io",
)  # fmt: skip
_LOCAL_PARTS = (
    "minjun", "seoyeon.kim", "haneul", "jiwoo_lee", "dohyun-park", "soo", "bada", "gildong.hong", "yuna.c", "namu",
    "hyunwoo", "eunji", "jh.oh", "pureun", "k.taeyang", "onlymine", "star_night", "coffee-lover", "saebyeok", "ys.jeon",
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A value in its standard writing. `bank`: who keeps the account; empty for other kinds."""

    text: str
    bank: str = ""


def values(kind: str, count: int, seed: int) -> list[Value]:
    """`count` values of a kind of KINDS, always the same for one seed."""
    rng = random.Random(f"{kind}/{seed}")
    return [value(kind, rng) for _ in range(count)]


def value(kind: str, rng: random.Random) -> Value:
    """One value of a kind of KINDS."""
    if kind == "account":
        bank, grouping = rng.choice(BANKS)
        return Value(_grouped(_FIRST_DIGITS.get(bank, ""), [int(size) for size in grouping.split("-")], rng), bank)
    return Value(_MAKERS[kind](rng))


def _digits(count: int, rng: random.Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _grouped(start: str, sizes: list[int], rng: random.Random) -> str:
    digits = iter((start or rng.choice("123456789")) + _digits(sum(sizes), rng))
    return "-".join("".join(next(digits) for _ in range(size)) for size in sizes)


def _registration(sex_digits: str, constant: int, rng: random.Random) -> str:
    """Seven numbers in ten have the check digit, three the random tail of those issued since October 2020."""
    random_tail = rng.random() < 0.3
    first, last = ((2020, 2025) if rng.random() < 0.7 else (1950, 2019)) if random_tail else (1935, 2019)
    day = datetime.date(first, 10, 5) + datetime.timedelta(days=rng.randrange((last - first) * 365 + 1))
    sex = rng.choice(sex_digits[:2] if day.year < 2000 else sex_digits[2:])
    head = f"{day:%y%m%d}{sex}"
    if random_tail:
        return f"{head[:6]}-{sex}{_digits(6, rng)}"
    head += f"{rng.randrange(96):02d}{_digits(3, rng)}"
    weighted = sum(
        int(digit) * weight for digit, weight in zip(head, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)
    )
    return f"{head[:6]}-{head[6:]}{(constant - weighted % 11) % 10}"


def _resident(rng: random.Random) -> str:
    return _registration("1234", 11, rng)


def _foreigner(rng: random.Random) -> str:
    return _registration("5678", 13, rng)


def _subscriber(lengths: tuple[int, ...], rng: random.Random) -> str:
    return f"{rng.choice('23456789')}{_digits(rng.choice(lengths) - 1, rng)}-{_digits(4, rng)}"


def _mobile(rng: random.Random) -> str:
    prefix = rng.choice(["010"] * 8 + ["011", "016", "017", "018", "019"])
    return f"{prefix}-{_subscriber((4,) if prefix == '010' else (3, 4), rng)}"


def _landline(rng: random.Random) -> str:
    area = rng.choice(AREA_CODES)
    return f"{area}-{_subscriber((4,) if area.startswith('07') else (3, 4), rng)}"


def _business(rng: random.Random) -> str:
    head = f"{rng.randrange(101, 900)}{rng.randrange(1, 100):02d}{_digits(4, rng)}"
    total = sum(int(digit) * weight for digit, weight in zip(head, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    check = (10 - (total + 5 * int(head[8]) // 10) % 10) % 10
    return f"{head[:3]}-{head[3:5]}-{head[5:]}{check}"


def _passport(rng: random.Random) -> str:
    letter = rng.choice("MMMMSRGD")
    if rng.random() < 0.5:
        return letter + _digits(8, rng)
    return f"{letter}{_digits(3, rng)}{rng.choice('ABCDEFGHJKLMNPQRSTUVWXYZ')}{_digits(4, rng)}"


def _licence(rng: random.Random) -> str:
    year = rng.choice([*range(70, 100), *range(26)])
    return f"{rng.choice(_LICENCE_REGIONS)}-{year:02d}-{_digits(6, rng)}-{_digits(2, rng)}"


def _card(rng: random.Random) -> str:
    prefix = rng.choice(_CARD_PREFIXES)
    sizes = (4, 6, 5) if prefix in ("34", "37") else (4, 4, 4, 4)
    head = prefix + _digits(sum(sizes) - len(prefix) - 1, rng)
    # Luhn, from the right: the digit beside the check digit is doubled, then every second one.
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(head)))
    digits = iter(head + str(-sum(number // 10 + number % 10 for number in doubled) % 10))
    return "-".join("".join(next(digits) for _ in range(size)) for size in sizes)


def _email(rng: random.Random) -> str:
    tail = rng.choice(("", str(rng.randrange(10, 100)), str(rng.randrange(1970, 2012)), _digits(4, rng)))
    return f"{rng.choice(_LOCAL_PARTS)}{tail}@{rng.choice(_DOMAINS)}"


def _address(rng: random.Random) -> str:
    place = rng.choice(PLACES)
    number = str(rng.randrange(1, 420)) + (f"-{rng.randrange(1, 40)}" if rng.random() < 0.3 else "")
    if rng.random() < 0.3:
        hill = "산 " if place.villages[0].endswith("리") and rng.random() < 0.3 else ""
        return f"{place.region} {rng.choice(place.villages)} {hill}{number}{rng.choice(('', '번지'))}"
    return f"{place.region} {_road(place, rng)} {number}{_detail(place, rng)}"


def _road(place: Place, rng: random.Random) -> str:
    road = rng.choice((*place.roads, rng.choice(GENERIC_ROADS)))
    if road.endswith("길") or rng.random() < 0.6:
        return road
    return f"{road}{rng.randrange(1, 90)}{rng.choice(('길', '번길'))}"


def _detail(place: Place, rng: random.Random) -> str:
    if place.villages[0].endswith("동") and rng.random() < 0.15:
        return f" ({rng.choice(place.villages)})"
    if rng.random() < 0.6:
        return ""
    return rng.choice(DETAILS).format(
        building=rng.randrange(101, 120),
        floor=rng.randrange(1, 20),
        room=f"{rng.randrange(1, 20)}0{rng.randrange(1, 9)}",
    )


_MAKERS = {
    "resident_number": _resident,
    "foreigner_number": _foreigner,
    "mobile": _mobile,
    "landline": _landline,
    "business_number": _business,
    "passport": _passport,
    "driver_licence": _licence,
    "card": _card,
    "email": _email,
    "address": _address,
}
