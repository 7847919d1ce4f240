"""Ways in which people write a value, from the form that asks for it to the chat that hides it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple

from .personal_places import SHORT_PROVINCES
from .personal_values import KINDS

MASKS = "**●○xX#＊■◯?_"
DASHES = "‐‑‒–—―−－﹣~∼〜ㅡ─ー"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e"
SPOKEN = "공일이삼사오육칠팔구"
_LETTER_NAMES = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            "에이", "비", "씨", "디", "이", "에프", "지", "에이치", "아이", "제이", "케이", "엘", "엠", "엔", "오",
            "피", "큐", "알", "에스", "티", "유", "브이", "더블유", "엑스", "와이", "제트",
        ),
        strict=True,
    )
)  # fmt: skip
_SPOKEN_DOMAINS = {
    "naver": "네이버",
    "gmail": "지메일",
    "daum": "다음",
    "hanmail": "한메일",
    "kakao": "카카오",
    "nate": "네이트",
}
_SPOKEN_ENDINGS = {".com": ("닷컴", "점 컴", "쩜컴"), ".net": ("닷넷", "점 넷", "쩜넷")}
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_CIRCLED = dict(zip("0123456789", "⓪①②③④⑤⑥⑦⑧⑨", strict=True))
_REGION_NAMES = dict(
    zip(
        (*range(11, 27), 28),
        (
            "서울", "부산", "경기", "강원", "충북", "충남", "전북", "전남", "경북", "경남", "제주", "대구", "인천",
            "광주", "대전", "울산", "경기북부",
        ),
        strict=True,
    )
)  # fmt: skip


class Writing(NamedTuple):
    """A way of writing: what it makes of a standard value, and the kinds it suits.

    `write` may give the value back as it is when there is nothing to change in it.
    """

    write: Callable[[str, random.Random], str]
    kinds: tuple[str, ...]


def _as_it_is(text: str, rng: random.Random) -> str:
    return text


def _joined_by(*separators: str) -> Callable[[str, random.Random], str]:
    def write(text: str, rng: random.Random) -> str:
        return text.replace("-", rng.choice(separators))

    return write


def _spaces(text: str, rng: random.Random) -> str:
    if "@" in text:
        return text.replace("@", rng.choice((" @ ", " @", "@ ")))
    if "-" not in text:
        return f"{text[0]} {text[1:]}" if rng.random() < 0.5 else f"{text[:5]} {text[5:]}"
    return text.replace("-", " ")


def _address_spaces(text: str, rng: random.Random) -> str:
    spaces = r"(?<!\d) | (?!\d)" if rng.random() < 0.5 else r"(?<=[로길동리]) (?=\d)"
    return re.sub(spaces, "", text)


def _international(text: str, rng: random.Random) -> str:
    rest = text.removeprefix("0")
    start = rng.choice(("+82 ", "+82-", "+82", "82-", "+82 (0)", "(+82) ", "0082-", "+82-(0)", "＋82 "))
    return start + rest.replace("-", rng.choice(("-", "-", " ", "", ".")))


def _full_width(text: str, rng: random.Random) -> str:
    return "".join(chr(_FULL_WIDTH.get(ord(letter), ord(letter))) for letter in text)


def _say(text: str, rng: random.Random) -> str:
    """Digit by digit; one speaker says 공 or 영 throughout, rarely 륙."""
    zero = "공" if rng.random() < 0.8 else "영"
    six = "육" if rng.random() < 0.9 else "륙"
    said = {**dict(zip("0123456789", SPOKEN, strict=True)), "0": zero, "6": six}
    return "".join(said.get(letter, letter) for letter in text)


def _spoken_with(*separators: str) -> Callable[[str, random.Random], str]:
    def write(text: str, rng: random.Random) -> str:
        separator = rng.choice(separators)
        said = _say(re.sub(r"[A-Z]", lambda letter: f" {_LETTER_NAMES[letter[0]]} ", text), rng)
        return said.replace("-", separator).replace("  ", " ").strip()

    return write


def _spoken_joined(text: str, rng: random.Random) -> str:
    return _spoken_with("")(text, rng).replace(" ", "")


def _mixed_spoken(text: str, rng: random.Random) -> str:
    said = _say(text, rng)
    if rng.random() < 0.5:
        pick = [rng.random() < 0.4 for _ in text]
    else:
        groups = [rng.random() < 0.5 for _ in text.split("-")]
        pick = [groups[text[:place].count("-")] for place in range(len(text))]
    mixed = "".join(
        spoken if spoken_here else digit for digit, spoken, spoken_here in zip(text, said, pick, strict=True)
    )
    return text if mixed in (text, said) else mixed.replace("-", rng.choice(("-", "-", " ", "")))


def _spoken_email(text: str, rng: random.Random) -> str:
    local, domain = text.split("@")
    name, dot, ending = domain.partition(".")
    if name not in _SPOKEN_DOMAINS:
        return text
    return f"{local} 골뱅이 {_SPOKEN_DOMAINS[name]} {rng.choice(_SPOKEN_ENDINGS[dot + ending])}"


def _at_in_words(text: str, rng: random.Random) -> str:
    local, domain = text.split("@")
    at = rng.choice(("골뱅이", " 골뱅이 ", "(at)", "[at]", " at ", "[@]", "(골뱅이)", " (at) "))
    return local + at + domain.replace(".", rng.choice((".", ".", "(dot)", "[.]", " dot ", " 점 ")))


def _letters(text: str, rng: random.Random) -> str:
    return text.replace("0", rng.choice("OOo○ㅇ")).replace("1", rng.choice("1lI"))


def _zero_width(text: str, rng: random.Random) -> str:
    places = set(rng.sample(range(1, len(text)), rng.randrange(1, min(6, len(text)))))
    return "".join(rng.choice(ZERO_WIDTH) * (place in places) + letter for place, letter in enumerate(text))


def _half_masked(text: str, rng: random.Random) -> str:
    """A group behind the first masked, or all of it but one digit; enough stays readable to be worth masking."""
    mask = rng.choice(MASKS)
    if "@" in text:
        local, domain = text.split("@")
        shown = rng.randrange(2, max(3, len(local) - 1))
        return f"{local[:shown]}{mask * rng.choice((3, max(1, len(local) - shown)))}@{domain}"
    if re.match("[가-힣]", text):
        return re.sub(r"(?<=\d)\d+(?=\D*$)", lambda number: mask * len(number[0]), text)
    groups = text.split("-")
    if len(groups) == 1:
        return text[:5] + mask * 4 if rng.random() < 0.5 else text[0] + mask * 4 + text[5:]
    place = rng.randrange(1, len(groups))
    shown = 0 if sum(map(len, groups)) - len(groups[place]) >= 5 and rng.random() < 0.6 else 1
    groups[place] = groups[place][:shown] + mask * (len(groups[place]) - shown)
    return "-".join(groups)


def _odd_dash(text: str, rng: random.Random) -> str:
    dash = rng.choice(DASHES)
    return text.replace("-", dash) if "-" in text else f"{text[0]}{dash}{text[1:]}"


def _brackets(text: str, rng: random.Random) -> str:
    left, right = rng.choice(("()", "()", "[]", "<>", "「」", "（）", "{}", "〔〕"))
    first, dash, rest = text.partition("-")
    if not dash or "@" in text or rng.random() < 0.3:
        return f"{left}{text}{right}"
    return f"{left}{first}{right}{rng.choice(('', ' ', '-'))}{rest}"


def _line_break(text: str, rng: random.Random) -> str:
    place = rng.choice([found.start() for found in re.finditer("[-@ ]", text)])
    dropped = text[place] == " " or (text[place] == "-" and rng.random() < 0.3)
    return f"{text[:place]}{'' if dropped else text[place]}\n{text[place + 1 :]}"


def _spread(text: str, rng: random.Random) -> str:
    return " ".join(text if rng.random() < 0.5 else text.replace("-", ""))


def _circled(text: str, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return re.sub(r"\d", lambda digit: f"{digit[0]}\ufe0f\u20e3", text)
    return "".join(_CIRCLED.get(letter, letter) for letter in text)


def _other_case(text: str, rng: random.Random) -> str:
    return text.lower() if text[0].isupper() else text.upper() if rng.random() < 0.5 else text.title()


def _short_province(text: str, rng: random.Random) -> str:
    province, _, rest = text.partition(" ")
    return f"{rng.choice(SHORT_PROVINCES[province])} {rest}"


def _region_name(text: str, rng: random.Random) -> str:
    region, _, rest = text.partition("-")
    return f"{_REGION_NAMES[int(region)]}{rng.choice((' ', '-', ''))}{rest}"


_GROUPS = (
    "resident_number",
    "foreigner_number",
    "mobile",
    "landline",
    "business_number",
    "account",
    "driver_licence",
    "card",
)
_NUMBERS = (*_GROUPS, "passport")

WRITINGS = {
    "plain": Writing(_as_it_is, KINDS),
    "josa": Writing(_as_it_is, KINDS),
    "spaces": Writing(_spaces, (*_NUMBERS, "email")),
    "dots": Writing(_joined_by(".", ".", ". ", "·", "ㆍ", "•"), _GROUPS),
    "no separator": Writing(_joined_by(""), _GROUPS),
    "slash": Writing(_joined_by("/", "/", " / "), _GROUPS),
    "odd separator": Writing(_joined_by("_", ",", ":", "=", "--", "|"), _GROUPS),
    "spaced dash": Writing(_joined_by(" - ", "- ", " -", " – "), _GROUPS),
    "odd dash": Writing(_odd_dash, _NUMBERS),
    "brackets": Writing(_brackets, (*_NUMBERS, "email")),
    "line break": Writing(_line_break, (*_GROUPS, "email", "address")),
    "spread": Writing(_spread, _NUMBERS),
    "+82": Writing(_international, ("mobile", "landline")),
    "full-width": Writing(_full_width, KINDS),
    "circled": Writing(_circled, _NUMBERS),
    "spoken": Writing(_spoken_with(" "), _NUMBERS),
    "spoken dashes": Writing(_spoken_with("-", " - ", "에 ", " 다시 ", " 대시 "), _GROUPS),
    "spoken joined": Writing(_spoken_joined, _NUMBERS),
    "mixed spoken": Writing(_mixed_spoken, _NUMBERS),
    "spoken e-mail": Writing(_spoken_email, ("email",)),
    "at in words": Writing(_at_in_words, ("email",)),
    "letters": Writing(_letters, _GROUPS),
    "zero-width": Writing(_zero_width, KINDS),
    "half masked": Writing(_half_masked, KINDS),
    "other case": Writing(_other_case, ("passport", "email")),
    "short province": Writing(_short_province, ("address",)),
    "address spacing": Writing(_address_spaces, ("address",)),
    "region name": Writing(_region_name, ("driver_licence",)),
}
