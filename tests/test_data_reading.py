"""Files of every format become records, and every bad file says what, where and what to type next."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import formats
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import expand, read_records
from llmops_cli.data.records import Message, Record


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes | list[Any]) -> str:
    """Write text, bytes, or a list of rows as JSON lines."""
    if isinstance(content, list):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def read(*paths: str, **options: Any) -> list[Record]:
    return list(read_records(paths, ReadOptions(**options)))


def turns(record: Record) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in record.messages]


def refused(*paths: str, **options: Any) -> Problem:
    with pytest.raises(InputError) as caught:
        read(*paths, **options)
    return caught.value.problems[0]


ANSWER = {"role": "assistant", "content": "반가워."}
PAIR = [("user", "안녕?"), ("assistant", "반가워.")]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "안녕?"}, ANSWER]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "안녕?"}]}, ANSWER]},
        {"prompt": "안녕?", "completion": "반가워."},
        {"prompt": [{"role": "user", "content": "안녕?"}], "completion": [ANSWER]},
        {"instruction": "안녕?", "input": "", "output": "반가워."},
        {"question": "안녕?", "answer": "반가워."},
        {"Q": "안녕?", "A": "반가워."},
        {"질문": "안녕?", "답변": "반가워."},
        {"prompt": "안녕?", "response": "반가워."},
        {"messages": [{"speaker_id": 1, "content": "안녕?"}, {"speaker_id": 2, "content": "반가워."}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_one_exchange_in_every_shape(name: str, row: dict[str, Any]) -> None:
    (record,) = read(write(name, [row]))
    assert turns(record) == PAIR
    assert (record.id, record.source, record.where) == ("a:1", name, f"{name}:1")


def test_alpaca_input_and_system() -> None:
    (record,) = read(
        write(
            "a.jsonl",
            [{"instruction": "요약해", "input": "긴 글", "output": "글", "system": "너는 편집자다"}],
        )
    )
    assert turns(record) == [("system", "너는 편집자다"), ("user", "요약해\n\n긴 글"), ("assistant", "글")]


def test_our_own_shape_comes_back_as_it_was() -> None:
    messages = (Message("user", "둘 중?"),)
    written = [
        Record(
            "a",
            messages,
            chosen="이것",
            rejected="저것",
            source="raw/a.json",
            metadata={"work": "w", "genre": ["극"]},
        ),
        Record("b", text="글만", source="raw/b.json"),
    ]
    back = read(write("own.jsonl", [record.to_json() for record in written]))
    assert [record.to_json() for record in back] == [record.to_json() for record in written]
    assert back[1].to_json() == {"id": "b", "text": "글만", "source": "raw/b.json", "metadata": {}}


def test_a_record_is_messages_or_text() -> None:
    for wrong in (
        {},
        {"text": "a", "messages": (Message("user", "b"),)},
        {"text": "a", "chosen": "b", "rejected": "c"},
    ):
        with pytest.raises(InputError):
            Record("a", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "하나"}\n{"text": "둘"}',
        '\ufeff{"text": "하나"}\r\n\r\n{"text": "둘"}\r\n',
        '[{"text": "하나"},\n{"text": "둘"}]',
        '{\n "text": "하나"\n}\n{\n "text": "둘"\n}\n',
        '{"text": "\\ud558\\ub098"}\n{"text": "둘"}\n',
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_the_ways_json_is_written(name: str, content: str) -> None:
    assert [record.text for record in read(write(name, content))] == ["하나", "둘"]


def test_a_line_separator_inside_text_is_no_line_end() -> None:
    assert read(write("a.jsonl", '{"text": "가\u2028나\x85다"}\n'))[0].text == "가\u2028나\x85다"


def test_text_is_nfc_and_the_record_remembers() -> None:
    nfd = unicodedata.normalize("NFD", "한글")
    plain, escaped, good = read(
        write("a.jsonl", f'{{"text": "{nfd}"}}\n{{"text": {json.dumps(nfd)}}}\n{{"text": "한글"}}')
    )
    assert plain.text == escaped.text == good.text == "한글"
    assert (plain.denormalised, escaped.denormalised, good.denormalised) == (True, True, False)


def test_ids_are_unique_and_stable() -> None:
    write(
        "x/a.jsonl",
        [{"id": 1, "text": "a"}, {"id": "1", "text": "b"}, {"text": "c"}, {"id": "1-2", "text": "d"}],
    )
    write("y/a.jsonl", [{"id": "1", "text": "e"}, {"text": "f"}])
    ids = [record.id for record in read("x", "y")]
    assert ids == ["1", "1-2", "a:3", "1-2-2", "1-3", "a:2"]
    assert ids == [record.id for record in read("x", "y")]


# --- tables


def test_csv_with_quotes_as_excel_writes_them() -> None:
    table = 'Q,A,label\r\n"안녕, 너",반가워,0\r\n"여러\n줄","그는 ""응""이라 했다",1\r\n'
    first, second = read(write("a.csv", "\ufeff" + table))
    assert turns(first) == [("user", "안녕, 너"), ("assistant", "반가워")]
    assert turns(second) == [("user", "여러\n줄"), ("assistant", '그는 "응"이라 했다')]
    assert first.metadata == {"label": "0"}
    assert (first.where, second.where) == ("a.csv:2", "a.csv:3")


@pytest.mark.parametrize(("name", "gap"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_a_lone_quote_does_not_swallow_rows(name: str, gap: str) -> None:
    rows = [["가", "나", "중립"], ['"엄마', "응", "모순"], ["다", "라", "중립"], ['"저', '왔어요"', "함의"],
            ['"마"', "바", "함의"], ['"사', "끝", "중립"]]  # fmt: skip
    table = "\n".join(gap.join(row) for row in [["s1", "s2", "label"], *rows])
    records = read(write(name, table), prompt_column="s1", completion_column="s2")
    assert [record.messages[0].content for record in records] == ["가", '"엄마', "다", '"저', "마", '"사']
    assert [record.messages[1].content for record in records] == ["나", "응", "라", '왔어요"', "바", "끝"]


def test_a_row_that_does_not_fit_is_named_and_the_others_are_read() -> None:
    problems: list[Problem] = []
    table = write("a.csv", 'Q,A\n하나,둘\n셋\n"넷,다섯\n여섯,일곱\n')
    records = list(read_records([table], ReadOptions(), problems.append))
    assert [record.where for record in records] == ["a.csv:2", "a.csv:4", "a.csv:5"]
    assert [(problem.where, problem.what) for problem in problems] == [("a.csv:3", "1 columns, want 2: Q, A")]


def test_a_csv_with_semicolons() -> None:
    assert turns(read(write("a.csv", "질문;답변\n안녕?;반가워.\n"))[0]) == PAIR


def test_named_columns() -> None:
    table = write("a.tsv", "물음\t답변\n안녕?\t반가워.\n")
    assert turns(read(table, prompt_column="물음", completion_column=unicodedata.normalize("NFD", "답변"))[0]) == PAIR
    problem = refused(table, prompt_column="없음", completion_column="답변")
    assert problem.where == "a.tsv:2"
    assert problem.what == "no column '없음': there are 물음, 답변"
    assert problem.hint == "--set prompt_column=NAME"
    assert refused(table, prompt_column="물음").hint == "--set completion_column=NAME"


# --- chats between people


def chat(*said: str) -> list[dict[str, Any]]:
    return [{"messages": [{"speaker_id": line[0], "content": line[2:]} for line in said]}]


def test_turns_of_one_speaker_are_merged() -> None:
    (record,) = read(write("a.json", chat("A 야", "A 뭐해?ㅋㅋ", "B 그냥", "B 있어", "A 나와", "B 응")))
    assert turns(record) == [
        ("user", "야\n뭐해?ㅋㅋ"),
        ("assistant", "그냥\n있어"),
        ("user", "나와"),
        ("assistant", "응"),
    ]
    assert record.metadata == {"speakers": 2, "assistant": "B"}


def test_who_answers_may_be_named() -> None:
    path = write("a.json", chat("A 먼저", "B 물음", "A 답", "B 끝말"))
    (record,) = read(path, assistant_speaker="A")
    assert turns(record) == [("user", "물음"), ("assistant", "답")]
    assert record.metadata["dropped_turns"] == 2
    assert "there are A, B" in refused(path, assistant_speaker="Z").what


def test_three_speakers_keep_their_names() -> None:
    (record,) = read(write("a.json", chat("A 어디?", "B 집", "B 왜?", "C 나도", "A 가자", "C 좋아")))
    assert turns(record) == [
        ("user", "A: 어디?\nB: 집\n왜?"), ("assistant", "나도"), ("user", "A: 가자"), ("assistant", "좋아"),
    ]  # fmt: skip


def test_a_monologue_is_no_chat() -> None:
    assert "two speakers" in refused(write("a.json", chat("A 혼자", "A 말한다"))).what


# --- works


SCENES = {
    "id": "W1",
    "title": "비 오는 날",
    "genre": ["드라마"],
    "text": ["C001은 C002를 만났다.", "C002은 C001와 걸었다."],
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


def test_scenes_become_continuations() -> None:
    path = write("VL_movie/w.json", [SCENES])
    first, second = read(path, names={"C001": "민준", "C002": "지우"})
    assert first.messages[1].content == "민준은 지우를 만났다."
    assert "'비 오는 날'(드라마)" in first.messages[0].content
    assert "민준은 지우를 만났다." in second.messages[0].content
    assert second.messages[1].content == "지우는 민준과 걸었다."
    assert second.id == "W1:2"
    assert second.metadata == {
        "work": "W1", "kind": "movie", "title": "비 오는 날", "genre": ["드라마"],
        "part": "scene", "scene": 2,
    }  # fmt: skip


def test_a_novel_becomes_storylines_and_scenes() -> None:
    records = read(write("VL_novel/n.json", [NOVEL]), names={"C001": "민준", "C002": "지우"})
    answers = [record.messages[-1].content for record in records]
    assert answers == [
        "민준은 떠난다.",
        "민준이 말했다.",
        "지우는 울었다.",
        "지우는 찾는다.",
        "지우가 달렸다.",
    ]
    storyline, _, scene, later, _ = (record.messages[0].content for record in records)
    assert all(
        part in storyline for part in ("장르: 성장", "콘셉트: 민준의 여름", "갈등: 민준과 지우의 다툼", "모티프: 바다")
    )
    assert "[줄거리]\n민준은 떠난다.\n[앞 장면]\n민준이 말했다." in scene
    assert "[앞 줄거리]\n민준은 떠난다." in later
    assert {record.metadata["work"] for record in records} == {"N1"}


def test_names_are_chosen_once_for_a_work_and_for_ever() -> None:
    path = write("n.json", [NOVEL])
    texts = [text for record in read(path) for text in record.contents()]
    assert not any("C00" in text for text in texts)
    assert texts == [text for record in read(path) for text in record.contents()]
    others = [read(write("o.json", [NOVEL | {"id": f"N{number}"}]))[0].contents() for number in range(2, 8)]
    assert len({*others, tuple(texts[:2])}) > 1


# --- bad input


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "hint"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "a.jsonl:2", "broken JSON", "one JSON object a line"),
        ("a.json", '[{"text": "a"},\n{"text" "b"}]', "a.json:2", "broken JSON", ""),
        ("a.json", '[{"text": "a"}', "a.json:1", "does not go on", ""),
        ("a.json", '{"text": NaN}', "a.json:1", "NaN", ""),
        ("a.json", "[" * 100_000, "a.json:1", "broken JSON", ""),
        ("a.jsonl", "<<start conversation>>\n<사람>: 안녕\n", "a.jsonl:1", "broken JSON", ""),
        ("a.jsonl", '{"text": "\\ud83d"}', "a.jsonl:1", "half a character", ""),
        ("a.jsonl", '"text"', "a.jsonl:1", "want one JSON object", ""),
        ("a.jsonl", '{"foo": 1}', "a.jsonl:1", "unknown shape with foo; known", "--set prompt"),
        ("a.csv", "문장,등급\n가,1\n", "a.csv:2", "unknown shape with 문장, 등급", "--set prompt_column"),
        ("a.csv", "Q,Q\n가,나\n", "a.csv:1", "twice", ""),
        ("a.csv", "Q,A\n", "a.csv", "no rows", ""),
        ("a.jsonl", "", "a.jsonl", "empty", ""),
        ("a.json", " \n", "a.json", "no rows", ""),
        ("a.jsonl", '{"messages": [{"role": "gpt", "content": "a"}]}', "a.jsonl:1", "want system, user", ""),
        ("a.jsonl", '{"prompt": 3, "completion": "a"}', "a.jsonl:1", "got the number 3, want text", ""),
        ("a.jsonl", '{"text": "가"}\n'.encode() + b'{"text": "caf\xe9"}', "a.jsonl:2", "byte 0xe9", "UTF-8"),
        ("a.csv", "Q,A\n안녕?,반가워.\n".encode("cp949"), "a.csv:2", "CP949", "--set encoding=cp949"),
        ("a.json", '[{"text":\n"동백꽃"}]'.encode("cp949"), "a.json:2", "CP949", "--set encoding=cp949"),
        ("a.csv", "Q,A\n안녕?,반가워.\n".encode("utf-16"), "a.csv:1", "UTF-16", "UTF-8"),
        ("a.parquet", b"PAR1", "a.parquet", "cannot read .parquet", ""),
    ],
)  # fmt: skip
def test_bad_files(name: str, content: str | bytes, where: str, what: str, hint: str) -> None:
    problem = refused(write(name, content))
    assert problem.where == where
    assert what in problem.what
    assert hint in problem.hint


def test_cp949_is_read_when_it_is_named() -> None:
    path = write("a.csv", "Q,A\n안녕?,반가워.\n".encode("cp949"))
    assert turns(read(path, encoding="cp949")[0]) == PAIR
    problem = refused(write("b.csv", "Q,A\n안녕?,반가워.\n"), encoding="cp949")
    assert (problem.where, problem.hint) == ("b.csv:2", "--set encoding=utf-8")


def test_all_missing_paths_at_once() -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError) as caught:
        expand(["nowhere.jsonl", "empty"])
    assert [problem.where for problem in caught.value.problems] == ["nowhere.jsonl", "empty"]
    with pytest.raises(InputError):
        expand([])


def test_reading_goes_on_past_problems() -> None:
    problems: list[Problem] = []
    write("d/a.jsonl", '{"text": "하나"}\n{broken\n{"messages": 3}\n{"text": "둘"}\n')
    write("d/b.csv", "Q,A\n안녕?,반가워.\n".encode("cp949"))
    write("d/c.json", "")
    write("d/d.jsonl", '{"text": "셋"}')
    records = list(read_records(["d"], ReadOptions(), problems.append))
    assert [record.text for record in records] == ["하나", "둘", "셋"]
    assert [problem.where for problem in problems] == ["d/a.jsonl:2", "d/a.jsonl:3", "d/b.csv:2", "d/c.json"]


def test_folders_are_read_in_nfc_order_without_hidden_files_and_manifests() -> None:
    nfd = unicodedata.normalize("NFD", "가.jsonl")
    for name in ("나.jsonl", nfd, ".hidden.jsonl", "x.jsonl.manifest.json", "note.txt", "sub/a.csv"):
        write(f"d/{name}", '{"text": "a"}')
    assert [unicodedata.normalize("NFC", path.as_posix()) for path in expand(["d"])] == [
        "d/sub/a.csv",
        "d/가.jsonl",
        "d/나.jsonl",
    ]
    assert len(expand(["d", "d/나.jsonl"])) == 3
    assert read("d/가.jsonl")[0].where == "d/가.jsonl:1"


def test_every_format_keeps_the_contract() -> None:
    found = load_plugins(formats)
    assert len(found) >= 9
    for module in found.values():
        assert module.__doc__
        assert module.SHAPE
        assert isinstance(module.ORDER, int)
        assert module.matches({}, ReadOptions()) is False


def test_a_lone_quote_in_two_columns_does_not_swallow_rows() -> None:
    tabs = write("a.tsv", 'Q\tA\n"하나\t둘\n셋"\t넷\n')
    commas = write("a.csv", 'Q,A\n"하나,둘\n셋,넷\n다섯,여섯\n일곱",여덟\n')
    assert len(read(tabs)) == 2
    assert len(read(commas)) == 4
