"""The report of an evaluation as JUnit XML, Markdown and HTML, and which answers are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from pages import Page
from suites_bench import ITEMS, lines_of, write_eval, write_suite
from workbench import Cli

from llmops_cli.evaluation.report import Decision, Gate, ItemScores, Report, SetScores
from llmops_cli.evaluation.worst import TEXT_SHOWN, worst_items
from llmops_cli.reporting.evaluation import html, junit, markdown
from llmops_cli.reporting.intervals import WIDTH, interval_picture
from llmops_cli.reporting.marks import Piece, pieces
from llmops_cli.reporting.scores import ScoreRow, figure, headline, score_rows

HOSTILE = "<script>alert('가')</script> | `x` **굵게**\x00\x1b[31m\ud800\ufffe & ]]>"
LONG = "아주 긴 이야기가 이어졌다. " * 2000
BETTER = {"rep_4": "lower", "mattr": "higher", "output_length": None}


def report_of(
    scores: dict[str, dict[str, float | None]], gate: Gate | None = None, suite: str = "글", model: str = "m"
) -> Report:
    """A report of one suite, from the scores of each item."""
    metrics = list(next(iter(scores.values())))
    summary: dict[str, float | None] = {}
    for metric in metrics:
        values = [value for each in scores.values() if (value := each[metric]) is not None]
        summary[metric] = sum(values) / len(values) if values else None
    items = [ItemScores(name, each) for name, each in scores.items()]
    intervals = {metric: (value * 0.9, value * 1.1) for metric, value in summary.items() if value is not None}
    found = SetScores(items, summary, intervals, better={metric: BETTER[metric] for metric in metrics})
    return Report(model, "same", "fake", "f" * 64, {suite: found}, {}, gate)


def gated(passed: bool, *verdicts: str, why: str = "왜", **values: Any) -> dict[str, Any]:
    decisions = [
        Decision("글", "mattr", verdict, why, 0.5, limit=f"at least {place}") for place, verdict in enumerate(verdicts)
    ]
    gate = Gate(passed, decisions, ["알림"])
    return report_of({"a": {"mattr": 0.5, "rep_4": None}}, gate, **values).to_json()


def line_of(name: str, output: str = "답", **values: Any) -> dict[str, Any]:
    line = {"suite": "글", "id": name, "prompt": f"{name}?", "output": output, "finish_reason": "stop"}
    return line | {"scores": {}, "details": {}} | values


def read_junit(text: str, folder: Path) -> JUnitXml:
    path = folder / "junit.xml"
    path.write_text(text, encoding="utf-8")
    return JUnitXml.fromfile(str(path))


def test_junit_has_a_suite_for_each_suite_and_a_case_for_each_limit(tmp_path: Path) -> None:
    found = read_junit(junit(gated(False, "failed", "undecided", "passed", why="더 나쁘다")), tmp_path)
    assert (found.tests, found.failures, found.errors, found.skipped) == (3, 1, 0, 1)
    (suite,) = found
    assert suite.name == "글"
    assert {each.name: each.value for each in suite.properties()} == {"mattr": "0.5", "rep_4": "None"}
    cases = {case.name: case for case in suite}
    assert list(cases) == ["mattr at least 0", "mattr at least 1", "mattr at least 2"]
    assert [[result.message for result in case.result] for case in cases.values()] == [["더 나쁘다"], ["더 나쁘다"], []]


@pytest.mark.parametrize(("undecided", "failures", "skipped"), [("pass", 1, 1), ("fail", 2, 0)])
def test_an_undecided_limit_is_skipped_where_it_passes(
    tmp_path: Path, undecided: str, failures: int, skipped: int
) -> None:
    report = gated(False, "failed", "undecided", "passed")
    report["gate"]["undecided"] = undecided
    found = read_junit(junit(report), tmp_path)
    assert (found.tests, found.failures, found.skipped) == (3, failures, skipped)


def test_junit_without_a_gate_has_the_scores(tmp_path: Path) -> None:
    (suite,) = read_junit(junit(report_of({"a": {"mattr": 0.25}}).to_json()), tmp_path)
    assert (suite.tests, [each.value for each in suite.properties()]) == (0, ["0.25"])


def test_junit_is_xml_whatever_is_in_the_texts(tmp_path: Path) -> None:
    text = junit(gated(False, "failed", why=HOSTILE + LONG, suite=HOSTILE, model=HOSTILE))
    found = read_junit(text, tmp_path)
    names = {suite.name for suite in found}
    assert names == {
        "글",
        HOSTILE.replace("\x00", "�").replace("\x1b", "�").replace("\ud800", "�").replace("\ufffe", "�"),
    }


def test_markdown_says_the_verdict_first_then_decisions_then_all_scores_folded() -> None:
    values = {"mattr": 0.5, "rep_4": 0.25, "output_length": 300.0}
    gate = Gate(False, [Decision("글", "mattr", "failed", "0.2 worse, p = 0.001", 0.5)], ["알림"])
    report = report_of({"a": values}, gate, model="runs/after").to_json()
    before = report_of({"a": {**values, "mattr": 0.7}}, model="runs/before").to_json()
    text = markdown(report, before)
    assert text.startswith("## Evaluation gate failed: 1 failed\n\n`runs/after` against `runs/before`\n")
    shown, _, folded = text.partition("<details>")
    (row,) = [line for line in shown.splitlines() if line.startswith("| 글 |")]
    assert row == "| 글 | `mattr` | ↑ | 0.5000 | 0.4500 – 0.5500 | 0.7000 | -0.2000 worse | **failed** |"
    assert "- **failed** 글: 0.2 worse, p = 0.001" in shown
    assert "- 알림" in shown
    assert "`rep_4`" in folded
    assert "`rep_4`" not in shown


def tables(text: str) -> Iterator[list[str]]:
    """The rows of each Markdown table."""
    rows: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(line)
        elif rows:
            yield rows
            rows = []


def test_nothing_in_a_cell_is_markup() -> None:
    text = markdown(gated(False, "failed", why=HOSTILE, suite=HOSTILE, model="가|나`다"), None)
    assert "<script>" not in text
    assert "&lt;script&gt;alert('가')&lt;/script&gt; \\| \\`x\\` \\*\\*굵게\\*\\*" in text
    assert not {"\x00", "\x1b", "\ud800"} & set(text)
    for rows in tables(text):
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_markdown_of_a_report_without_gate_or_scores() -> None:
    text = markdown(report_of({"a": {"mattr": None}}).to_json(), None)
    assert text.startswith("## Evaluation measured, no limits set\n")
    assert "| `mattr` | ↑ | - | - | - | - |  |" in text


def test_the_page_is_whole_and_shows_what_a_person_needs() -> None:
    report = gated(False, "failed", "undecided", "passed", why="더 나쁘다")
    before = deepcopy(report) | {"model": "runs/before"}
    before["suites"]["글"]["summary"]["mattr"] = 0.75
    worst = [line_of("a", "닫혔다 닫혔다", baseline=line_of("a", "열렸다"), scores={"mattr": 0.5})]
    worst[0]["details"] = {"degeneration": {"loops": {"score": 0.9, "start": 4, "end": 7}}}
    page = Page(html(report, before, worst))
    for said in (
        "gate failed: 1 failed, 1 undecided, 1 passed",
        "compared with runs/before",
        "더 나쁘다",
        "0.5000 0.4500 – 0.5500",
        "0.7500 -0.2500 worse",
        "baseline · ended by stop 열렸다",
        "degeneration: loops",
        "알림",
    ):
        assert said in page.text
    assert page.marked == ["닫혔다"]
    names = [tag for tag, _ in page.elements]
    assert names.count("svg") == 1
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert not [value for _, each in page.elements for name, value in each.items() if name in ("src", "href")]


def test_hostile_and_long_texts_are_text_in_the_page() -> None:
    report = gated(True, "passed", why=HOSTILE, suite="<b>글</b>", model=HOSTILE)
    (worst,) = worst_items(
        report_of({"a": {"mattr": 0.5}}), [line_of("a", HOSTILE + LONG, prompt=HOSTILE, finish_reason=None)]
    )
    worst["suite"] = "<b>글</b>"
    text = html(report, None, [worst])
    page = Page(text)
    assert "script" not in [tag for tag, _ in page.elements]
    assert "<script>alert('가')</script>" in page.text
    assert "more characters)" in page.text
    assert len(text) < TEXT_SHOWN + 20_000


def test_an_empty_answer_is_said_to_be_empty() -> None:
    assert (
        "(empty)"
        in Page(html(report_of({"a": {"mattr": 0.5}}).to_json(), None, [line_of("a", "", baseline=None)])).text
    )


def test_the_same_report_gives_the_same_bytes() -> None:
    report, other = (gated(True, "passed") for _ in range(2))
    other["timings"] = {"글": {"tokens_per_second[p50]": 9.0}}
    for view in (junit, lambda each: markdown(each, None), lambda each: html(each, None, [])):
        assert view(report) == view(other)


def test_the_worst_answers_are_those_that_most_metrics_rank_low() -> None:
    scores: dict[str, dict[str, float | None]] = {
        f"i{place}": {"mattr": place / 20, "rep_4": 1 - place / 20, "output_length": -place} for place in range(20)
    }
    scores["i7"] = {"mattr": None, "rep_4": None, "output_length": None}
    lines = [line_of(name) for name in scores]
    before = [line_of("i0", "전"), line_of("i1", "전", prompt="다른 물음")]
    worst = worst_items(report_of(scores), iter(lines), iter(before), count=5)
    assert [each["id"] for each in worst] == ["i0", "i1", "i2", "i3", "i4"]
    assert [each["baseline"] and each["baseline"]["output"] for each in worst] == ["전", None, None, None, None]
    assert len(worst_items(report_of(scores), lines, count=100)) == 19


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_change_is_better_or_worse_as_the_metric_says(better: str) -> None:
    row = ScoreRow("글", "m", 0.5, None, 0.25, None, better, "")
    assert (row.difference, row.change) == (0.25, "better" if better == "higher" else "worse")
    assert ScoreRow("글", "m", 0.5, None, 0.25, None, None, "").change == ""
    assert ScoreRow("글", "m", 0.5, None, 0.5, None, better, "").change == ""


def test_the_worst_verdict_on_a_metric_is_shown() -> None:
    (row, _) = score_rows(gated(False, "passed", "failed"), None)["글"]
    assert row.verdict == "failed"
    assert headline(gated(True)) == "gate passed: no limit to decide"


def test_an_interval_and_its_baseline_are_drawn_on_one_scale() -> None:
    drawn = interval_picture(ScoreRow("글", "m", 2.0, (1.0, 3.0), 4.0, (3.0, 5.0), "higher", ""))
    assert drawn is not None
    assert drawn.baseline is not None
    assert 0 < drawn.value.low < drawn.value.x < drawn.value.high == drawn.baseline.low < drawn.baseline.high < WIDTH
    assert interval_picture(ScoreRow("글", "m", 2.0, None, None, None, "higher", "")) is None
    flat = interval_picture(ScoreRow("글", "m", 2.0, (2.0, 2.0), None, None, "higher", ""))
    assert flat is not None
    assert flat.value.x == WIDTH / 2


def test_marks_may_overlap_and_end_behind_a_text_that_was_cut() -> None:
    details = {
        "degeneration": {"loops": [[1, 3], [2, 99]], "debris": {"score": 0.05, "start": 0, "end": 1}},
        "x": {"y": "z"},
    }
    assert pieces("가나다라", details) == [
        Piece("가", ()),
        Piece("나", ("degeneration: loops",)),
        Piece("다", ("degeneration: loops",)),
        Piece("라", ("degeneration: loops",)),
    ]
    assert pieces("", details) == []


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0, "0.0000"), (-0.12345, "-0.1235"), (12.345, "12.35"), (12345.6, "12,346")]
)
def test_figures_have_four_significant_digits(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_an_evaluation_writes_all_of_them(cli: Cli, tmp_path: Path) -> None:
    write_suite(items=[*ITEMS, {"id": "x", "prompt": "<script>x</script>"}])
    write_eval("fake:echo", generation={"max_tokens": 60}, gate={"limits": {"rep_1": {"max": 0.9}}, "min_items": 2})
    assert cli("eval", "e.yaml", "--name", "a").code == 0
    assert cli("eval", "e.yaml", "--name", "e", "--baseline", "a").code == 0
    assert "<script>" in "".join(line["output"] for line in lines_of())
    page = Page(Path("runs/e/report.html").read_text(encoding="utf-8"))
    assert "script" not in [tag for tag, _ in page.elements]
    assert "compared with fake:echo" in page.text
    assert [suite.name for suite in JUnitXml.fromfile("runs/e/junit.xml")] == ["s"]
    assert Path("runs/e/report.md").read_text(encoding="utf-8").startswith("## Evaluation gate passed: 1 passed\n")
    assert (
        json.loads(Path("runs/e/report.json").read_text(encoding="utf-8"))["suites"]["s"]["better"]["rep_1"] == "lower"
    )
