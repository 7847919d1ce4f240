"""Speech levels by sentence endings."""

from __future__ import annotations

from collections import Counter

import pytest

from llmops_cli.text.register import level_of, levels


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("곧 시작합니다.", "합쇼체"),
        ("어디로 가십니까?", "합쇼체"),
        ("여기 앉으십시오", "합쇼체"),
        ("밥 먹었어요ㅎㅎ", "해요체"),
        ("그렇죠!", "해요체"),
        ("같이 갑시다.", "하오체"),
        ("나는 모르겠소.", "하오체"),
        ("비가 내렸다.", "해라체"),
        ("무엇을 하느냐?", "해라체"),
        ("어서 가자!", "해라체"),
        ("나 먼저 갔어~", "해체"),
        ("그럴 거야 ㅋㅋ", "해체"),
        ("내일 다시 볼까?”", "해체"),
    ],
)
def test_an_ending_shows_the_level(sentence: str, level: str) -> None:
    assert level_of(sentence) == level


@pytest.mark.parametrize(
    "sentence", ["물이 필요", "푸른 바다", "큰 피해", "내가 했는데", "오늘의 날씨", "다 먹었어 다", "OK", ""]
)
def test_what_is_no_clear_ending_has_no_level(sentence: str) -> None:
    assert level_of(sentence) is None


def test_speech_and_thoughts_do_not_count() -> None:
    text = '“빨리 오세요.” 그가 손짓했다. 나는 ‘싫습니다’ 하고 생각했다. "왜요?" 문이 닫혔다.'
    assert levels(text) == ["해라체", "해라체", "해라체"]


def test_levels_are_counted() -> None:
    assert Counter(levels("갑니다. 가요. 간다.\n가요")) == {"합쇼체": 1, "해요체": 2, "해라체": 1}
