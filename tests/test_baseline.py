"""Reports are read back from runs, folders and files, and what is none is told in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.core.errors import InputError
from llmops_cli.evaluation.baseline import read_items, read_report
from llmops_cli.evaluation.report import Decision, Gate, ItemScores, Report, SetScores

REPORT = Report(
    "builtin:tiny-ko",
    "same",
    "torch",
    "f" * 64,
    {
        "ko-fiction": SetScores(
            [ItemScores("a", {"rep_4": 0.25, "bleu": None}, {"rep_4": [1.0, 4.0]})],
            {"rep_4": 0.25, "bleu": None},
            {"rep_4": (0.1, 0.4)},
            {"bleu": "v1"},
            {"rep_4": "lower"},
            ["a"],
        )
    },
    {"base": {"perplexity": 3.5}},
    Gate(False, [Decision("ko-fiction", "rep_4", "failed", "why", 0.25, 0.1, 0.01, "at most 0.2")], ["note"]),
    {"ko-fiction": {"tokens_per_second": 9.0}},
)


def write(path: Path, values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return path


def make_run(name: str, job: str = "eval") -> Path:
    folder = Path("runs") / name
    write(folder / "record.json", {"schema_version": 1, "job": job})
    return folder


def test_a_report_is_read_from_a_run_a_folder_and_a_file() -> None:
    folder = make_run("first")
    write(folder / "report.json", REPORT.to_json())
    printed = write(Path("printed.json"), REPORT.to_json())
    assert [read_report(name) for name in ("first", str(folder), str(printed))] == [REPORT] * 3


def test_answers_are_read_one_by_one() -> None:
    write(make_run("first") / "items.jsonl", '{"id": "a"}\n{"id": "b"}\n{"id": ')
    items = read_items("first")
    assert [next(items)["id"], next(items)["id"]] == ["a", "b"]
    with pytest.raises(InputError, match=r"runs/first/items.jsonl:3: not JSON"):
        next(items)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("{", "not JSON"),
        ([], "no report of `llmops eval`"),
        ({"items": [], "summary": {}}, "no report of `llmops eval`"),
        ({"schema_version": 1, "suites": []}, "no report of `llmops eval`"),
        (REPORT.to_json() | {"suites": {"a": {"items": [{}]}}}, "no report of `llmops eval`"),
        (json.loads(json.dumps(REPORT.to_json()).replace("[1.0, 4.0]", '[1.0, "4"]')), "no report of `llmops eval`"),
        (json.loads(json.dumps(REPORT.to_json()).replace('"bleu": null', '"bleu": "x"')), "no report of `llmops eval`"),
        (REPORT.to_json() | {"schema_version": 99}, "newer llmops"),
    ],
)
def test_a_file_that_is_no_report_is_refused(values: Any, says: str) -> None:
    path = write(Path("x.json"), values)
    with pytest.raises(InputError, match=rf"x\.json: .*{says}"):
        read_report(str(path))


def test_a_name_that_is_nothing_is_refused_with_the_nearest() -> None:
    make_run("first-eval")
    with pytest.raises(InputError, match=r"frist-eval: no such run.*did you mean 'first-eval'"):
        read_report("frist-eval")


def test_a_training_has_no_report_but_can_be_evaluated() -> None:
    make_run("novel", job="train")
    with pytest.raises(
        InputError, match="a run of `llmops train`, not of `llmops eval` -> llmops eval novel --name novel-eval"
    ):
        read_report("novel")


def test_an_evaluation_that_did_not_finish_is_told() -> None:
    make_run("cut")
    with pytest.raises(InputError, match=r"runs/cut: no report\.json: this evaluation did not finish"):
        read_report("cut")
    with pytest.raises(InputError, match=r"runs/cut: no items\.jsonl"):
        next(read_items("cut"))
