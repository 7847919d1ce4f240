"""Speech level (높임법) of sentences, by their endings."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from llmops_cli.text.narration import narration
from llmops_cli.text.sentences import split_sentences

Level = Literal["합쇼체", "해요체", "하오체", "해라체", "해체"]
POLITE: frozenset[Level] = frozenset({"합쇼체", "해요체", "하오체"})
"""존댓말; the other levels are 반말."""

_UP_TO_THE_ENDING = re.compile(".*[가-힣0-9A-Za-z]", re.DOTALL)
_LONGEST_ENDING = 4
_FINALS = {"ㄴ": "\u11ab", "ㄹ": "\u11af", "ㅂ": "\u11b8", "ㅄ": "\u11b9", "ㅆ": "\u11bb"}


def _endings(spelled: str) -> tuple[str, ...]:
    """Endings as decomposed text; a jamo in front stands for a final consonant (ㅂ니다)."""
    return tuple(
        _FINALS.get(ending[0], "") + unicodedata.normalize("NFD", ending.lstrip("".join(_FINALS)))
        for ending in spelled.split()
    )


# The first row that fits decides: 필요 is a noun, though 요 is an ending. What may be either is left out: 하니, 는데.
_LEVELS: tuple[tuple[Level | None, tuple[str, ...]], ...] = (
    (None, _endings("필요 중요 수요 개요 주요 소요 강요 민요 동요 월요 바다 수다 소다 마다 보다 어쩌다 거기다 여기다")),
    (None, _endings("오해 이해 피해 올해 방해 동해 서해 남해 손해 화해 새해 공해 침해 저해 상해 재해 박해 산해")),
    ("합쇼체", _endings("ㅂ니다 ㅂ니까 ㅂ시오 ㅂ디다 ㅂ디까")),
    ("하오체", _endings("ㅂ시다 ㅆ소 ㅄ소 하오 이오 으오 되오 시오 구려")),
    ("해요체", _endings("요 죠")),
    ("해라체", _endings("다 느냐 ㅆ냐 ㅄ냐 하냐 이냐 뭐냐 거냐 구나 더라 거라 어라 아라 해라 하라 마라 도다 로다")),
    ("해라체", _endings("ㅆ니 ㅄ니 뭐니 거니 하자 가자 보자 말자 먹자 놀자 만나자")),
    ("해체", _endings("ㅆ어 ㅄ어 싶어 싫어 같아 좋아 많아 않아 잖아 알아 찮아 몰라 해 돼 봐 줘 아니야 거야 뭐야 이야")),
    ("해체", _endings("려워 마워 미워 추워 더워 리워 러워 로워 여워 서워 가워 거워 까워 쉬워 매워")),
    ("해체", _endings("거든 야지 ㅆ지 ㅄ지 하지 이지 되지 맞지 좋지 않지 렇지")),
    ("해체", _endings("ㅆ네 ㅄ네 하네 이네 좋네 같네 많네 ㅆ군 는군 구만 ㄹ게 ㄹ까 ㄹ래 ㄹ걸 ㅆ대 는대 ㅆ나")),
)


def level_of(sentence: str) -> Level | None:
    """The speech level that the last ending of `sentence` shows, None where it shows none (a noun, a fragment)."""
    words = _UP_TO_THE_ENDING.match(sentence[-80:])
    return _level(words.group()[-_LONGEST_ENDING:]) if words else None


@lru_cache(maxsize=1 << 14)
def _level(tail: str) -> Level | None:
    if tail.endswith(" 다"):  # the adverb at the end of 먹었어 다
        return None
    decomposed = unicodedata.normalize("NFD", tail)
    return next((level for level, endings in _LEVELS if decomposed.endswith(endings)), None)


def sentence_levels(text: str) -> list[tuple[str, Level]]:
    """Each sentence of the narration with its speech level, without the sentences of no clear level."""
    return [(sentence, level) for sentence in split_sentences(narration(text)) if (level := level_of(sentence))]


def levels(text: str) -> list[Level]:
    """The speech level of each sentence of the narration, without the sentences of no clear level."""
    return [level for _, level in sentence_levels(text)]
