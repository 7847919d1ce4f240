"""Rows of every known shape become the same record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workbench import read, read_on, refused, turns, write_file

from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import formats
from llmops_cli.data.config import ReadOptions

USER = {"role": "user", "content": "안녕?"}
ANSWER = {"role": "assistant", "content": "반가워."}
PARTS = [{"type": "text", "text": "안"}, {"type": "text", "text": "녕?"}]
PAIR = [("user", "안녕?"), ("assistant", "반가워.")]
SYSTEM = ("system", "너는 편집자다")


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER, ANSWER]},
        {"messages": [{"role": "user", "content": PARTS}, ANSWER]},
        {"conversations": [{"from": "human", "value": "안녕?"}, {"from": "gpt", "value": "반가워."}]},
        {"conversations": [{"from": "User", "value": "안녕?"}, {"from": "ChatGPT", "value": "반가워."}]},
        {"prompt": "안녕?", "completion": "반가워."},
        {"prompt": [USER], "completion": [ANSWER]},
        {"instruction": "안녕?", "input": "", "output": "반가워."},
        {"instruction": "안녕?", "output": "반가워."},
        {"question": "안녕?", "answer": "반가워."},
        {"Q": "안녕?", "A": "반가워."},
        {"질문": "안녕?", "답변": "반가워."},
        {"prompt": "안녕?", "response": "반가워."},
        {"questions": ["안녕?"], "outputs": ["반가워."]},
        {"messages": [{"speaker_id": 1, "content": "안녕?"}, {"speaker_id": 2, "content": "반가워."}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_one_exchange_in_every_shape(name: str, row: dict[str, Any]) -> None:
    (record,) = read(write_file(name, [row]))
    assert turns(record) == PAIR
    assert (record.id, record.source, record.where) == ("a:1", name, f"{name}:1")


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "요약해", "input": "긴 글", "output": "글", "system": SYSTEM[1]},
        {"Q": "요약해\n\n긴 글", "A": "글", "system": SYSTEM[1]},
        {
            "conversations": [{"from": "human", "value": "요약해\n\n긴 글"}, {"from": "gpt", "value": "글"}],
            "system": SYSTEM[1],
        },
        {
            "conversations": [
                {"from": "system", "value": SYSTEM[1]},
                {"from": "human", "value": "요약해\n\n긴 글"},
                {"from": "gpt", "value": "글"},
            ],
            "system": "다른 지시",
        },
    ],
)
def test_a_system_column_comes_first(row: dict[str, Any]) -> None:
    (record,) = read(write_file("a.jsonl", [row]))
    assert turns(record) == [SYSTEM, ("user", "요약해\n\n긴 글"), ("assistant", "글")]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "안녕?", "chosen": "반가워.", "rejected": "몰라."},
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [{"role": "assistant", "content": "몰라."}]},
        {"chosen": [USER, ANSWER], "rejected": [USER, {"role": "assistant", "content": "몰라."}]},
        {"prompt": [USER], "chosen": [USER, ANSWER], "rejected": [USER, {"role": "assistant", "content": "몰라."}]},
        {"prompt": "안녕?", "chosen": [USER, ANSWER], "rejected": [USER, {"role": "assistant", "content": "몰라."}]},
        {"messages": [USER], "chosen": "반가워.", "rejected": "몰라."},
    ],
)
def test_preference_rows(row: dict[str, Any]) -> None:
    """The shapes of TRL, with and without an explicit prompt, and our own."""
    (record,) = read(write_file("a.jsonl", [row | {"score": 0.5}]))
    assert turns(record) == PAIR[:1]
    assert (record.chosen, record.rejected, record.metadata) == ("반가워.", "몰라.", {"score": 0.5})


def test_a_prompt_before_turns_in_common_is_kept() -> None:
    row = {"prompt": [{"role": "system", "content": SYSTEM[1]}], "chosen": [USER, ANSWER], "rejected": [USER, USER]}
    (record,) = read(write_file("a.jsonl", [row]))
    assert turns(record) == [SYSTEM, *PAIR[:1]]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"chosen": "가", "rejected": "나"}, "needs a prompt"),
        ({"prompt": "가", "chosen": [USER, ANSWER], "rejected": [ANSWER]}, "the same turns"),
        ({"prompt": "가", "chosen": 1, "rejected": "나"}, "chosen: got the number 1, want text"),
        ({"messages": [USER], "chosen": "가"}, "belong together"),
        ({"messages": [USER], "chosen": "가", "rejected": None}, "belong together"),
        ({"text": "가", "chosen": ["나"], "rejected": "다"}, "chosen: got a list, want text"),
        ({"messages": [{"role": "gpt", "content": "a"}]}, "messages[0].role: got 'gpt', want system, user, assistant"),
        ({"messages": [USER, "안녕"]}, "messages[1]: want {role, content}"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "text or a list of text parts"),
        ({"conversations": [{"from": "tool", "value": "a"}]}, "conversations[0].from: got 'tool', want system, human"),
        ({"conversations": [{"from": "gpt", "value": ["a"]}]}, "conversations[0].value: want text"),
        ({"prompt": 3, "completion": "a"}, "prompt: got the number 3, want text"),
        ({"prompt": False, "completion": "a"}, "prompt: got False, want text"),
        ({"instruction": {}, "output": "a"}, "instruction: got an object, want text"),
        ({"questions": ["가"], "outputs": ["나", "다"]}, "2 outputs for 1 questions"),
        ({"turns": ["가"], "outputs": "나"}, "outputs: want a list of texts"),
        ({"data": [{"paragraphs": [{"qas": 1}]}]}, "qas: want a list"),
        ({"data": [{"paragraphs": [{"qas": [{"question": "가"}]}]}]}, "question 1: want a context and a question"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row: dict[str, Any], what: str) -> None:
    problem = refused(write_file("a.jsonl", [row]))
    assert problem.where == "a.jsonl:1"
    assert what in problem.what


def test_null_is_an_empty_text() -> None:
    (null,) = read(write_file("a.jsonl", [{"prompt": "가", "completion": None}]))
    assert turns(null)[1] == ("assistant", "")
    (nulls,) = read(write_file("c.jsonl", [{"conversations": [{"from": "human", "value": None}]}]))
    assert turns(nulls) == [("user", "")]


def test_questions_of_a_benchmark() -> None:
    asked, answered = read(
        write_file(
            "a.jsonl",
            [
                {"question_id": 81, "category": "writing", "turns": ["써 줘.", "고쳐 줘."], "reference": []},
                {"id": 1, "questions": ["써 줘.", "고쳐 줘."], "outputs": ["시", None], "score": 7},
            ],
        )
    )
    assert turns(asked) == [("user", "써 줘."), ("user", "고쳐 줘.")]
    assert (asked.id, asked.metadata) == ("81", {"question_id": 81, "category": "writing"})
    assert turns(answered) == [("user", "써 줘."), ("assistant", "시"), ("user", "고쳐 줘."), ("assistant", "")]
    assert (answered.id, answered.metadata) == ("1", {"score": 7})


def test_squad() -> None:
    """All its Hangul is escaped, as in the real file."""
    asked = {"id": "q1", "question": "무엇이?", "answers": [{"text": "한강", "answer_start": 0}]}
    paragraph = {"context": "한강은 길다.", "qas": [asked, {"question": "언제?", "answers": []}]}
    document = json.dumps({"version": "1", "data": [{"title": "한강", "paragraphs": [paragraph]}]})
    assert document.isascii()
    first, second = read(write_file("q.json", document))
    assert turns(first) == [("user", "한강은 길다.\n\n무엇이?"), ("assistant", "한강")]
    assert turns(second) == [("user", "한강은 길다.\n\n언제?"), ("assistant", "")]
    assert (first.id, second.id, first.metadata) == ("q1", "q:2", {"title": "한강"})


def test_a_prompt_without_an_answer() -> None:
    texts, messages = read(
        write_file("a.json", '[{"prompt": "안녕?", "n": 1},\n{"prompt": [{"role": "user", "content": "안녕?"}]}]')
    )
    assert turns(texts) == turns(messages) == PAIR[:1]
    assert texts.metadata == {"n": 1}


def test_text_and_a_text_column() -> None:
    rows = [{"id": 3, "text": "글", "제목": "바다", "source": "책"}, {"본문": "다른 글", "Q": "물음", "A": "답"}]
    plain, pair = read(write_file("a.jsonl", rows))
    assert (plain.id, plain.text, plain.source, plain.metadata) == ("3", "글", "책", {"제목": "바다"})
    assert turns(pair) == [("user", "물음"), ("assistant", "답")]
    (named,) = read(write_file("b.jsonl", rows[1:]), text_column="본문")
    assert (named.text, named.metadata) == ("다른 글", {"Q": "물음", "A": "답"})
    assert refused("b.jsonl", text_column="글").hint == "--set text_column=NAME"
    assert "got a list" in refused(write_file("c.jsonl", [{"글": []}]), text_column="글").what


def test_named_columns_leave_conversations_alone() -> None:
    records = read(
        write_file("a.jsonl", [{"messages": [USER, ANSWER]}, {"물음": "안녕?", "A": "반가워.", "Q": "?"}]),
        prompt_column="물음",
        completion_column="A",
    )
    assert [turns(record) for record in records] == [PAIR, PAIR]


def test_a_wrong_column_in_a_later_row_is_a_fault_of_that_row() -> None:
    path = write_file("a.jsonl", [{"물음": "가", "답": "나"}, {"다른": "다"}, {"물음": "라", "답": "마"}])
    records, (problem,) = read_on(path, prompt_column="물음", completion_column="답")
    assert [record.where for record in records] == ["a.jsonl:1", "a.jsonl:3"]
    assert problem.where == "a.jsonl:2"


@pytest.mark.parametrize(
    ("unit", "texts", "lines"),
    [
        (None, ["하나\n둘\n\n\n셋"], [2]),
        ("file", ["하나\n둘\n\n\n셋"], [2]),
        ("paragraph", ["하나\n둘", "셋"], [2, 6]),
        ("line", ["하나", "둘", "셋"], [2, 3, 6]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_plain_text(unit: str | None, texts: list[str], lines: list[int], end: str) -> None:
    records = read(write_file("시.txt", "\ufeff\n  하나\n둘\n\n\n셋".replace("\n", end)), text_unit=unit)
    assert [record.text for record in records] == texts
    assert [record.where for record in records] == [f"시.txt:{line}" for line in lines]


def test_plain_text_under_another_name_needs_its_unit() -> None:
    path = write_file("a.jsonl", "<사람>: 안녕?\n<봇>: 응.\n")
    assert [record.text for record in read(path, text_unit="line")] == ["<사람>: 안녕?", "<봇>: 응."]


def test_every_format_keeps_the_contract() -> None:
    found = load_plugins(formats)
    assert len(found) >= 14
    for module in found.values():
        assert module.__doc__
        assert module.SHAPE
        assert module.ORDER in range(4)
        assert module.matches({}, ReadOptions()) is False
