"""Converting and validating: what is written, what is dropped, what is found."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import checks, convert, validate
from llmops_cli.data.config import ConvertConfig, ValidateConfig


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def converted(**values: Any) -> convert.ConvertResult:
    return convert.run(convert.plan(ConvertConfig(**values)), SilentReporter())


def validated(*paths: str, **values: Any) -> validate.ValidateResult:
    return validate.run(validate.plan(ValidateConfig(input=list(paths), **values)), SilentReporter())


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_convert_writes_records_and_a_manifest() -> None:
    Path("raw.csv").write_text("Q,A\n안녕?,반가워.\n빈 답,\n또?,그래.\n", encoding="utf-8")
    Path("raw.jsonl").write_text('{"text": "글"}\n{broken\n', encoding="utf-8")
    result = converted(input=["raw.csv", "raw.jsonl"], output="out/train.jsonl")
    assert [row["id"] for row in rows("out/train.jsonl")] == ["raw:2", "raw:4", "raw:1"]
    assert rows("out/train.jsonl")[0] == {
        "id": "raw:2",
        "messages": [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "반가워."}],
        "source": "raw.csv",
        "metadata": {},
    }
    assert result.dropped == {"empty content": 1, "unreadable": 1}
    assert [problem.where for problem in result.problems] == ["raw.csv:3", "raw.jsonl:2"]
    manifest = json.loads(Path("out/train.jsonl.manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_version"] == 1
    assert manifest["records"] == {"in": 5, "out": 3, "dropped": result.dropped}
    assert [file["records"] for file in manifest["inputs"]] == [3, 1]
    for file in (*manifest["inputs"], manifest["output"]):
        data = Path(file["path"]).read_bytes()
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert manifest["parameters"]["output"] == "out/train.jsonl"
    json.dumps(result.to_json())


def test_converting_again_changes_nothing() -> None:
    Path("raw.csv").write_text("Q,A,등급\n안녕?,반가워.,1\n", encoding="utf-8")
    converted(input="raw.csv", output="a.jsonl")
    converted(input="a.jsonl", output="b.jsonl")
    assert Path("a.jsonl").read_bytes() == Path("b.jsonl").read_bytes()


def test_limit() -> None:
    Path("raw.jsonl").write_text('{"text": "글"}\n' * 5, encoding="utf-8")
    assert converted(input="raw.jsonl", output="a.jsonl", limit=2).output.records == 2
    assert len(rows("a.jsonl")) == 2


def test_convert_refuses_to_write_over_its_input() -> None:
    Path("raw.jsonl").write_text('{"text": "글"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="one of the inputs"):
        converted(input="./", output="raw.jsonl")
    with pytest.raises(InputError) as caught:
        converted(input="nowhere", output="raw.jsonl/x.jsonl")
    assert len(caught.value.problems) == 2
    with pytest.raises(ValidationError, match="ending in"):
        ConvertConfig(input=["raw.jsonl"], output="a.json")


@pytest.mark.parametrize("content", [b"Q,A\n\xb0\xa1,\xb3\xaa\n", b"x,y\n1,2\n", b"Q,A\n1\n"])
def test_convert_leaves_the_old_output_when_it_fails(content: bytes) -> None:
    Path("old.jsonl").write_text("old", encoding="utf-8")
    Path("raw.csv").write_bytes(content)
    with pytest.raises(InputError):
        converted(input="raw.csv", output="old.jsonl")
    assert Path("old.jsonl").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["old.jsonl", "raw.csv"]


def conversation(*said: str) -> dict[str, Any]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return {"messages": [{"role": roles[line[0]], "content": line[2:]} for line in said]}


@pytest.mark.parametrize(
    ("row", "check", "what"),
    [
        (conversation("u 응?"), "structure", "last turn"),
        (conversation("a 먼저", "u 응?", "a 응"), "structure", "first turn"),
        (conversation("u 하나", "u 둘", "a 응"), "structure", "two user turns"),
        (conversation("u 하나", "s 지시", "a 응"), "structure", "system"),
        (conversation("u 하나", "a  "), "structure", "empty content in message 2"),
        (conversation("u 하나", "a 답") | {"chosen": "가", "rejected": "나"}, "structure", "before chosen"),
        ({"text": " "}, "structure", "empty text"),
        ({"text": "깨진 \ufffd 글"}, "encoding", "U+FFFD"),
        ({"text": "널\x00"}, "encoding", "U+0000"),
        ({"text": "받침 \u11ab"}, "jamo", "U+11AB"),
        ({"text": "보이지\u200b않는"}, "invisible", "U+200B"),
        ({"text": unicodedata.normalize("NFD", "한글")}, "normalisation", "NFD"),
        ({"text": "좋은 글"}, "duplicates", "the same as a.jsonl:1"),
        ({"text": "C001은 왔다"}, "story_codes", "C001"),
    ],
)
def test_each_check_finds_its_fault(row: dict[str, Any], check: str, what: str) -> None:
    lines = [
        {"text": "좋은 글 ㅋㅋ" if check != "duplicates" else "좋은 글"},
        conversation("s 지시", "u 응?", "a 응 👩\u200d🚀"),
        row,
    ]
    Path("a.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    result = validated("a.jsonl")
    (finding,) = result.findings
    assert (finding.check, finding.where, finding.record) == (check, "a.jsonl:3", "a:3")
    assert what in finding.what
    assert result.records == 3
    assert {name for name, count in result.counts.items() if count} == {check}
    assert result.ok is (finding.severity == "warning")
    assert not validated("a.jsonl", fail_on="warning").ok
    json.dumps(result.to_json())


def test_a_broken_line_is_a_finding_and_a_broken_file_an_error() -> None:
    Path("a.jsonl").write_text('{"text": "글"}\n{broken\n', encoding="utf-8")
    result = validated("a.jsonl")
    assert (result.records, result.errors, result.ok) == (1, 1, False)
    assert (result.findings[0].check, result.findings[0].where) == ("reading", "a.jsonl:2")
    Path("b.jsonl").write_text("{broken\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"b\.jsonl:1"):
        validated("b.jsonl")


def test_good_data_has_no_findings() -> None:
    Path("a.jsonl").write_text(json.dumps(conversation("u 안녕", "a 응")), encoding="utf-8")
    result = validated("a.jsonl", fail_on="warning")
    assert (result.ok, result.findings, set(result.counts.values())) == (True, (), {0})


def test_every_check_keeps_the_contract() -> None:
    found = load_plugins(checks)
    assert len({module.ID for module in found.values()}) == len(found) >= 7
    for module in found.values():
        assert module.__doc__
        assert module.SEVERITY in ("error", "warning")
        assert callable(module.start())
