r"""Abusive Korean by pattern: profanity, slurs against groups and threats, in the spellings that evade a word list.

Precision comes before recall: a word that is also something else (새끼, 홍어, 시발점) counts only in a context that
decides. Abuse that does without such words is not found at all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Literal, NamedTuple

Kind = Literal["profanity", "slur", "threat"]


class Abuse(NamedTuple):
    """What was found, and where: `text[start:end]`."""

    kind: Kind
    start: int
    end: int


# `_` stands for what people put between syllables to get past a filter (시1발, 병.신), `^` at the front for: not after
# another syllable or, before a jamo, another consonant. One word and its spellings a line or two.
_PROFANITY = r"""
    씨이*_[발벌펄](?![휘라]) [씌쒸쓰씨]이*_[팔빨발벌](?![휘라이가]) ^[씨시]\s[발팔](?![가-힣])
    씨[바빠](?=[ㄱ-ㅣ.!?~\s]|$) 쌰발
    ^시이*_[발벌팔뻘](?![점역전행표송생언견매사주휘동급명굴달목밑걸바자지레열효신령택라]) [아와개나]시발(?![가-힣])
    ^시바(?=[ㄱ-ㅣ.!~]|$) ^슈발 ^쉬[발벌] [씨시]부[럴랄] 씹[할새년놈창] ^[ㅅㅆ][0-9.]?ㅂ(?![ㄱ-ㅊㅌㅍ]) [ㅅㅆ]발
    병_신(?!년도|년[에의]|춤|자호|양요) ^병\s신(?![가-힣]) [븅볍]_[신딱] ^빙신 병딱 ^ㅂ[0-9.]?ㅅ(?![ㄱ-ㅊㅌㅍ]) ㅄ
    지_랄 지럴 쥐랄 ^ㅈ[0-9.]?ㄹ(?![ㄱ-ㅊㅌㅍ])
    [좆죶] [좃졷](?=[같까도만]) ㅈ\s?같 ㅈ까 존_나(?![단간라]) ^ㅈㄴ(?![ㄱ-ㅊㅌㅍ])
    개_새_[끼키] 개색[끼기히] 개쉐[이끼] 개세끼 게새끼 [쉐쉑]끼 새꺄 색[히꺄] [십쌍]새[끼키] ㄱㅅㄲ 못한\s?새끼
    ^[이저그][런딴]?\s?새끼(?!\s?[고강돼손발줄사호양])
    [썅쌍][년놈] 썅 미친\s?[년놈](?!도) 미친\s?새[끼키] 미친\s?ㄴ ㅁㅊ[년놈ㄴㅅ]
    입\s?닥[쳐치] 아가리\s?[닥여찢] ^닥쳐(?=\s*[.!~ㄱ-ㅎ]) 엿\s?먹어라 엿이나\s?먹 뒈[져질진지]
    느금마 느그\s?[애에]미 니[애에]미 니미럴 니기미 [엠앰엄]창 [애에]미\s?[뒤없]
    개지랄 ^개소리 찐따 또라이 걸레년 화냥년 창년
"""
_SLUR = r"""
    김치[녀년] 된장[녀년] 맘충 메[갈퇘] 꼴페미? 페미[년충] 페미나치 보슬아치 한녀 보빨 삼일한 피싸개 쿵쾅이 갈보
    한남[충놈] 한남\s?새끼 한남유충 애비충 냄져 실자지 똥꼬충 호모새끼 게이새끼 레즈년 젠신병자
    짱_[깨께개](?![비]) 짱꼴라 착짱죽짱 쪽바리 쪽발이 조센징 깜둥이 똥남아 똥양인 섬숭이 ^[뙤떼]놈 니그로
    틀딱 노슬아치 급식충 연금충 노인충 개쌍도 전라디언 절라도 멍청도 홍어[새놈년족] 까보전
    개독(?!립) 개슬람 땡중 ^먹사[들놈] 좌빨 좌좀 수꼴 대깨문 문슬람 토착왜구 일베충 달창 난민충
    장애인?새끼 애자새끼
"""
_THREAT = r"""
    [찢패쏴쳐](?:어|아)?\s?죽(?:인다|일|여\s?버|여야|이고\s?싶) 때려\s?죽(?:인다|일|여\s?버|여야|이고\s?싶)
    죽여\s?버(?:린다|릴|려야|리고\s?싶|리겠) 죽고\s?싶[냐니나] 죽을래(?=\s?\?) 뒤질래 뒤지고\s?싶
    칼로\s?(?:찔러\s?[버죽]|쑤셔) [목모]가?지?를?\s?(?:따\s?버|비틀어\s?버) 가만\s?안\s?[둔둘놔] 가만두지\s?않[을겠]
"""
_BETWEEN = "[0-9.,·*@#!?~^/|ㅡ♡♥☆★-]{0,2}"


def _compiled(patterns: str) -> re.Pattern[str]:
    """The patterns with one branch for each first character, the shape in which `re` skips to the next of them."""
    branches: dict[str, list[str]] = defaultdict(list)
    for pattern in patterns.split():
        word = pattern.removeprefix("^").replace("_", _BETWEEN)
        heads, rest = word[1:].split("]", 1) if word[0] == "[" else (word[0], word[1:])
        for head in heads:
            kin = "가-힣" if head >= "가" else "ㄱ-ㅎ"
            branches[head].append(f"(?<![{kin}]{head}){rest}" if pattern[0] == "^" else rest)
    return re.compile("|".join(f"{head}(?:{'|'.join(rests)})" for head, rests in branches.items()))


@cache
def patterns() -> dict[Kind, re.Pattern[str]]:
    """What is looked for, by kind."""
    return {"profanity": _compiled(_PROFANITY), "slur": _compiled(_SLUR), "threat": _compiled(_THREAT)}


def abuse(text: str) -> list[Abuse]:
    """Every abusive expression of `text`, by kind and then by place."""
    return [
        Abuse(kind, found.start(), found.end())
        for kind, pattern in patterns().items()
        for found in pattern.finditer(text)
    ]
