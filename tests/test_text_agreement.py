"""Josa after names."""

from __future__ import annotations

import pytest

from llmops_cli.text.agreement import disagreements

NAMES = ("민준", "지우", "한결", "지원", "수지")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("민준는 웃었다.", [("민준는", "민준은")]),
        ("“지우을 봤니?”", [("지우을", "지우를")]),
        ("한결으로 부르자", [("한결으로", "한결로")]),
        ("지우이가 왔다", [("지우이가", "지우가")]),
        ("민준야, 민준예요.", [("민준야", "민준아"), ("민준예요", "민준이에요")]),
        ("[이름]는 [전화번호]을 썼다", [("[이름]는", "[이름]은"), ("[전화번호]을", "[전화번호]를")]),
        ("[NAME]은 [이름1]는", [("[NAME]은", "[NAME]는"), ("[이름1]는", "[이름1]은")]),
    ],
)
def test_the_wrong_form_is_found_with_the_right_one(text: str, found: list[tuple[str, str]]) -> None:
    assert list(disagreements(text, NAMES)) == found


@pytest.mark.parametrize(
    "text",
    [
        "민준이가 민준은 민준에게 민준이랑 한결로 지우로 지우와",
        "지원자와 지원금, 수지면, 지원은행",
        "김지우은행 옆",
        "전문가는 있는 국가와 [1]은 서울[수도]는",
        "지우였다. 지우이었다. 민준이었다.",
        "그 사람은 사과을 먹었다",
    ],
)
def test_right_forms_and_other_words_are_left_alone(text: str) -> None:
    assert list(disagreements(text, NAMES)) == []


def test_without_names_only_placeholders_are_looked_at() -> None:
    assert list(disagreements("민준는 [이름]는", ())) == [("[이름]는", "[이름]은")]
