"""Whole numbers as Korean text writes them: 1,200, 3천, 이천오백, 열두, 서너."""

from __future__ import annotations

import re

_DIGITS = {digit: value for value, digit in enumerate("영일이삼사오육칠팔구")}
_POWERS = {"십": 10, "백": 100, "천": 1000}
_TENS = {
    "열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90
}  # fmt: skip
_ONES = {
    "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "석": 3, "넷": 4, "네": 4, "넉": 4, "다섯": 5, "여섯": 6,
    "일곱": 7, "여덟": 8, "아홉": 9
}  # fmt: skip
_ABOUT = {
    "한두": (1, 2),
    "두어": (2, 3),
    "두세": (2, 3),
    "두서너": (2, 4),
    "서너": (3, 4),
    "너덧": (4, 5),
    "네댓": (4, 5),
    "네다섯": (4, 5),
    "대여섯": (5, 6),
    "예닐곱": (6, 7),
    "일고여덟": (7, 8),
}
_TOKEN = re.compile(rf"\d[\d,]*|{'|'.join((*_TENS, *_ONES))}|[{''.join((*_DIGITS, *_POWERS))}만]")

NUMBER = "|".join(
    (
        r"\d[\d,]{0,12}(?:\s?[십백천만](?:\s?\d[\d,]{0,12})?)*",
        *_ABOUT,
        rf"(?:{'|'.join(_TENS)})(?:{'|'.join(_ONES)})?",
        *_ONES,
        "[일이삼사오육칠팔구]?[십백천만][일이삼사오육칠팔구십백천만]*",  # 이 alone is the word for this
    )
)
"""Pattern of a number; single Sino-Korean digits (삼) are left out, as they are words of their own too."""


def read_number(written: str) -> tuple[int, int]:
    """The least and the greatest that `written` may mean: 12 and 12 for 열두, 3 and 4 for 서너.

    `written` is what :data:`NUMBER` matches.
    """
    if written in _ABOUT:
        return _ABOUT[written]
    total = under_10_000 = value = 0
    for token in _TOKEN.findall(written):
        if token in _POWERS:
            under_10_000 += (value or 1) * _POWERS[token]
            value = 0
        elif token == "만":
            total += (under_10_000 + value or 1) * 10_000
            under_10_000 = value = 0
        elif token[0].isdigit():
            value = int(token.replace(",", ""))
        else:
            value += _TENS.get(token) or _ONES.get(token) or _DIGITS[token]
    return (total + under_10_000 + value,) * 2
