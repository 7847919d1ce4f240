"""JSON in every way it is written becomes rows, and what cannot be read says what, where and what to type next."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import read, read_on, refused, turns, write_file

from llmops_cli.core.errors import InputError
from llmops_cli.data import decoding, documents, layout
from llmops_cli.data.records import Message, Record

LONG_NUMBER = 123_456_789_012_345_678_901_234_567_890


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "하나"}\n{"text": "둘"}',
        '\ufeff{"text": "하나"}\r\n\r\n{"text": "둘"}\r\n',
        '[{"text": "하나"},\n{"text": "둘"}]',
        '\ufeff[\r\n{"text": "하나"},\r\n{"text": "둘"}\r\n]\r\n',
        '{\n "text": "하나"\n}\n{\n "text": "둘"\n}\n',
        '{"text": "\\ud558\\ub098"}\n{"text": "\\ub458"}\n',
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json"])
def test_the_ways_json_is_written(name: str, content: str) -> None:
    assert [record.text for record in read(write_file(name, content))] == ["하나", "둘"]


def test_a_line_separator_inside_text_is_no_line_end() -> None:
    first, second = read(write_file("a.jsonl", '{"text": "가\u2028나\x85다\u2029라"}\n{"text": "마"}\n'))
    assert first.text == "가\u2028나\x85다\u2029라"
    assert second.where == "a.jsonl:2"


def test_unusual_characters_are_kept() -> None:
    text = "ㅋㅋ ㅠㅠ \u1112 \xa0\u3000👩\u200d🚀\ufffd"
    assert read(write_file("a.jsonl", [{"text": text}]))[0].text == text


def test_text_is_nfc_and_the_record_remembers() -> None:
    nfd = unicodedata.normalize("NFD", "한글")
    plain, escaped, good = read(
        write_file("a.jsonl", f'{{"text": "{nfd}"}}\n{{"text": {json.dumps(nfd)}}}\n{{"text": "한글"}}')
    )
    assert plain.text == escaped.text == good.text == "한글"
    assert (plain.denormalised, escaped.denormalised, good.denormalised) == (True, True, False)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_names_of_columns_are_nfc_too(name: str) -> None:
    row = {"질문": "안녕?", "답변": "응", "분류": "가"}
    nfd = unicodedata.normalize("NFD", json.dumps(row, ensure_ascii=False))
    (record,) = read(write_file(name, nfd))
    assert (turns(record), record.metadata) == ([("user", "안녕?"), ("assistant", "응")], {"분류": "가"})


def test_ids_are_unique_and_stable() -> None:
    write_file(
        "x/a.jsonl", [{"id": 1, "text": "a"}, {"id": "1", "text": "b"}, {"text": "c"}, {"id": "1-2", "text": "d"}]
    )
    write_file(
        "y/a.jsonl", [{"id": "1", "text": "e"}, {"text": "f"}, {"id": " ", "text": "g"}, {"id": True, "text": "h"}]
    )
    ids = [record.id for record in read("x", "y")]
    assert ids == ["1", "1-2", "a:3", "1-2-2", "1-3", "a:2", "a:3-2", "a:4"]
    assert ids == [record.id for record in read("x", "y")]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_numbers_beyond_64_bits_are_kept(name: str) -> None:
    (record,) = read(
        write_file(name, [{"id": LONG_NUMBER, "text": "가", "metadata": {"n": [1, LONG_NUMBER], "f": 0.1}}])
    )
    assert record.id == str(LONG_NUMBER)
    assert record.metadata == {"n": [1, LONG_NUMBER], "f": 0.1}


def test_our_own_shape_comes_back_as_it_was() -> None:
    written = [
        Record(
            "a",
            (Message("user", "둘 중?"),),
            chosen="이것",
            rejected="저것",
            source="raw/a.json",
            metadata={"work": "w", "genre": ["극"], "n": {"deep": [None, 1.5]}},
        ),
        Record("b", text="글만", source="raw/b.json"),
    ]
    back = read(write_file("own.jsonl", [record.to_json() for record in written]))
    assert [record.to_json() for record in back] == [record.to_json() for record in written]
    assert back[1].to_json() == {"id": "b", "text": "글만", "source": "raw/b.json", "metadata": {}}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"text": "a", "messages": (Message("user", "b"),)},
        {"text": "a", "chosen": "b", "rejected": "c"},
        {"messages": (Message("user", "b"),), "chosen": "c"},
    ],
)
def test_a_record_is_messages_or_text(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Record("a", **wrong)


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "hint"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "a.jsonl:2", "broken JSON", "one JSON object a line"),
        ("a.jsonl", '{"text": "a"}\r\n\r\n{"text": "a"}}\r\n', "a.jsonl:3", "Extra data", "one JSON object a line"),
        ("a.jsonl", '{"text": ["a"\r\n{}\n', "a.jsonl:1", "(column 14)", ""),
        ("a.json", '[{"text": "a"},\n{"text" "b"}]', "a.json:2", "broken JSON", ""),
        ("a.json", '[{"text": "a"}', "a.json:1", "does not go on", ""),
        ("a.json", '[{"text": "a"},\n', "a.json:2", "not closed", ""),
        ("a.json", '[{"text": "a"}]\n\n{', "a.json:3", "more after the array", ""),
        ("a.json", '{"text": NaN}', "a.json:1", "NaN", ""),
        ("a.jsonl", '{"text": 1e999}', "a.jsonl:1", "out of range", ""),
        ("a.jsonl", '{"text": ' + "9" * 5000 + "}", "a.jsonl:1", "broken JSON", ""),
        ("a.json", "[" * 100_000, "a.json:1", "nested too deep", ""),
        ("a.jsonl", '{"text": "a"}\n' + '{"a":' * 100_000, "a.jsonl:2", "nested too deep", ""),
        ("a.jsonl", "<<시작>>\n<사람>: 안녕\n", "a.jsonl:1", "plain text", "--set text_unit=file, paragraph or line"),
        ("a.jsonl", '{"text": "\\ud83d"}', "a.jsonl:1", "half a character", ""),
        ("a.json", '{"text": "\\ud83d"}', "a.json:1", "half a character", ""),
        ("a.jsonl", '"text"', "a.jsonl:1", "want one JSON object", ""),
        ("a.jsonl", '{"foo": 1}', "a.jsonl:1", "unknown shape with foo; known", "--set prompt"),
        ("a.jsonl", "{}", "a.jsonl:1", "unknown shape with nothing", ""),
        ("a.jsonl", "", "a.jsonl", "the file is empty", ""),
        ("a.json", " \n", "a.json", "no rows", ""),
        ("a.jsonl", '{"text": "가"}\n'.encode() + b'{"text": "caf\xe9"}', "a.jsonl:2", "byte 0xe9", "UTF-8"),
        ("a.json", b'[{"text": "\xea\xb0\x80"},\n{"text": "caf\xe9"}]', "a.json:2", "byte 0xe9", "UTF-8"),
    ],
)  # fmt: skip
def test_bad_files(name: str, content: str | bytes, where: str, what: str, hint: str) -> None:
    problem = refused(write_file(name, content))
    assert problem.where == where
    assert what in problem.what
    assert hint in problem.hint


def test_reading_goes_on_past_problems() -> None:
    write_file("d/a.jsonl", '{"text": "하나"}\n{broken\n{"messages": 3}\n{"text": "둘"}\n')
    write_file("d/b.jsonl", "")
    write_file("d/c.csv", "Q,A\n안녕?,반가워.\n".encode("cp949"))
    write_file("d/d.jsonl", '{"text": "셋"}')
    records, problems = read_on("d")
    assert [record.text for record in records] == ["하나", "둘", "셋"]
    assert {problem.where for problem in problems} == {"d/a.jsonl:2", "d/a.jsonl:3", "d/b.jsonl", "d/c.csv:2"}
    assert len(problems) == 4


def test_a_document_is_read_up_to_where_it_breaks() -> None:
    records, problems = read_on(write_file("a.json", '[{"text": "하나"},\n{"text": "둘"},\n{broken'))
    assert [record.text for record in records] == ["하나", "둘"]
    assert [problem.where for problem in problems] == ["a.json:3"]


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 20])
def test_a_document_is_the_same_in_chunks_of_any_size(size: int) -> None:
    text = '\n[{"a": "]} 👩", "b": [1, -2.5e3]},\n\n 12 , "x\\"",\ntrue\n]\n'
    chunks: Iterator[str] = (text[start : start + size] for start in range(0, len(text), size))
    assert list(documents.rows_of_document(chunks, "a.json")) == [
        (2, {"a": "]} 👩", "b": [1, -2500.0]}),
        (4, 12),
        (4, 'x"'),
        (5, True),
    ]


def test_a_row_that_is_too_long_is_named_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (decoding, documents, layout):
        monkeypatch.setattr(module, "LONGEST_ROW", 100)
    long = json.dumps({"text": "x" * 200})
    records, problems = read_on(write_file("a.jsonl", f'{{"text": "하나"}}\n{long}\n{long}\n{{"text": "둘"}}\n'))
    assert [(record.where, record.text) for record in records] == [("a.jsonl:1", "하나"), ("a.jsonl:4", "둘")]
    assert [problem.where for problem in problems] == ["a.jsonl:2", "a.jsonl:3"]
    assert "a row of more than" in problems[0].what
    assert "a row of more than" in refused(write_file("b.json", "[" + " " * (3 << 20) + '"' + "x" * (3 << 20))).what
    assert refused(write_file("c.txt", "가나다라\n" * 50)).where == "c.txt:1"
    assert len(read(write_file("d.txt", "가나다라\n" * 50), text_unit="line")) == 50


def test_a_record_of_ten_thousand_turns() -> None:
    said = [{"role": role, "content": f"{number}번"} for number in range(5_000) for role in ("user", "assistant")]
    (record,) = read(write_file("a.jsonl", [{"messages": said}]))
    assert len(record.messages) == 10_000
    assert record.messages[-1] == ("assistant", "4999번")


@pytest.mark.parametrize("escaped", ["", "\\ud55c "])
@pytest.mark.parametrize("depth", [65, 400, 700, 990])
def test_metadata_nested_deep_is_refused(escaped: str, depth: int) -> None:
    row = f'{{"text": "{escaped}", "metadata": {{"n": {"[" * depth}{"]" * depth}}}}}\n'
    assert "nested" in refused(write_file("a.jsonl", row)).what
    assert "nested" in refused(write_file("a.json", row)).what


def test_all_of_a_folder_is_read_in_the_order_of_nfc_names() -> None:
    for name in ("나.jsonl", unicodedata.normalize("NFD", "가.jsonl"), "b/z.jsonl", "a.jsonl"):
        write_file(f"d/{name}", [{"text": unicodedata.normalize("NFC", Path(name).stem)}])
    assert [record.text for record in read("d")] == ["a", "z", "가", "나"]
