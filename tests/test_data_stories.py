"""Chats of several people become two sides, works become instruction pairs, and their codes become names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from workbench import read, refused, turns, write_file

from llmops_cli.data.names import GIVEN_NAMES


def chat(*said: str, **columns: Any) -> list[dict[str, Any]]:
    """A chat from lines of a speaker and what they say: `A 안녕?`."""
    return [{"messages": [{"speaker_id": line[0], "content": line[2:]} for line in said]} | columns]


def test_turns_of_one_speaker_are_merged() -> None:
    (record,) = read(
        write_file("a.json", chat("A 야", "A 뭐해?ㅋㅋ", "B 그냥", "B 있어", "A 나와", "B 응", topic="일상"))
    )
    assert turns(record) == [
        ("user", "야\n뭐해?ㅋㅋ"),
        ("assistant", "그냥\n있어"),
        ("user", "나와"),
        ("assistant", "응"),
    ]
    assert record.metadata == {"topic": "일상", "speakers": 2, "assistant": "B"}


def test_who_answers_may_be_named() -> None:
    path = write_file("a.json", chat("A 먼저", "B 물음", "A 답", "B 끝말"))
    (record,) = read(path, assistant_speaker="A")
    assert turns(record) == [("user", "물음"), ("assistant", "답")]
    assert record.metadata["dropped_turns"] == 2
    problem = refused(path, assistant_speaker="Z")
    assert "no speaker 'Z': there are A, B" in problem.what
    assert problem.hint == "--set assistant_speaker=ID"


def test_three_speakers_keep_their_names() -> None:
    said = chat("A 어디?", "B 집", "B 왜?", "C 나도", "A 가자", "C 좋아")
    said[0]["messages"][1]["speaker_name"] = said[0]["messages"][2]["speaker_name"] = "민준"
    (record,) = read(write_file("a.json", said))
    assert turns(record) == [
        ("user", "A: 어디?\n민준: 집\n왜?"),
        ("assistant", "나도"),
        ("user", "A: 가자"),
        ("assistant", "좋아"),
    ]


def test_empty_turns_are_dropped_and_counted() -> None:
    said = chat("A 야", "B  ", "A 뭐해?", "B 응")
    said[0]["messages"].append({"speaker_id": "A", "content": None})
    (record,) = read(write_file("a.json", said))
    assert turns(record) == [("user", "야\n뭐해?"), ("assistant", "응")]
    assert record.metadata["dropped_turns"] == 2


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (chat("A 혼자", "A 말한다"), "two speakers, got 1"),
        (chat("A 야", "A 뭐해?", "B 응", assistant="A"), "answers nobody"),
        ([{"messages": [{"speaker_id": "A", "content": "가"}, {"speaker_id": None, "content": "나"}]}], "messages[1]"),
        ([{"messages": [{"speaker_id": "A", "content": "가"}, "나"]}], "messages[1]: want {speaker_id, content}"),
    ],
)
def test_a_chat_that_is_none(row: list[dict[str, Any]], what: str) -> None:
    path = write_file("a.json", row)
    assert what in refused(path, assistant_speaker="A").what


SCENES = {
    "id": "W1",
    "title": "비 오는 날",
    "genre": ["드라마"],
    "text": ["C001은 C002를 만났다.", " ", "C002은 C001와 걸었다."],
}
NOVEL = {
    "id": "N1", "type": "novel", "title": "바다", "genre": ["성장"], "concept": "C001의 여름",
    "conflict": "C001과 C002의 다툼", "motif": ["바다"], "characters": ["C001", "C002"],
    "units": [
        {
            "storyline": "C001은 떠난다.",
            "story_scripts": [{"content": "C001가 말했다."}, {"content": "C002은 울었다."}],
        },
        {"storyline": "C002은 찾는다.", "story_scripts": [{"content": "C002이 달렸다."}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["anime", "movie", "series"])
def test_scenes_become_continuations(kind: str) -> None:
    path = write_file(f"VL_{kind}/w.json", [SCENES])
    first, second = read(path, names={"C001": "민준", "C002": "지우"})
    assert first.messages[1].content == "민준은 지우를 만났다."
    assert "'비 오는 날'(드라마)" in first.messages[0].content
    assert "민준은 지우를 만났다." in second.messages[0].content
    assert second.messages[1].content == "지우는 민준과 걸었다."
    assert second.id == "W1:2"
    about = {"work": "W1", "kind": kind, "title": "비 오는 날", "genre": ["드라마"], "part": "scene", "scene": 2}
    assert second.metadata == about


def test_a_novel_becomes_storylines_and_scenes() -> None:
    records = read(write_file("VL_novel/n.json", [NOVEL]), names={"C001": "민준", "C002": "지우"})
    answers = [record.messages[-1].content for record in records]
    assert answers == [
        "민준은 떠난다.",
        "민준이 말했다.",
        "지우는 울었다.",
        "지우는 찾는다.",
        "지우가 달렸다.",
    ]
    storyline, _, scene, later, _ = (record.messages[0].content for record in records)
    annotated = ("장르: 성장", "콘셉트: 민준의 여름", "갈등: 민준과 지우의 다툼", "모티프: 바다")
    assert all(part in storyline for part in annotated)
    assert "[줄거리]\n민준은 떠난다.\n[앞 장면]\n민준이 말했다." in scene
    assert "[앞 줄거리]\n민준은 떠난다." in later
    assert {record.metadata["work"] for record in records} == {"N1"}


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"title": "가", "text": ["나", 3]}, "want a list of texts"),
        ({"title": "가", "text": [" "]}, "no scene"),
        ({"title": "가", "units": [{"storyline": "", "story_scripts": [{"content": None}]}]}, "no storyline"),
    ],
)
def test_a_work_without_words_is_refused(row: dict[str, Any], what: str) -> None:
    assert what in refused(write_file("a.json", [row])).what


def test_names_are_chosen_once_for_a_work_and_for_ever() -> None:
    path = write_file("n.json", [NOVEL])
    texts = [text for record in read(path) for text in record.contents()]
    assert not any("C00" in text for text in texts)
    assert texts == [text for record in read(path) for text in record.contents()]
    others = [read(write_file("o.json", [NOVEL | {"id": f"N{number}"}]))[0].contents() for number in range(2, 8)]
    assert len({*others, tuple(texts[:2])}) > 1


def test_a_name_that_the_work_uses_is_given_to_nobody() -> None:
    rest = GIVEN_NAMES[5:]
    (record,) = read(write_file("a.json", [{"id": "w", "text": [f"C001은 {', '.join(rest)}와 다르다."]}]))
    assert record.messages[1].content.partition("은 ")[0].partition("는 ")[0] in GIVEN_NAMES[:5]


def test_a_code_that_begins_another_is_no_part_of_it() -> None:
    work = {"id": "w", "characters": [{"id": "C1"}, "C10", "C100"], "text": ["C10은 C1과 C100을 불렀다. C1이 왔다."]}
    (record,) = read(write_file("a.json", [work]), names={"C1": "지우", "C10": "민준", "C100": "한결"})
    assert record.messages[1].content == "민준은 지우와 한결을 불렀다. 지우가 왔다."


PAIRS = "은 는|이 가|을 를|과 와|으로 로|이랑 랑|이나 나|이었다 였다|이라고 라고|이다 다"


@pytest.mark.parametrize("final", range(28))
def test_josa_agree_with_names_of_every_final_consonant(final: int) -> None:
    name = "소" + chr(ord("가") + final)
    forms = [pair.split() for pair in PAIRS.split("|")]
    codes = [f"C001{form} 온다" for pair in forms for form in pair]
    (record,) = read(write_file("a.json", [{"id": "w", "text": [". ".join(codes)]}]), names={"C001": name})
    found = re.findall(f"{name}([가-힣]+)", record.messages[1].content)
    right = [pair[1 if final == 0 or (final == 8 and pair[1] == "로") else 0] for pair in forms for _ in pair]
    assert found == right
