"""Lengths that a prompt asks for, and lengths given."""

from __future__ import annotations

import json
import math

import pytest

from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.metrics import Item, Measurement
from llmops_cli.text.length_requests import length_requests
from llmops_cli.text.lengths import manuscript_pages

EITHER = ("characters", "characters_without_spaces")


def measured(prompt: str, output: str) -> Measurement | None:
    (found,) = find_metric("length_deviation").measure([Item("a", output, prompt)])
    return found


def deviation(prompt: str, output: str) -> float:
    found = measured(prompt, output)
    assert found is not None
    return found.score


@pytest.mark.parametrize(
    ("prompt", "units", "low", "high"),
    [
        ("작품의 초반 전개를 400자 내외로 작성해 보세요.", EITHER, 400, 400),
        ("공백 포함 500자로 써 줘", ("characters",), 500, 500),
        ("500자(공백 제외)로 써 줘", ("characters_without_spaces",), 500, 500),
        ("띄어쓰기 포함 600자", ("characters",), 600, 600),
        ("1,000자 이상 써 주세요", EITHER, 1000, math.inf),
        ("자기소개서는 최대 800자", EITHER, 0, 800),
        ("500자를 넘지 않게 써 줘", EITHER, 0, 500),
        ("300~500자로 써 줘", EITHER, 300, 500),
        ("300자에서 500자 사이로", EITHER, 300, 500),
        ("300자 이상 500자 이하로 작성", EITHER, 300, 500),
        ("2~3천 자 분량", EITHER, 2000, 3000),
        ("이천오백 자 이상", EITHER, 2500, math.inf),
        ("1만 5천자 이내", EITHER, 0, 15000),
        ("300여 자로 써라", EITHER, 300, 300),
        ("500자 소설을 써 줘", EITHER, 500, 500),
        ("원고지 5매 분량의 단편을 써 줘", ("manuscript_pages",), 5, 5),
        ("200자 원고지 3장으로 써 줘", ("manuscript_pages",), 3, 3),
        ("원고지(400자) 10매 내외", ("manuscript_pages",), 20, 20),
        ("세 문장으로 요약해 줘", ("sentences",), 3, 3),
        ("5문장으로 써라", ("sentences",), 5, 5),
        ("서너 문장으로 답해", ("sentences",), 3, 4),
        ("영어 문장 3개로 요약한 뒤", ("sentences",), 3, 3),
        ("'약속'을 넣어 문장을 하나만 지으세요.", ("sentences",), 1, 1),
        ("두 문단으로 써 주세요", ("paragraphs",), 2, 2),
        ("열두 줄짜리 시", ("lines",), 12, 12),
        ("10어절 이하로 작성.", ("words",), 0, 10),
        ("두 글자로 답해", EITHER, 2, 2),
    ],
)
def test_what_a_prompt_asks_for(prompt: str, units: tuple[str, ...], low: float, high: float) -> None:
    assert length_requests(prompt) == [(units, low, high)]


@pytest.mark.parametrize(
    "prompt",
    [
        "바다 이야기를 써 줘",
        "두 문장 사이에 알맞은 접속어를 써 줘",
        "처음 두 문장을 바탕으로 설명해 줘",
        "다음 400자 글을 요약해 줘",
        "각 문장을 네 어절로 작성하세요.",
        "문단마다 세 문장씩 써 줘",
        "한 줄에 한 권씩 출력합니다.",
        "연필 12자루가 있다. 2자리 숫자를 말해 줘",
        "3자 대면을 묘사해 줘",
        "이 문장으로 시작하는 소설, 이 자로 끝나는 말",
        "종이 두 장을 접는 법을 써 줘",
        "0자 이내로 써 줘",
        "9" * 5000 + "자로 써 줘",
        ",자 원고지",
    ],
)
def test_a_number_that_asks_for_no_length(prompt: str) -> None:
    assert length_requests(prompt) == []
    assert measured(prompt, "바다.") is None


def test_several_lengths_are_asked_at_once() -> None:
    found = measured("세 문단, 공백 포함 300자 내외로 써 줘", "\n\n".join(["가" * 100] * 2))
    assert found is not None
    assert found.score == pytest.approx((1 / 3 + 1 / 3) / 2)
    assert found.details["lengths"] == [
        {"unit": "paragraphs", "asked": 3, "given": 2},
        {"unit": "characters", "asked": 300, "given": 200},
    ]


@pytest.mark.parametrize(
    ("prompt", "length", "missed"),
    [
        ("400자 내외로", 400, 0.0),
        ("400자 내외로", 300, 0.25),
        ("400자 내외로", 800, 1.0),
        ("300~500자로", 500, 0.0),
        ("300~500자로", 600, 0.2),
        ("300~500자로", 150, 0.5),
        ("300자 이상 써 줘", 3000, 0.0),
        ("300자 이내로", 1, 0.0),
        ("300자 이내로", 0, 1.0),
        ("300자 이상 써 줘", 0, 1.0),
    ],
)
def test_the_deviation_is_what_is_missed_of_the_length(prompt: str, length: int, missed: float) -> None:
    assert deviation(prompt, "가" * length) == pytest.approx(missed)


def test_spaces_count_as_the_prompt_says_and_else_as_is_nearer() -> None:
    output = "가나다라 " * 80  # 399 with the spaces between, 320 without
    assert deviation("공백 포함 399자", output) == 0.0
    assert deviation("공백 제외 320자", output) == 0.0
    assert deviation("320자", output) == deviation("399자", output) == 0.0
    assert deviation("공백 포함 320자", output) == pytest.approx(79 / 320)


def test_details_are_json_where_a_range_has_no_end() -> None:
    found = measured("1,000자 이상 써 주세요", "가")
    assert found is not None
    assert json.loads(json.dumps(found.details, allow_nan=False))["lengths"][0]["asked"] == [1000, None]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", 0),
        ("가", 1),
        ("가" * 19, 1),  # the first square of a paragraph is empty
        ("가" * 20, 2),
        ("가" * 19 + ".", 1),  # a stop never starts a line
        ("가" * 19 + " " + "나" * 20, 2),  # and neither does a space
        ("12" * 19, 1),  # two digits take one square
        ("AB" * 10, 2),
        ("가다. 나" * 4, 1),  # no square is left empty behind a full stop: 4 * 4 - 0 and the indent
        ("가\n나\n\n다", 3),
    ],
)
def test_a_manuscript_page_has_ten_lines_of_twenty_squares(text: str, lines: int) -> None:
    assert manuscript_pages(text) == lines / 10


def test_the_length_of_answers_describes_and_does_not_judge() -> None:
    metric = find_metric("output_length")
    assert metric.better is None
    assert metric.measure([Item("a", " 가 나 \n\n다\n"), Item("b", "")]) == [Measurement(4), Measurement(0)]
