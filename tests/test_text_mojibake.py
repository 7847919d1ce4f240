"""Mojibake is found, and repaired where nothing was lost."""

from __future__ import annotations

import pytest

from llmops_cli.text.mojibake import mojibake, repaired

TEXT = "안녕하세요, 오늘은 날씨가 좋습니다! “갈까?” 똠방각하 3.5km"


def as_cp1252(data: bytes) -> str:
    """Bytes as Windows shows them: the five that cp1252 leaves out are Latin-1."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)


@pytest.mark.parametrize(
    ("spoiled", "kind"),
    [
        (TEXT.encode().decode("latin-1"), "UTF-8 read as Latin-1"),
        (as_cp1252(TEXT.encode()), "UTF-8 read as Latin-1"),
        (TEXT.encode().decode("latin-1").encode().decode("latin-1"), "UTF-8 read as Latin-1"),
        (TEXT.encode().decode("mac_roman"), "UTF-8 read as Mac Roman"),
        (TEXT.encode("cp949").decode("latin-1"), "CP949 read as Latin-1"),
        (as_cp1252(TEXT.encode("cp949")), "CP949 read as Latin-1"),
    ],
)
def test_korean_read_as_a_western_encoding_comes_back_whole(spoiled: str, kind: str) -> None:
    assert mojibake(spoiled) == kind
    assert repaired(spoiled) == TEXT


def test_jamo_alone_are_enough() -> None:
    assert repaired("ㅋㅋ".encode().decode("latin-1")) == "ㅋㅋ"


def test_a_dot_beside_a_letter_stays() -> None:
    assert repaired("서울·US 안녕하세요".encode("cp949").decode("latin-1")) == "서울·US 안녕하세요"


def test_only_the_spoiled_part_changes() -> None:
    assert repaired("그는 말했다: “" + "안녕".encode().decode("latin-1") + "”") == "그는 말했다: “안녕”"


@pytest.mark.parametrize("missing", ["?", "\ufffd"])
def test_utf8_read_as_cp949_is_found_and_what_is_lost_stays_lost(missing: str) -> None:
    spoiled = TEXT.encode().decode("cp949", "replace").replace("\ufffd", missing)
    assert mojibake(spoiled) == "UTF-8 read as CP949"
    assert repaired(spoiled) is None


def test_utf8_read_as_cp949_without_a_loss_comes_back() -> None:
    spoiled = "로그로그".encode().decode("cp949")
    assert mojibake(spoiled) == "UTF-8 read as CP949"
    assert repaired(spoiled) == "로그로그"


def test_replacement_characters_read_as_cp949_are_found() -> None:
    assert mojibake("이름: 占쏙옙占쏙옙") == "UTF-8 read as CP949"
    assert repaired("이름: 占쏙옙占쏙옙") is None


@pytest.mark.parametrize(
    "text",
    [
        "뭐?그래서 어떻게 됐어?진짜?",
        "café, naïve, Übermut, señor, Ångström",
        "비밀···· 36.5°C ±0.5 §3 «인용» ½¼",
        "大韓民國은 민주공화국이다. 可能性이 있다.",
        "뷁 똠방각하 펲시",
        "Ã©tait Ã©Ã¨",
        "ÎLE D’ÉTÉ, MAÏS, FRÈRE",
        "ㅋㅋㅋ 😀 ",
        "",
    ],
)
def test_good_text_is_left_alone(text: str) -> None:
    assert mojibake(text) is None
    assert repaired(text) is None
