"""Check digits of Korean numbers, and dates that exist. All take strings of ASCII digits."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_BUSINESS_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def resident(digits: str) -> bool:
    """13 digits: (11 - Σ weight·digit mod 11) mod 10. Numbers given out since October 2020 need not pass."""
    return (11 - _weighted(digits, _RESIDENT_WEIGHTS) % 11) % 10 == int(digits[12])


def foreigner(digits: str) -> bool:
    """13 digits, as for residents but counted from 13. Numbers given out since October 2020 need not pass."""
    return (13 - _weighted(digits, _RESIDENT_WEIGHTS) % 11) % 10 == int(digits[12])


def business(digits: str) -> bool:
    """10 digits; the ninth, times 5, also counts with its tens."""
    total = _weighted(digits, _BUSINESS_WEIGHTS) + int(digits[8]) * 5 // 10
    return -total % 10 == int(digits[9])


def luhn(digits: str) -> bool:
    """Card numbers (ISO/IEC 7812-1): every second digit from the right is doubled and its digits are summed."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_birth_date(digits: str) -> bool:
    """Whether the seven digits yymmdd and sex (1-8) of a resident's or foreigner's number name a day that was."""
    century = 1900 if digits[6] in "1256" else 2000
    try:
        datetime.date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return True


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))
