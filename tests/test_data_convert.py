"""Converting and merging: what is written, what is dropped, and the manifest beside it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from workbench import Cli, write_file

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.data import convert, merge
from llmops_cli.data.config import ConvertConfig, MergeConfig
from llmops_cli.data.manifest import read_manifest
from llmops_cli.data.rewrite import RewriteResult


def converted(**values: Any) -> RewriteResult:
    return convert.run(convert.plan(ConvertConfig(**values)), SilentReporter())


def merged(**values: Any) -> RewriteResult:
    return merge.run(merge.plan(MergeConfig(**values)), SilentReporter())


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_convert_writes_records_and_a_manifest() -> None:
    write_file("raw.csv", "Q,A\n안녕?,반가워.\n빈 답,\n또?,그래.\n")
    write_file("raw.jsonl", '{"text": "글"}\n{broken\n')
    result = converted(input=["raw.csv", "raw.jsonl"], output="out/train.jsonl")
    assert [row["id"] for row in rows("out/train.jsonl")] == ["raw:2", "raw:4", "raw:1"]
    assert rows("out/train.jsonl")[0] == {
        "id": "raw:2",
        "messages": [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "반가워."}],
        "source": "raw.csv",
        "metadata": {},
    }
    assert result.dropped == {"empty content": 1, "unreadable": 1}
    assert {problem.where for problem in result.problems} == {"raw.csv:3", "raw.jsonl:2"}
    assert result.formats == {"question_answer": 3, "plain_text": 1}
    manifest = read_manifest(Path("out/train.jsonl"))
    assert manifest
    assert manifest.job == "data convert"
    assert manifest.records == {"in": 5, "out": 3, "dropped": result.dropped, "changed": {}}
    assert [file.records for file in manifest.inputs] == [3, 1]
    for file in (*manifest.inputs, manifest.output):
        data = Path(file.path).read_bytes()
        assert (file.sha256, file.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert manifest.parameters["output"] == "out/train.jsonl"
    json.dumps(result.to_json())


def test_converting_again_changes_nothing() -> None:
    write_file("raw.csv", "Q,A,등급\n안녕?,반가워.,1\n")
    converted(input="raw.csv", output="a.jsonl")
    converted(input="a.jsonl", output="b.jsonl")
    assert Path("a.jsonl").read_bytes() == Path("b.jsonl").read_bytes()


def test_limit() -> None:
    write_file("raw.jsonl", '{"text": "글"}\n' * 5)
    assert converted(input="raw.jsonl", output="a.jsonl", limit=2).outputs[0].records == 2
    assert len(rows("a.jsonl")) == 2


def test_a_repair_is_counted() -> None:
    write_file("raw.jsonl", [{"text": "보이지\u200b않는"}, {"text": "좋은 글"}])
    result = converted(input="raw.jsonl", output="a.jsonl", fix=["invisible"])
    assert [row["text"] for row in rows("a.jsonl")] == ["보이지않는", "좋은 글"]
    assert result.changed == {"invisible": 1}
    with pytest.raises(InputError, match="no repair for 'invisble' -> did you mean 'invisible'"):
        converted(input="raw.jsonl", output="a.jsonl", fix=["invisble"])


def test_rows_that_cannot_be_trained_on_are_dropped_by_reason() -> None:
    said = [{"role": "user", "content": "하나"}, {"role": "user", "content": "둘"}]
    write_file("raw.jsonl", [{"messages": said}, {"messages": said[:1]}, {"text": " "}, {"text": "글"}])
    result = converted(input="raw.jsonl", output="a.jsonl")
    assert (result.records, len(rows("a.jsonl")), sum(result.dropped.values())) == (4, 1, 3)
    assert len(result.dropped) == 3


def test_convert_refuses_places_it_cannot_write_to() -> None:
    write_file("raw.jsonl", '{"text": "글"}\n')
    Path("folder.jsonl").mkdir()
    with pytest.raises(InputError, match="one of the inputs"):
        converted(input="./", output="raw.jsonl")
    with pytest.raises(InputError, match="the output is a folder"):
        converted(input="raw.jsonl", output="folder.jsonl")
    with pytest.raises(InputError) as caught:
        converted(input="nowhere", output="raw.jsonl/x.jsonl")
    assert len(caught.value.problems) == 2
    with pytest.raises(ValidationError, match="ending in"):
        ConvertConfig(input=["raw.jsonl"], output="a.json")


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"Q,A\n1\n", b"Q,A\n\xff\xff,1\n", b"\xff\xfeQ\0"])
def test_convert_leaves_the_old_output_when_it_fails(content: bytes) -> None:
    write_file("old.jsonl", "old")
    write_file("raw.csv", content)
    with pytest.raises(InputError):
        converted(input="raw.csv", output="old.jsonl")
    assert Path("old.jsonl").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["old.jsonl", "raw.csv"]


def test_the_manifest_lies_beside_an_output_in_a_folder_from_macos() -> None:
    folder = unicodedata.normalize("NFD", "자료")
    write_file("raw.jsonl", '{"text": "글"}\n')
    converted(input="raw.jsonl", output=f"{folder}/a.jsonl")
    assert sorted(path.name for path in Path(folder).iterdir()) == ["a.jsonl", "a.jsonl.manifest.json"]
    assert len(list(Path().iterdir())) == 2


def test_merge_keeps_all_records_in_the_order_of_the_files() -> None:
    write_file("b.jsonl", [{"id": "1", "text": "나"}, {"id": "2", "messages": [{"role": "user", "content": "물음"}]}])
    write_file("a.jsonl", [{"id": "1", "text": "가"}])
    result = merged(input=["b.jsonl", "a.jsonl", "b.jsonl"], output="out.jsonl")
    assert [row["id"] for row in rows("out.jsonl")] == ["1", "2", "1-2"]
    assert [row.get("text") for row in rows("out.jsonl")] == ["나", None, "가"]
    assert (result.records, result.dropped) == (3, {})


def test_the_command_line(cli: Cli) -> None:
    write_file("raw.csv", "Q,A\n안녕?,반가워.\n빈 답,\n")
    answer = cli("data", "convert", "raw.csv", "-o", "a", "--to", "parquet", "--json")
    assert answer.code == 0
    assert answer.json()["records"] == {"in": 2, "out": 1, "dropped": {"empty content": 1}, "changed": {}}
    assert "warning: dropped 1: empty content 1" in answer.err
    answer = cli("data", "merge", "a.parquet", "raw.csv", "-o", "b.jsonl")
    assert answer.code == 0
    assert [row["id"] for row in rows("b.jsonl")] == ["raw:2", "raw:2-2", "raw:3"]
    answer = cli("data", "merge", "nowhere", "-o", "b.jsonl")
    assert (answer.code, answer.errors) == (2, ["nowhere: no such file or folder"])
