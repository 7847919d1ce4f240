"""What is counted, and what a few records look like."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, TRAINED_ON, Cli, write_rows

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.data import stats
from llmops_cli.data.config import StatsConfig

SYSTEM = {"role": "system", "content": "짧게."}
ASKED = {"role": "user", "content": "안녕? hi"}
ANSWERED = {"role": "assistant", "content": "반가워."}
ROWS: list[dict[str, Any]] = [
    {"id": "a", "messages": [SYSTEM, ASKED, ANSWERED]},
    {"id": "b", "messages": [ASKED], "chosen": "그래.", "rejected": "싫어 싫어."},
    {"id": "c", "text": "가" * 100},
]


def counted(*paths: str, **values: Any) -> stats.StatsResult:
    return stats.run(stats.plan(StatsConfig(input=list(paths), **values)), SilentReporter())


def test_stats_count_records_turns_characters_and_letters(cli: Cli) -> None:
    write_rows("a.jsonl", ROWS)
    answer = cli("data", "stats", "a.jsonl", "--json")
    assert answer.code == 0, answer.err
    result = answer.json()
    assert (result["files"], result["records"], result["turns"], result["unreadable"]) == (1, 3, 4, 0)
    assert (result["characters"], result["characters_without_spaces"]) == (13 + 15 + 100, 12 + 13 + 100)
    assert result["length"] == {"min": 13, "median": 15, "p95": 100, "max": 100}
    assert result["hangul_share"] == round((7 + 8 + 100) / (7 + 8 + 100 + 2 + 2), 4)
    assert result["system_share"] == 0.3333
    assert result["histogram"] == {"12": 2, "96": 1}
    assert result["formats"] == {"messages": 2, "plain_text": 1}
    assert list(result["strata"]) == ["a.jsonl"]
    assert "tokens" not in result


def test_stats_by_source(cli: Cli) -> None:
    for folder in ("family", "town"):
        Path("raw", folder).mkdir(parents=True)
        for number in range(3):
            chat = [{"speaker_id": who, "content": f"{folder} {number}"} for who in "AB"]
            Path("raw", folder, f"{number}.json").write_text(json.dumps({"messages": chat}), encoding="utf-8")
    write_rows("raw/works.jsonl", [{"id": 1, "title": "바다", "type": "novel", "text": ["첫 장면.", "둘째 장면."]}])
    result = counted("raw", workers=2)
    assert {name: part.records for name, part in result.strata.items()} == {"novel": 2, "raw/family": 3, "raw/town": 3}
    assert result.formats == {"daily_chat": 6, "story_scenes": 1}
    assert (result.all.records, result.all.hangul_share < 1) == (8, True)
    shown = cli("data", "stats", "raw").out
    (counts, _) = [line.split() for line in shown.splitlines() if "raw/town" in line]
    assert counts[1:4] == ["raw/town", "│", "3"]
    assert "together" in shown
    assert "█" in shown


def test_percentiles_are_lengths_that_occur() -> None:
    write_rows("a.jsonl", [{"text": "가" * length} for length in range(1, 101)])
    lengths = counted("a.jsonl").all
    assert [lengths.percentile(percent) for percent in (0, 1, 50, 95, 100)] == [1, 1, 50, 95, 100]


def test_stats_go_on_after_rows_that_cannot_be_read() -> None:
    Path("a.jsonl").write_text('{"text": "글"}\n{broken\n{"text": "글"}\n', encoding="utf-8")
    reporter = SilentReporter()
    result = stats.run(stats.plan(StatsConfig(input=["a.jsonl"])), reporter)
    assert (result.all.records, result.unreadable) == (2, 1)
    (warning,) = reporter.warnings
    assert warning.startswith("1 rows or files cannot be read, the first: a.jsonl:2: ")
    Path("a.jsonl").write_text("{broken\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:1"):
        counted("a.jsonl")


def test_tokens_of_a_model(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows("a.jsonl", TRAINED_ON)
    command = ("data", "stats", "a.jsonl", "--model", "builtin:tiny-ko")
    result = cli(*command, "--json").json()
    sample = result["tokens"]["sample"]
    assert (sample["records"], sample["characters"]) == (len(TRAINED_ON), result["characters"])
    assert result["tokens"]["all"] == sample["tokens"] > 0
    monkeypatch.setattr(stats, "SAMPLE", Path("a.jsonl").stat().st_size // 2)
    half = cli(*command, "--json").json()["tokens"]
    assert 0 < half["sample"]["records"] < len(TRAINED_ON)
    assert half["all"] == pytest.approx(sample["tokens"], rel=0.3)
    assert f"in a sample of {half['sample']['records']} records" in cli(*command).out


def test_show_prints_records_plain_where_stdout_is_no_terminal(cli: Cli) -> None:
    rows = [*ROWS, {"id": "d", "text": "첫 줄\n둘째 줄", "metadata": {"work": "w"}}]
    write_rows("a.jsonl", rows)
    answer = cli("data", "show", "a.jsonl", "-n", "4")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "a  a.jsonl:1",
        "system  짧게.",
        "user  안녕? hi",
        "assistant  반가워.",
        "",
        "b  a.jsonl:2",
        "user  안녕? hi",
        "chosen  그래.",
        "rejected  싫어 싫어.",
        "",
        "c  a.jsonl:3",
        f"text  {'가' * 100}",
        "",
        "d  a.jsonl:4",
        "text  첫 줄",
        "      둘째 줄",
        '{"work": "w"}',
        "",
    ]


def test_show_starts_where_it_is_told(cli: Cli) -> None:
    write_rows("a.jsonl", TRAINED_ON)
    write_rows("b.jsonl", HELD_OUT)

    def shown(*arguments: str) -> list[str]:
        return [row["id"] for row in cli("data", "show", "a.jsonl", "b.jsonl", *arguments, "--json").json()]

    assert shown() == ["r0", "r1", "r2"]
    assert shown("-n", "2", "--start", "12") == ["r11", "r12"]
    assert shown("--start", "16") == ["r15"]
    assert shown("--id", "r13") == ["r13"]
    (row,) = cli("data", "show", "a.jsonl", "-n", "1", "--json").json()
    assert row == TRAINED_ON[0] | {"source": "a.jsonl", "metadata": {}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "13"], "a.jsonl: no record 13 -> llmops data stats a.jsonl"),
        (["--id", "nobody"], "a.jsonl: no record with the id 'nobody' -> llmops data stats a.jsonl"),
        (["--id", "r1", "-n", "2"], "--set: the file: want an id, or count and start, got both"),
        (["--start", "0"], "arguments: start: got 0, want greater than or equal to 1"),
    ],
)
def test_show_without_such_a_record(cli: Cli, arguments: list[str], said: str) -> None:
    write_rows("a.jsonl", TRAINED_ON)
    answer = cli("data", "show", "a.jsonl", *arguments)
    assert (answer.code, answer.out, answer.errors) == (2, "", [said])


def test_show_tells_of_rows_that_cannot_be_read(cli: Cli) -> None:
    Path("a.jsonl").write_text('{broken\n{"text": "글"}\n', encoding="utf-8")
    answer = cli("data", "show", "a.jsonl")
    assert (answer.code, answer.out) == (0, "a:2  a.jsonl:2\ntext  글\n\n")
    assert answer.err.startswith("warning: a.jsonl:1: ")
    Path("a.jsonl").write_text("{broken\n", encoding="utf-8")
    assert cli("data", "show", "a.jsonl").code == 2


def test_show_reads_no_further_than_it_shows(cli: Cli) -> None:
    write_rows("a.jsonl", TRAINED_ON)
    Path("b.jsonl").write_text("{broken\n", encoding="utf-8")
    assert cli("data", "show", "a.jsonl", "b.jsonl").err == ""


class Terminal(io.StringIO):
    """A stdout of 40 columns."""

    def isatty(self) -> bool:
        return True


def test_show_wraps_and_colours_on_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows("a.jsonl", [{"text": "가나다 " * 20 + "\x1b[2J"}])
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    cli("data", "show", "a.jsonl")
    lines = stdout.getvalue().splitlines()
    assert lines[1].startswith("\x1b[1mtext\x1b[0m  가나다 가나다")
    assert lines[2].startswith("      가나다")
    assert "\x1b[2J" not in stdout.getvalue()
    assert r"\x1b[2J" in stdout.getvalue()
