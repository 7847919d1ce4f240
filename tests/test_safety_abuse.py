"""Abusive Korean is found in its disguises, and the words that only look like it are not."""

from __future__ import annotations

import pytest

from llmops_cli.safety.abuse import abuse


@pytest.mark.parametrize(
    "text",
    [
        "야 이 씨발아",
        "시1발 진짜",
        "아 씨이이발",
        "ㅅㅂ 또 늦었네",
        "아ㅅㅂㅋㅋ",
        "병.신 같은 소리",
        "ㅂㅅ이냐",
        "ㅈㄹ하네",
        "지랄 좀 하지 마",
        "저 개새끼가",
        "개.새.끼",
        "이 새끼가 또",
        "미친 놈 아니야",
        "입 닥쳐",
    ],
)
def test_profanity_and_its_disguises(text: str) -> None:
    assert {found.kind for found in abuse(text)} == {"profanity"}


@pytest.mark.parametrize("text", ["틀딱들은 다 그래", "짱깨 나가라", "쪽바리 놈들", "맘충이네", "한남충 또 나왔네"])
def test_slurs_against_groups(text: str) -> None:
    assert "slur" in {found.kind for found in abuse(text)}


@pytest.mark.parametrize("text", ["너 죽여 버린다", "때려죽일 거야", "죽고 싶냐?", "뒤질래", "가만 안 둔다"])
def test_threats(text: str) -> None:
    assert [found.kind for found in abuse(text)] == ["threat"]


@pytest.mark.parametrize(
    "text",
    [
        "이 노래가 한국 록의 시발점이다.",
        "열차는 시발역에서 떠났다. 도시발전 계획",
        "글씨 발전이 없다. 아저씨 발 밟지 마세요. 솜씨발휘",
        "이 새끼 고양이는 누렁이 새끼를 닮았다. 제비 새끼가 새끼손가락만 하다",
        "병신년에 태어났다. 팔등신 미인",
        "홍어 먹으러 목포에 갔다. 한남동에서 한남대교까지",
        "김치찌개와 된장국, 대충 보충하고 절충했다",
        "날개소리가 들렸다",
        "죽고 싶어요. 너무 힘들어요.",
        "위기가 닥쳐 불이 꺼져 갔다",
        "보지 못했다. 주머니를 뒤져 보았다.",
        "그는 졸라 댔다. 일시 발행, 다시 발송",
        "ㅇㅅㅇ ㅂㅂ ㅈㅅ ㄱㅅ ㅋㅋㅋ",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert abuse(text) == []


def test_the_place_is_told() -> None:
    text = "그는 병신이라 불렸다"
    (found,) = abuse(text)
    assert text[found.start : found.end] == "병신"
