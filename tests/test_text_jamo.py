"""Jamo outside of syllables."""

from __future__ import annotations

import unicodedata

import pytest

from llmops_cli.text.jamo import lone_jamo, torn_syllables, with_compatibility_jamo
from llmops_cli.text.normalize import nfc

OLD_SPELLING = "\u1112\u119e\u11ab글"  # ᄒᆞᆫ글


def test_lone_conjoining_jamo_are_found_and_old_syllables_are_not() -> None:
    assert lone_jamo("가\u110f\u110f 나") == ["\u110f", "\u110f"]
    assert lone_jamo(OLD_SPELLING) == []
    assert lone_jamo("ㅋㅋ ㅠㅠ 안녕") == []


def test_what_nfkc_did_to_laughter_is_undone() -> None:
    text = "진짜 ㅋㅋㅋ ㅠㅠ ㄳ"
    spoiled = nfc(unicodedata.normalize("NFKC", text))
    assert spoiled != text
    assert with_compatibility_jamo(spoiled) == text
    assert with_compatibility_jamo(OLD_SPELLING) == OLD_SPELLING


@pytest.mark.parametrize("text", ["ㅇㅏㄴㄴㅕㅇ", "그냥 ㄱㅏㄷㅏ", "ㅁㅏㅇㅎㅐㅆㄷㅏ"])
def test_a_word_torn_into_jamo_is_found(text: str) -> None:
    assert len(torn_syllables(text)) == 1


@pytest.mark.parametrize("text", ["ㅋㅋㅋㅋ", "ㅠㅠㅋㅋㅠㅠ", "ㅠㅅㅠ ㅜㅁㅜ", "ㅇㅈ ㄱㄱ", "ㅏㅏㅏ", "안녕"])
def test_jamo_on_purpose_are_not_torn(text: str) -> None:
    assert torn_syllables(text) == []
