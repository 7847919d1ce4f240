"""Josa: the particle after a word takes the form that the word's last sound asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from llmops_cli.text.normalize import nfc

FinalClass = Literal["none", "rieul", "other"]

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_RIEUL = 8

# 영 일 이 삼 사 오 육 칠 팔 구
_KOREAN_DIGITS: dict[str, FinalClass] = dict(
    zip(
        "0123456789",
        ("other", "rieul", "none", "other", "none", "none", "other", "rieul", "rieul", "none"),
        strict=True,
    )
)
# 제로 원 투 쓰리 포 파이브 식스 세븐 에이트 나인, as in MP3, G7
_ENGLISH_DIGITS: dict[str, FinalClass] = {"1": "other", "7": "other", "9": "other"}
_LETTER_NAMES: dict[str, FinalClass] = {"L": "rieul", "R": "rieul", "M": "other", "N": "other"}
_RIEUL_SPELLING = re.compile(r"(?:l|le)$")
# Stops after one vowel letter become a final consonant (앱, 로봇), after a consonant a syllable (테스트).
_CONSONANT_SPELLING = re.compile(r"(?:[mn]|ng|[nm]e|pe|ck|[aeiouy][bcgkpt])$")


def final_class(word: str) -> FinalClass:
    """How `word` ends when read aloud: in a vowel (`none`), ㄹ (`rieul`) or another consonant (`other`).

    Digits and Latin letters follow their Korean reading (3 is 삼, L is 엘, MP3 is 엠피쓰리). Closing quotes
    and a bracketed remark at the end are not read. A script whose reading is not known here counts as a
    vowel.
    """
    word = re.sub(r"(?:\([^()]*\)|[\s\W_])+$", "", nfc(word)) or nfc(word)
    if not word:
        return "none"
    last = word[-1]
    if _FIRST_SYLLABLE <= ord(last) <= _LAST_SYLLABLE:
        final = (ord(last) - _FIRST_SYLLABLE) % 28
        return "none" if final == 0 else "rieul" if final == _RIEUL else "other"
    if "ㄱ" <= last <= "ㅎ":
        return "rieul" if last == "ㄹ" else "other"
    if last in _KOREAN_DIGITS:
        return _class_of_number(word)
    if last.isascii() and last.isalpha():
        return _class_of_latin(re.search(r"[A-Za-z]+$", word).group())  # type: ignore[union-attr]
    return "none"


def _class_of_number(word: str) -> FinalClass:
    if re.search(r"(?<![0-9A-Za-z])[A-Za-z]+[0-9]$", word):
        return _ENGLISH_DIGITS.get(word[-1], "none")
    digits = re.search(r"[0-9,]*$", word).group().replace(",", "")  # type: ignore[union-attr]
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros < len(digits) and 12 <= zeros < 16:  # 조; 십 백 천 만 억 end in a consonant like 영
        return "none"
    return _KOREAN_DIGITS[word[-1]]


def _class_of_latin(letters: str) -> FinalClass:
    if letters.isupper():
        return _LETTER_NAMES.get(letters[-1], "none")
    letters = letters.lower()
    if _RIEUL_SPELLING.search(letters):
        return "rieul"
    return "other" if _CONSONANT_SPELLING.search(letters) else "none"


@dataclass(frozen=True)
class _Pair:
    """The forms of one josa after a consonant, after a vowel and after ㄹ."""

    consonant: str
    vowel: str
    rieul: str

    def form(self, final: FinalClass) -> str:
        return {"other": self.consonant, "none": self.vowel, "rieul": self.rieul}[final]


# After a consonant, after a vowel, and what may follow either of them.
_PAIRS: tuple[tuple[str, str, str], ...] = (
    ("은", "는", "커녕 요"),
    ("이", "가", ""),
    ("을", "를", "요"),
    ("과", "와", "의 는 도 만 만의 만은 함께"),
    (
        "으로",
        "로",
        "는 도 만 만은 의 서 서의 서는 서도 서만 써 써의 써는 부터 부터의 부터는 부터도 까지 밖에 라도 요",
    ),
    ("아", "야", ""),
    ("이야말로", "야말로", ""),
    ("이랑", "랑", "은 도 만 의 요"),
    ("이나", "나", "마 마도 요"),
    ("이든", "든", "지 가"),
    ("이며", "며", ""),
    ("이여", "여", ""),
    ("이다", "다", ""),
    ("이고", "고", "요"),
    ("이니", "니", "까 까요"),
    ("이면", "면", "서 은"),
    ("이어서", "여서", "요 도"),
    ("이어야", "여야", "만 지"),
    ("이어도", "여도", ""),
    ("이거나", "거나", ""),
    ("이거든", "거든", "요"),
    ("이더라", "더라", "고 도 면"),
    ("이더니", "더니", ""),
    ("이므로", "므로", ""),
    ("이잖아", "잖아", "요"),
    ("이네요", "네요", ""),
    ("이군요", "군요", ""),
    ("이세요", "세요", ""),
    ("이냐", "냐", "고 고요 는 며"),
    ("이죠", "죠", ""),
    ("이지", "지", "요 만 만요 만은"),
    ("이자", "자", ""),
    ("이던", "던", "가"),
    ("이구나", "구나", ""),
    ("이요", "요", ""),
    ("이란", "란", "다"),
    ("이래", "래", "요 도 서"),
    ("이에요", "예요", ""),
)
# The copula before any ending: 이었다, 이었습니다, 이라는, 이라고는, 이랬다.
_STEMS: tuple[tuple[str, str], ...] = (("이었", "였"), ("이라", "라"), ("이랬", "랬"), ("이겠", "겠"))
# 이 that only a name with a final consonant takes (민준이는, 민준이에게): dropped after a vowel, never added.
_NAME_SUFFIX = "는 가 를 와 의 도 만 네 부터 까지 조차 마저 밖에 하고"
_NAME_SUFFIX_STEMS = "에게 한테 처럼 보다"
_BRACKETED = (
    "은(는)",
    "는(은)",
    "이(가)",
    "가(이)",
    "을(를)",
    "를(을)",
    "과(와)",
    "와(과)",
    "아(야)",
    "야(아)",
)


def _forms() -> tuple[dict[str, _Pair], dict[str, _Pair]]:
    """Every josa as it may stand in a text: those that end there, and the stems that go on."""
    ending: dict[str, _Pair] = {}
    for consonant, vowel, tails in _PAIRS:
        for tail in ("", *tails.split()):
            rieul = vowel if consonant == "으로" else consonant
            pair = _Pair(consonant + tail, vowel + tail, rieul + tail)
            slashed = (f"{consonant}/{vowel}{tail}", f"{vowel}/{consonant}{tail}")
            optional = (f"({consonant[0]}){vowel}{tail}",) if consonant[1:] == vowel else ()
            for form in (pair.consonant, pair.vowel, *slashed, *optional):
                ending.setdefault(form, pair)
    for form in _BRACKETED:
        ending[form] = ending[form[0]]
    ending["이야"] = _Pair("이야", "야", "이야")
    ending["가요"] = _Pair("이요", "가요", "이요")
    ending["이예요"] = ending["이에요"]
    going_on: dict[str, _Pair] = {}
    for consonant, vowel in _STEMS:
        pair = _Pair(consonant, vowel, consonant)
        going_on |= {consonant: pair, vowel: pair}
    going_on["(이)라"] = going_on["이라"]
    for table, tails in ((ending, _NAME_SUFFIX), (going_on, _NAME_SUFFIX_STEMS)):
        for tail in tails.split():
            pair = _Pair(f"이{tail}", tail, f"이{tail}")
            table.setdefault(f"이{tail}", pair)
            table.setdefault(f"(이){tail}", pair)
    return ending, going_on


_ENDING, _GOING_ON = _forms()


@cache  # compiling it takes a fifth of a second
def _josa() -> re.Pattern[str]:
    return re.compile(
        "|".join(
            re.escape(form) + ("" if form in _GOING_ON else r"(?![가-힣0-9A-Za-z])")
            for form in sorted({*_ENDING, *_GOING_ON}, key=lambda form: (-len(form), form))
        )
    )


def attach(word: str, josa: str) -> str:
    """`word` with `josa` in the form that agrees: `attach("지우", "은")` is `지우는`.

    `josa` may be either form of a pair (or `은/는`), with endings after it (`으로는`, `이었습니다`). What
    never changes (의, 에게, 도, 만) is attached as it is.
    """
    match = _josa().match(josa)
    return word + (_agree(match, final_class(word)) + josa[match.end() :] if match else josa)


def _agree(match: re.Match[str], final: FinalClass) -> str:
    form = match.group()
    return (_ENDING.get(form) or _GOING_ON[form]).form(final)


def agree_after(text: str, position: int, word: str) -> tuple[str, int]:
    """The josa at `position` in the form that agrees with `word`, and where it ends in `text`; empty if none is there.

    For a `word` put in the place of a value: 야 says what it is (이야), it calls nobody.
    """
    josa = _josa().match(text, position)
    if not josa:
        return "", position
    final = final_class(word)
    return "이야" if josa.group() == "야" and final != "none" else _agree(josa, final), josa.end()


def substitute(text: str, names: Mapping[str, str]) -> str:
    """Replace codes such as C001 by names, and let a josa that directly follows agree with the name.

    The longest code is tried first, and a code inside another word or number is left alone. Whatever form the
    text has (C001은 and C001는 both occur) the result is right for the name; text that is no josa stays as it
    is.

    Args:
        text: NFC text.
        names: code -> name.
    """
    return "".join(_substituted(text, names)) if names else text


def _substituted(text: str, names: Mapping[str, str]) -> Iterator[str]:
    done = 0
    for code in _codes(tuple(sorted(names))).finditer(text):
        name = names[code.group()]
        yield text[done : code.start()] + name
        done = code.end()
        if josa := _josa().match(text, done):
            final = final_class(name)
            copula = josa.group() == "야" and final != "none" and not _is_call(text, code.start(), josa.end())
            yield "이야" if copula else _agree(josa, final)
            done = josa.end()
    yield text[done:]


def _is_call(text: str, start: int, end: int) -> bool:
    """Whether `C002야` calls someone (민준아) rather than says who it is (민준이야), by what is around."""
    if text[end : end + 1] == ",":
        return True
    before = text[:start].rstrip(" ")
    opens_utterance = not before or before[-1] in "\n\"'“‘「『.?!…~,"
    return opens_utterance and text[end : end + 1] != "."


@lru_cache(maxsize=256)
def _codes(codes: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(codes, key=lambda code: (-len(code), code))
    parts = [(r"(?<![가-힣])" if "가" <= code[0] <= "힣" else "") + re.escape(code) for code in longest_first]
    return re.compile(rf"(?<![0-9A-Za-z_])(?:{'|'.join(parts)})(?![0-9A-Za-z_])")
