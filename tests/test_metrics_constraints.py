"""Constraints of an answer that a program can check."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from llmops_cli.evaluation import constraints as checking
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.config import Constraints
from llmops_cli.evaluation.metrics import Item, Measurement

VERSE = "푸른 바다\n흰 돛배\n나는 간다"


def measured(output: str, **constraints: Any) -> Measurement | None:
    (found,) = find_metric("constraints").measure(
        [Item("a", output, constraints=Constraints.model_validate(constraints))]
    )
    return found


def fulfilled(output: str, **constraints: Any) -> bool:
    found = measured(output, **constraints)
    assert found is not None
    assert (found.score == 1.0) is (not found.details)
    return found.score == 1.0


def test_every_constraint_of_the_schema_is_checked() -> None:
    assert set(checking._JUDGES) == set(Constraints.model_fields)


@pytest.mark.parametrize(
    ("output", "constraints"),
    [
        ("가" * 300, {"characters": 300}),
        ("가" * 271, {"characters": 300}),
        ("가" * 50, {"characters": {"max": 100}}),
        ("가 나 다", {"characters_without_spaces": 3}),
        ("가" * 950, {"manuscript_pages": 5}),
        ("비가 왔다. 갔다.", {"sentences": 2}),
        ("하나.\n둘.\n\n셋.", {"paragraphs": 2}),
        (VERSE, {"lines": {"min": 3, "max": 4}}),
        ("한 마디", {"words": 2}),
        ("1. 하나\n② 둘\n- 셋", {"list_items": 3}),
        ("지우가 왔고 민준이는 갔다.", {"include": ["지우", "민준"]}),
        ("준비한 비슷한 말", {"exclude": ["비"]}),
        ("그날 바다는 조용했다.", {"starts_with": "그날", "ends_with": "조용했다"}),
        ("정말 좋아요 😊", {"ends_with_sentence": True}),
        ("응 그래 ㅋㅋㅋ", {"ends_with_sentence": True}),
        ("그가 말했다. “가자.”", {"ends_with_sentence": True}),
        (VERSE, {"ends_with_sentence": True}),
        ("# 등대\n\n바다가 보였다.", {"title": True}),
        ("등대\n\n바다가 보였다.", {"title": True}),
        ("바다가 보였다.\n끝이 났다.", {"title": False}),
        ("“가자!” 그가 말했다.", {"dialogue": True}),
        ("― 가자\n그가 말했다.", {"dialogue": True}),
        ("“사랑”이라는 말을 ‘싫다.’고 여겼다.", {"dialogue": False}),
        ("비가 왔다. 나는 걸었다.", {"person": 1}),
        ("소리가 나는 쪽에서 화가 난 그는 “나는 싫어!” 했다. 나이가 많았다.", {"person": 3}),
        ("갑니다. “싫어!” 그래요.", {"speech_level": "존댓말"}),
        ("간다. 갔어.", {"speech_level": "반말"}),
        ("간다. “가요.” 왔다.", {"speech_level": "해라체"}),
        ("가나다 123 ㅋㅋ!", {"hangul_only": True}),
        ('{"a": [1]}', {"valid_json": True}),
        ("```json\n[1, 2]\n```", {"valid_json": True}),
    ],
)
def test_a_constraint_that_is_fulfilled(output: str, constraints: dict[str, Any]) -> None:
    assert fulfilled(output, **constraints)
    assert not fulfilled("  ", **constraints)


@pytest.mark.parametrize(
    ("output", "constraints", "why"),
    [
        ("가" * 260, {"characters": 300}, "260, want 270 or more"),
        ("가" * 101, {"characters": {"max": 100}}, "101, want 100 or fewer"),
        ("비가 왔다. 갔다.", {"sentences": 3}, "2, want 3 or more"),
        ("비슷한 준비, 장대비", {"include": ["비", "장대비"]}, "without 비"),
        ("지우가 왔다.", {"exclude": ["지우", "민준"]}, "with 지우"),
        ("저녁이었다.", {"starts_with": "그날"}, "starts with '저녁'"),
        ("저녁이었다.", {"ends_with": "아침이었다"}, "ends with '녁이었다.'"),
        ("그는 문을 열고 나가", {"ends_with_sentence": True}, "cut off: …그는 문을 열고 나가"),
        ("바다가 보였다.\n끝이 났다.", {"title": True}, "the first line is '바다가 보였다.'"),
        ("“사랑”이라는 말", {"dialogue": True}, "nobody speaks"),
        ("“가자!” 했다.", {"dialogue": False}, "somebody says '가자!'"),
        ("그는 걸었다. “나는 싫어!”", {"person": 1}, "no 나, 내 or 저 of a narrator"),
        ("그날 내가 걸었다.", {"person": 3}, "the narrator says 내가"),
        ("갑니다. 갔다.", {"speech_level": "존댓말"}, "'갔다.' is not 존댓말"),
        ("푸른 바다", {"speech_level": "반말"}, "no sentence has an ending that tells"),
        ("가나다 abc", {"hangul_only": True}, "3 other letters"),
        ("—", {"ends_with_sentence": True}, "cut off: …"),
        ("{a: 1}", {"valid_json": True}, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_why_a_constraint_is_not_fulfilled(output: str, constraints: dict[str, Any], why: str) -> None:
    found = measured(output, **constraints)
    assert found is not None
    assert found.details == {next(iter(constraints)): why}


@pytest.mark.parametrize(
    "text", ["비가", "비는", "비처럼", "비였다", "비입니다", "비에서도", "비(雨)만", "비 오는 날", "비"]
)
def test_a_word_with_any_josa_is_included(text: str) -> None:
    assert fulfilled(f"그날 {text}", include=["비"])


@pytest.mark.parametrize("text", ["비슷한", "준비", "빗방울", "비로소", "장대비가", "비밀", "비하하다"])
def test_a_part_of_another_word_is_not_included(text: str) -> None:
    assert not fulfilled(f"그날 {text}", include=["비"])


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("친구", "친구들에게는"),
        ("점순", "점순이가"),
        ("지우", "지우씨한테서도"),
        ("약속", "약속했다"),
        ("고맙*", "고맙습니다"),
        ("*지우", "김지우는"),
        ("세 시", "세  시에"),
        ("ㅋㅋ", "아니ㅋㅋㅋ"),
        ("AI", "AI가"),
    ],
)
def test_words_of_people_verbs_open_ends_and_laughter_are_included(word: str, text: str) -> None:
    assert fulfilled(text, include=[word])
    assert not fulfilled(text, exclude=[word])


def test_the_score_is_the_share_that_is_fulfilled() -> None:
    found = measured("비가 왔다.", sentences=2, include=["비"], exclude=["눈"], dialogue=True)
    assert found is not None
    assert found.score == 0.5
    assert set(found.details) == {"sentences", "dialogue"}


def test_an_item_without_constraints_has_no_score() -> None:
    assert measured("바다") is None
    assert find_metric("constraints").measure([Item("a", "바다")]) == [None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sentence": 3},
        {"characters": "300"},
        {"characters": True},
        {"characters": {"min": 300, "max": 200}},
        {"characters": {}},
        {"person": 2},
        {"speech_level": "높임"},
        {"include": ["*"]},
        {"include": [""]},
        {"hangul_only": False},
    ],
)
def test_wrong_constraints_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Constraints.model_validate(wrong)


def test_constraints_read_back_as_they_were_written() -> None:
    once = Constraints.model_validate({"characters": 300, "sentences": 2, "lines": {"max": 3}})
    assert Constraints.model_validate(once.model_dump()) == once
