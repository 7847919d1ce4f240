"""A person judges pairs of answers blind."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from suites_bench import ITEMS, write_eval, write_suite
from workbench import Cli, turns, write_rows
from workbench import read as read_data

from llmops_cli.core.files import locked_directory
from llmops_cli.evaluation.blind import more_needed, open_session, sign_test

PROMPTS = [f"{number}번째 바다 이야기를 써 줘." for number in range(12)]


def write_answers(name: str, answers: list[str], prompts: list[str] = PROMPTS) -> str:
    rows = zip(prompts, answers, strict=False)
    return write_rows(
        name, [{"id": f"q{n}", "prompt": asked, "output": answer} for n, (asked, answer) in enumerate(rows)]
    )


@pytest.fixture
def two(cli: Cli) -> tuple[str, str]:
    """Two files of twelve answers, one of them the same in both."""
    first = write_answers("old.jsonl", ["같은 답이다.", *(f"옛 답은 {number}번이다." for number in range(1, 12))])
    return first, write_answers("new.jsonl", ["같은 답이다.", *(f"새 답은 {number}번이다." for number in range(1, 12))])


def press(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(keys))


def choices_of(name: str = "blind-old-new") -> list[dict[str, str]]:
    lines = Path(f"runs/{name}/choices.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_choices_are_kept_and_become_preference_rows(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, "1\n2\n=\ns\nq\n")
    answer = cli("eval", "blind", *two, "--json")
    assert answer.code == 0
    standing = answer.json()
    assert standing["wins_a"] + standing["wins_b"] == 2
    assert [standing[key] for key in ("ties", "skipped", "identical", "left")] == [1, 1, 1, 7]
    assert [choice["choice"] for choice in choices_of()][2:] == ["tie", "skip"]
    rows = read_data("runs/blind-old-new/preferences.jsonl")
    assert len(rows) == 2
    for row in rows:
        number = int(row.id[1:])
        assert turns(row) == [("user", PROMPTS[number])]
        won, lost = str(row.metadata["chosen_from"]), str(row.metadata["rejected_from"])
        assert {won, lost} == set(two)
        assert row.chosen == f"{'옛' if won == two[0] else '새'} 답은 {number}번이다."
        assert row.rejected == f"{'옛' if lost == two[0] else '새'} 답은 {number}번이다."
    checked = cli("data", "validate", "runs/blind-old-new/preferences.jsonl", "--json")
    assert checked.code == 0
    assert checked.json()["formats"] == {"preference": 2}


def test_the_key_of_a_place_chooses_the_answer_that_is_shown_there(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, "1" * 11)
    answer = cli("eval", "blind", *two)
    first = [choice["first"] for choice in choices_of()]
    assert [choice["choice"] for choice in choices_of()] == first
    assert all(first[start : start + 4].count("a") == 2 for start in (0, 4))
    shown = [line.strip("│ ") for line in answer.err.splitlines() if line.startswith("│") and "답은" in line]
    assert ["a" if text.startswith("옛") else "b" for text in shown[::2]] == first
    assert "old.jsonl" not in answer.err
    press(monkeypatch, "1" * 11)
    cli("eval", "blind", *two, "--name", "other", "--seed", "5")
    assert [choice["id"] for choice in choices_of("other")] != [choice["id"] for choice in choices_of()]


def test_a_later_call_goes_on_with_the_pairs_that_were_not_shown(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for keys in ("1s", "=2q", "x?1"):
        press(monkeypatch, keys)
        assert cli("eval", "blind", *two).code == 0
    names = [choice["id"] for choice in choices_of()]
    assert len(names) == len(set(names)) == 5
    press(monkeypatch, "1" * 20)
    assert cli("eval", "blind", *two, "--json").json()["left"] == 0
    press(monkeypatch, "")
    answer = cli("eval", "blind", *two)
    assert (answer.code, answer.err) == (0, "")


class Interrupting(io.StringIO):
    """Keys, and then Ctrl-C."""

    def __iter__(self) -> Iterator[str]:
        yield self.getvalue()
        raise KeyboardInterrupt


def test_ctrl_c_keeps_every_choice(cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Interrupting("12="))
    answer = cli("eval", "blind", *two, "--json")
    assert answer.code == 130
    assert answer.errors == [
        "runs/blind-old-new: interrupted: every choice is kept -> the same command goes on from there"
    ]
    assert answer.json()["left"] == 8
    assert len(choices_of()) == 3
    assert len(read_data("runs/blind-old-new/preferences.jsonl")) == 2


def test_a_line_that_a_kill_cut_is_judged_again(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, "11")
    cli("eval", "blind", *two)
    path = Path("runs/blind-old-new/choices.jsonl")
    path.write_bytes(path.read_bytes()[:-9])
    press(monkeypatch, "22")
    assert cli("eval", "blind", *two, "--json").json()["left"] == 8
    assert len(choices_of()) == 3


def test_a_choice_of_other_answers_does_not_count(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, "1" * 11)
    cli("eval", "blind", *two)
    write_answers("new.jsonl", ["새로 쓴 답이다."] * 12)
    press(monkeypatch, "1")
    standing = cli("eval", "blind", *two, "--json").json()
    assert (standing["wins_a"] + standing["wins_b"], standing["left"]) == (1, 11)


def test_runs_are_judged_by_suite_and_item(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_suite()
    write_eval("fake:words")
    for name, seed in (("a", 1), ("b", 2)):
        assert cli("eval", "e.yaml", "--name", name, "--set", f"generation.seed={seed}").code == 0
    press(monkeypatch, "1q")
    assert cli("eval", "blind", "a", "runs/b", "--json").code == 0
    assert choices_of("blind-a-b")[0]["id"] in {f"s:{item['id']}" for item in ITEMS}


def test_what_a_terminal_would_obey_is_shown_as_its_escape(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_answers("a.jsonl", ["\x1b[2J지운다\n둘째 줄"])
    write_answers("b.jsonl", [""])
    press(monkeypatch, "1")
    answer = cli("eval", "blind", "a.jsonl", "b.jsonl")
    assert "\x1b" not in answer.err
    assert "\\x1b[2J지운다" in answer.err
    assert "(empty)" in answer.err
    assert not Path("runs/blind-a-b/preferences.jsonl").exists()


def test_wide_characters_wrap_inside_the_frame(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "60")
    write_answers("a.jsonl", ["가나다라마바사" * 40])
    write_answers("b.jsonl", ["아주 긴 문장이 이어졌다. " * 30])
    press(monkeypatch, "2")
    shown = cli("eval", "blind", "a.jsonl", "b.jsonl").err.splitlines()
    framed = [line for line in shown if line.startswith(tuple("│┃┏└┡"))]
    assert len(framed) > 10
    assert {cell_len(line) for line in framed} == {60}


@pytest.mark.parametrize("stdin", [io.StringIO(""), io.StringIO("xyz\n"), None])
def test_nobody_to_judge_is_said(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    answer = cli("eval", "blind", *two)
    assert (answer.code, answer.out) == (2, "")
    assert answer.errors == [
        "stdin: nobody is there to judge: no key came -> run it in a terminal, or pipe keys into it"
    ]


def test_what_cannot_be_judged_is_wrong_input(cli: Cli, two: tuple[str, str]) -> None:
    answer = cli("eval", "blind", "old.jsonl", "old.jsonl")
    assert (answer.code, answer.errors) == (2, ["old.jsonl, old.jsonl: all 12 answers are the same in both"])
    write_answers("far.jsonl", ["답이다."] * 3, ["다른 물음?"] * 3)
    assert "no prompt has an answer in old.jsonl and in far.jsonl" in cli("eval", "blind", "old.jsonl", "far.jsonl").err
    Path("runs/used").mkdir(parents=True)
    Path("runs/used/record.json").write_text("{}")
    assert "a run of another job has this name" in cli("eval", "blind", *two, "--name", "used").err


def test_two_sessions_in_one_folder_are_refused(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(monkeypatch, "1")
    with locked_directory(Path("runs/blind-old-new")):
        answer = cli("eval", "blind", *two)
    assert answer.code == 3


@pytest.mark.parametrize(
    ("wins", "losses", "p_value"),  # scipy.stats.binomtest
    [
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (15, 5, 0.04139),
        (8, 8, 1.0),
        (60, 40, 0.05689),
        (3000, 3200, 0.01149),
    ],
)
def test_the_sign_test_is_exact(wins: int, losses: int, p_value: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p_value, rel=2e-3)
    assert sign_test(losses, wins) == sign_test(wins, losses)


@pytest.mark.parametrize(("wins", "losses"), [(2, 1), (3, 0), (6, 4), (11, 9), (55, 50)])
def test_so_many_more_judgements_would_decide(wins: int, losses: int) -> None:
    more = more_needed(wins, losses, ties=0)
    assert more is not None
    total = wins + losses + more
    share = wins / (wins + losses)
    assert sign_test(round(total * share), total - round(total * share)) < 0.06
    fewer = wins + losses + more * 3 // 4
    assert sign_test(round(fewer * share), fewer - round(fewer * share)) > 0.04
    assert more_needed(wins, losses, ties=wins + losses) == pytest.approx(2 * more, abs=1)


def test_the_verdict_says_whether_it_is_more_than_chance(
    cli: Cli, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session(*two) as session:
        assert session.standing().verdict == "no pair is decided"
        for place, (_, pair) in enumerate(session.waiting()):
            session.record(pair, "b" if place else "a")
            if place == 1:
                assert session.standing().verdict.startswith("even, 1 to 1: ")
            if place == 3:
                assert "3 of 4 decided pairs: no more than chance (p = 0.62); about " in session.standing().verdict
        standing = session.finish()
    assert standing.verdict == "new.jsonl is preferred in 10 of 11 decided pairs: more than chance (p = 0.012)"
    assert standing.more_needed is None
    assert more_needed(4, 4, 2) is None
