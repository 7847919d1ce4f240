"""Measures of repetition."""

from __future__ import annotations

import pytest

from llmops_cli.text.ngrams import distinct_n, ngrams
from llmops_cli.text.repetition import longest_run, rep_n, stuck


def test_ngrams_of_characters_and_words() -> None:
    assert list(ngrams("가나다", 2)) == [("가", "나"), ("나", "다")]
    assert list(ngrams(["물", "한", "잔"], 3)) == [("물", "한", "잔")]
    assert list(ngrams("가", 2)) == []


def test_distinct_n_is_the_share_of_unique_ngrams_and_rep_n_the_rest() -> None:
    assert distinct_n("가나가나", 2) == pytest.approx(2 / 3)
    assert rep_n("가나가나", 2) == pytest.approx(1 / 3)
    assert distinct_n([], 4) == 1.0


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("네 좋아 좋아 좋아 가자", ("좋아", 3)),
        ("비가 온다 비가 온다 비가 온다 끝", ("비가 온다", 3)),
        ("하나 둘 셋", ("", 1)),
        ("", ("", 1)),
    ],
)
def test_the_longest_run_of_a_unit(text: str, run: tuple[str, int]) -> None:
    assert longest_run(text.split()) == run


def test_a_unit_longer_than_asked_for_is_not_looked_for() -> None:
    assert longest_run(["가", "나", "다", "가", "나", "다"], 2) == ("", 1)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("그래 " + "네요" * 30, "네요"),
        ("ㅋ" * 80, None),
        ("━" * 80, None),
        ("하" * 20, None),
        ("https://example.org/" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2, None),
    ],
)
def test_letters_that_are_stuck(text: str, unit: str | None) -> None:
    assert stuck(text) == unit
