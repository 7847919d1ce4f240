"""Two evaluations compared item by item."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from suites_bench import lines_of, write_eval, write_suite
from workbench import Cli

from llmops_cli.evaluation.comparison import wilson_interval

PROMPTS = [f"{number}번째 바다 이야기를 써 줘." for number in range(12)]


def write_runs(cli: Cli, **values: Any) -> None:
    """Runs `a` and `b` of one suite: the same prompts and answers of two seeds."""
    write_suite(items=[{"id": f"p{number}", "prompt": prompt} for number, prompt in enumerate(PROMPTS)], **values)
    write_eval("fake:words?length=9")
    for name, seed in (("a", 1), ("b", 2)):
        assert cli("eval", "e.yaml", "--name", name, "--set", f"generation={{seed: {seed}, max_tokens: 40}}").code == 0


def change_report(name: str, change: Any) -> None:
    path = Path(f"runs/{name}/report.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    change(report["suites"]["s"])
    path.write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")


def set_scores(name: str, metric: str, values: list[float | None], better: str | None = "lower") -> None:
    """Give the items scores of a metric without statistics."""

    def change(scores: dict[str, Any]) -> None:
        for item, value in zip(scores["items"], values, strict=True):
            item["scores"][metric] = value
            item["statistics"].pop(metric, None)
        found = [value for value in values if value is not None]
        scores["summary"][metric] = sum(found) / len(found)
        scores["better"][metric] = better

    change_report(name, change)


def test_wins_ties_and_losses_are_those_of_b(cli: Cli) -> None:
    write_runs(cli)
    set_scores("a", "hangul_share", [0.5] * 12)
    set_scores("b", "hangul_share", [0.9] * 6 + [0.5] * 4 + [0.1, None])
    compared = cli("eval", "compare", "a", "b", "--json").json()
    (found,) = [each for each in compared["metrics"] if each["metric"] == "hangul_share"]
    assert [found[key] for key in ("items", "wins", "ties", "losses")] == [11, 6, 4, 1]
    assert found["win_rate"] == pytest.approx(8 / 11)
    assert found["difference"] == pytest.approx((6 * 0.9 + 4 * 0.5 + 0.1) / 11 - 0.5)
    low, high = found["difference_interval"]
    assert low < found["difference"] < high
    low, high = found["win_rate_interval"]
    assert low < 8 / 11 < high
    items = {item["id"]: item for item in compared["items"]}
    assert len(items) == 12
    assert items["p10"]["a"]["hangul_share"] == 0.5
    assert items["p10"]["b"]["hangul_share"] == 0.1
    other = cli("eval", "compare", "b", "a", "--json").json()
    (turned,) = [each for each in other["metrics"] if each["metric"] == "hangul_share"]
    assert (turned["wins"], turned["losses"]) == (found["losses"], found["wins"])


def test_a_metric_that_does_not_judge_has_a_difference_and_no_wins(cli: Cli) -> None:
    write_runs(cli)
    compared = cli("eval", "compare", "a", "b", "--json").json()
    found = {each["metric"]: each for each in compared["metrics"]}
    assert found["output_length"]["wins"] is found["output_length"]["win_rate"] is None
    assert math.isfinite(found["output_length"]["difference"])
    assert found["rep_1"]["wins"] is not None


def test_a_run_beside_itself_is_even(cli: Cli) -> None:
    write_runs(cli)
    compared = cli("eval", "compare", "a", "runs/a", "--json").json()
    assert {each["difference"] for each in compared["metrics"]} == {0.0}
    assert {each["win_rate"] for each in compared["metrics"]} == {0.5, None}
    assert {item["change"] for item in compared["items"]} == {0.0}


def test_what_only_one_of_them_has_is_said(cli: Cli) -> None:
    write_runs(cli)
    change_report("a", lambda scores: scores["items"].pop(0))
    change_report("b", lambda scores: scores["summary"].pop("output_length"))
    compared = cli("eval", "compare", "a", "b", "--json").json()
    assert (compared["only_a"], compared["only_b"]) == ({}, {"s": ["p0"]})
    assert compared["notes"] == ["s: only in A: output_length"]
    assert len(compared["items"]) == 11
    table = cli("eval", "compare", "a", "b").out
    assert "only in b: 1 item of s: p0" in table
    assert "s: only in A: output_length" in table


def test_scores_that_were_computed_in_two_ways_are_not_compared(cli: Cli) -> None:
    write_runs(cli)
    change_report("b", lambda scores: scores["signatures"].update({"rep_1": "another"}))
    compared = cli("eval", "compare", "a", "b", "--json").json()
    assert "rep_1" not in {each["metric"] for each in compared["metrics"]}
    assert compared["notes"] == ["s rep_1: computed in two ways, so not compared"]


def test_the_items_where_b_is_worst_are_shown_with_both_texts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    write_runs(cli)
    for metric in ("rep_1", "hangul_share"):
        set_scores("a", metric, [0.5] * 12)
        set_scores("b", metric, [0.5] * 12)
    bad = [0.5] * 12
    bad[7] = 0.1
    set_scores("b", "hangul_share", bad, "higher")
    answer = cli("eval", "compare", "a", "b", "--worst", "2")
    shown = answer.out.partition("s p7\n")[2]
    assert PROMPTS[7] in shown
    for run in "ab":
        assert lines_of(run)[7]["output"].split()[0] in shown
    assert "hangul_share 0.5000 → 0.1000" in shown
    assert "s p8" not in answer.out
    assert "s p7" not in cli("eval", "compare", "a", "b", "--worst", "0").out


def test_a_file_of_json_is_compared_without_texts(cli: Cli) -> None:
    write_runs(cli)
    Path("old.json").write_bytes(Path("runs/a/report.json").read_bytes())
    compared = cli("eval", "compare", "old.json", "b", "--json").json()
    assert compared["metrics"] == cli("eval", "compare", "a", "b", "--json").json()["metrics"]
    assert cli("eval", "compare", "old.json", "b", "--worst", "12").code == 0


def test_nothing_in_common_is_wrong_input(cli: Cli) -> None:
    write_runs(cli)
    change_report("b", lambda scores: scores["items"].clear())
    answer = cli("eval", "compare", "a", "b")
    assert answer.code == 2
    assert answer.errors == ["no item has a score of the same metric in a and in b -> evaluate the same suites"]


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),  # scipy.stats.binomtest(…).proportion_ci(method="wilson")
    [(0.5, 10, 0.2366, 0.7634), (1.0, 5, 0.5655, 1.0), (0.0, 20, 0.0, 0.1611), (0.3, 100, 0.2189, 0.3958)],
)
def test_the_interval_of_a_share(share: float, count: int, low: float, high: float) -> None:
    assert wilson_interval(share, count) == pytest.approx((low, high), abs=1e-4)
