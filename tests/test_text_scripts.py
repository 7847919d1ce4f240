"""Shares of scripts."""

from __future__ import annotations

import pytest

from llmops_cli.text.scripts import foreign_scripts, hangul_share, letters


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("가나다", 1.0),
        ("가나 ab", 0.5),
        ("hello", 0.0),
        ("ㅋㅋ ok", 0.5),
        ("가나漢字", 0.5),
        ("2024!! 😀", 1.0),
        ("", 1.0),
    ],
)
def test_hangul_is_counted_among_letters(text: str, share: float) -> None:
    assert hangul_share(text) == share


def test_digits_and_punctuation_are_no_letters() -> None:
    assert letters("가 1_2, Ab") == (1, 2)


def test_each_foreign_script_is_counted() -> None:
    assert foreign_scripts("정말 谢谢 ありがとう это カナ ไทย") == {"han": 2, "kana": 7, "cyrillic": 3, "thai": 3}


@pytest.mark.parametrize("text", ["오늘은 3kg, α와 π ㅎㅎ", "사과・배", "〇〇〇 씨"])
def test_latin_symbols_and_dots_are_not_foreign(text: str) -> None:
    assert foreign_scripts(text) == {}
