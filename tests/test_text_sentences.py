"""Where one Korean sentence ends and the next begins."""

from __future__ import annotations

import pytest

from llmops_cli.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("비가 왔다. 우산이 없었다.", ["비가 왔다.", "우산이 없었다."]),
        ("올 거야? 꼭 와! 기다릴게.", ["올 거야?", "꼭 와!", "기다릴게."]),
        ("비가 왔다.우산이 없었다.", ["비가 왔다.", "우산이 없었다."]),
        ("진짜?그럼 갈게", ["진짜?", "그럼 갈게"]),
        ("첫 줄\n\n둘째 줄", ["첫 줄", "둘째 줄"]),
        ("반갑습니다 저는 새로 왔어요 잘 부탁드려요", ["반갑습니다", "저는 새로 왔어요", "잘 부탁드려요"]),
        ("어디 가십니까 같이 가십시오", ["어디 가십니까", "같이 가십시오"]),
        ("그만두자고 했다… 아무도 듣지 않았다.", ["그만두자고 했다…", "아무도 듣지 않았다."]),
        ("“문 닫아.” 형이 일어섰다.", ["“문 닫아.”", "형이 일어섰다."]),
        ("결과는 「보통」. 다시 쟀다.", ["결과는 「보통」.", "다시 쟀다."]),
        ("The model is small. 그래도 쓸 만하다.", ["The model is small.", "그래도 쓸 만하다."]),
    ],
)
def test_a_sentence_ends_at_its_stop_its_line_or_its_polite_ending(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "평균은 3.5 점이고 2026. 9. 30. 발표했다",
        "1. 첫째는 물이다",
        "그게… 그러니까 내 말은",
        "“문 닫아. 춥다.” 하고 형이 말했다.",
        "“갈까?”라고 물었다.",
        "그는 (정말이다. 내가 봤다.) 웃었다",
        "Mr. 박이 왔다",
        "춥습니다만 견딜 만해",
        "필요 없다",
    ],
)
def test_a_sentence_goes_on(sentence: str) -> None:
    assert split_sentences(sentence) == [sentence]


@pytest.mark.parametrize("piece", ["!", ".", "…", "“", "'", "(", "?!", "다."])
def test_a_line_of_one_mark_takes_no_time(piece: str) -> None:
    assert "".join(split_sentences(piece * 100_000)) == piece * 100_000


def test_nothing_is_lost_but_white_space() -> None:
    text = "  “가자!” 그가 외쳤다...  \n\n(왜?) 3.5톤이에요 그래요?네. "
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
