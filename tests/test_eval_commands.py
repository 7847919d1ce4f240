"""`llmops eval` and its subcommands: which word is what, help, and exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from suites_bench import write_eval, write_suite
from workbench import HELD_OUT, Cli, write_rows

from llmops_cli.core.errors import MachineError
from llmops_cli.core.plugins import plugin_names
from llmops_cli.evaluation import job, metrics

LOOP = {"id": "loop", "output": "그는 문을 열었다. " * 20}
MANY = [{"id": f"i{number}", "prompt": f"{number} 바다 바다 바다."} for number in range(40)]


def test_help_shows_options_subcommands_and_examples(cli: Cli) -> None:
    answer = cli("eval", "--help")
    assert (answer.code, answer.err) == (0, "")
    usage, _, rest = answer.out.partition("Options:")
    options, _, listed = rest.partition("Commands:")
    assert usage.startswith("Usage: llmops eval [OPTIONS] {CONFIG|RUN}\n       llmops eval COMMAND [ARGS]...\n")
    assert all(f"  {flag} " in options for flag in ("--gate", "--baseline RUN|FILE", "--set KEY=VALUE", "--json"))
    assert all(f"  {name} " in listed for name in ("score", "compare", "blind", "metrics"))
    assert "llmops eval runs/story" in listed.partition("Examples:")[2]
    assert cli("eval", "score", "--help").out.startswith("Usage: llmops eval score [OPTIONS] {FILE}\n")


def test_a_subcommand_wins_and_a_file_of_its_name_needs_its_folder(cli: Cli) -> None:
    write_rows("score", [LOOP])
    write_rows("out.jsonl", [LOOP])
    assert cli("eval", "score", "out.jsonl", "--metrics", "rep_4", "--json").json()["summary"]["rep_4"] > 0.5
    assert cli("eval", "score", "score", "--metrics", "rep_4").code == 0
    answer = cli("eval", "./score")
    assert (answer.code, len(answer.errors)) == (3, 1)
    assert "./score" in answer.errors[0]


@pytest.mark.parametrize("words", [["e.yaml", "--json"], ["--json", "e.yaml"]])
def test_options_stand_before_or_behind_the_positional(cli: Cli, words: list[str]) -> None:
    write_suite()
    write_eval()
    assert set(cli("eval", *words, "--name", "e").json()["suites"]) == {"s"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument 'CONFIG|RUN'. -> llmops eval --help"),
        (["e.yaml", "f.yaml"], "Got unexpected extra argument(s) (f.yaml) -> llmops eval --help"),
        (["e.yaml", "--gat"], "No such option: --gat (Possible options: --gate, --set) -> llmops eval --help"),
        (["compar", "a", "b"], "did you mean 'compare'? -> llmops eval --help"),
        (["scor", "a.jsonl", "--metrics", "chrf"], "did you mean 'score'? -> llmops eval --help"),
        (["gone.yaml"], "gone.yaml: no such configuration file"),
        (["score"], "Missing argument 'FILE'. -> llmops eval score --help"),
        (["score", "gone.jsonl", "--metrics", "chrf"], "gone.jsonl: no such file"),
        (["compare", "a"], "Missing argument 'B'. -> llmops eval compare --help"),
        (["compare", "a", "b"], "a: no such run of `llmops eval`, and no such file"),
        (["blind", "a", "b"], "a: no answers here -> want a run of llmops eval, or JSON lines with prompt and output"),
    ],
)
def test_wrong_words_are_one_line_and_2(cli: Cli, words: list[str], said: str) -> None:
    answer = cli("eval", *words)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert said in answer.err


def test_metrics_are_split_at_commas_outside_brackets_and_may_come_again(cli: Cli) -> None:
    write_rows("out.jsonl", [LOOP])
    flags = ["--metrics", "rep_4[char], rep_2,", "--metrics", "hangul_share"]
    result = cli("eval", "score", "out.jsonl", *flags, "--json").json()
    assert list(result["summary"]) == ["rep_4[char]", "rep_2", "hangul_share"]
    answer = cli("eval", "score", "out.jsonl", "--metrics", "evaluate[a,b],rep_4,hangul_shore")
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert answer.errors[0].startswith("no metric 'hangul_shore'")
    assert answer.errors[0].endswith("did you mean 'hangul_share'?")


@pytest.mark.parametrize(
    ("spelled", "meant"), [("BLEU", "bleu"), ("ROUGE-L", "rouge_l"), ("rep-4", "rep_4"), ("rep_0", "rep_2")]
)
def test_an_unknown_metric_is_answered_with_the_nearest_name(cli: Cli, spelled: str, meant: str) -> None:
    write_rows("a.jsonl", [LOOP])
    answer = cli("eval", "score", "a.jsonl", "--metrics", spelled)
    assert (answer.code, answer.out) == (2, "")
    assert answer.errors[0].endswith(f"-> did you mean {meant!r}?")


def test_score_shows_a_table(cli: Cli) -> None:
    write_rows("out.jsonl", [LOOP, {"id": "fine", "output": "바람이 유리를 두드릴 때마다 그는 낡은 수첩을 펼쳤다."}])
    answer = cli("eval", "score", "out.jsonl", "--metrics", "rep_4,output_length")
    assert answer.code == 0
    assert "2 items" in answer.out
    assert "rep_4 ↓" in answer.out


def test_parameters_of_a_metric_are_set(cli: Cli) -> None:
    write_rows("out.jsonl", [{"id": str(number), "output": f"{number}번째 바다"} for number in range(9)])
    flags = ["out.jsonl", "--metrics", "self_bleu", "--json"]
    scored = cli("eval", "score", *flags, "--set", "params.self_bleu.sample=3").json()
    assert sum(item["scores"]["self_bleu"] is not None for item in scored["items"]) == 3
    assert cli("eval", "score", *flags, "--set", "parms.self_bleu.sample=3").code == 2


def test_every_metric_is_listed_with_its_direction_and_formula(cli: Cli) -> None:
    listed = {each["metric"]: each for each in cli("eval", "metrics", "--json").json()}
    assert set(listed) == set(plugin_names(metrics))
    assert listed["rep_n"]["better"] == "lower"
    assert listed["rouge_l"]["variants"] == ["char", "jamo", "word"]
    assert all(each["formula"] and each["source"] and each["about"] for each in listed.values())
    assert listed["self_bleu"]["parameters"]["sample"]
    table = cli("eval", "metrics").out
    assert all(f" {name} " in table for name in listed)


def test_the_table_has_value_interval_baseline_difference_and_verdict(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    write_suite(items=MANY)
    write_eval("fake:echo", generation={"max_tokens": 60}, gate={"limits": {"stop_rate": {"worse_by": 0.1}}})
    first = cli("eval", "e.yaml", "--name", "a")
    assert first.code == 0
    assert "s, 40 items" in first.out
    assert "baseline " not in first.out.partition("note:")[0]
    assert "runs/a: report.html, report.md, junit.xml, report.json, items.jsonl" in first.out
    second = cli("eval", "e.yaml", "--name", "b", "--baseline", "a", "--gate")
    assert second.code == 0
    (row,) = [line for line in second.out.splitlines() if "stop_rate" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["stop_rate ↑", "1.000", "1.000 – 1.000", "1.000", "0.0000", "passed"]
    assert second.out.splitlines()[-1].startswith("gate passed: 1 passed -> llmops eval compare ")


def test_held_out_text_stands_beside_base_and_trigram(cli: Cli, evaluation: Path, tiny_model: Path) -> None:
    answer = cli("eval", evaluation, "--name", "e")
    assert answer.code == 0
    table = answer.out.partition("held-out text")[2]
    assert "character trigram" in table
    assert "bits_per_character" in table


def test_each_limit_that_is_missed_is_a_line_and_1_and_the_result_is_on_stdout(cli: Cli) -> None:
    write_suite(items=MANY)
    limits = {"rep_1": {"max": 0.1}, "output_length": {"max": 1}, "stop_rate": {"min": 0.5}}
    write_eval("fake:echo", generation={"max_tokens": 60}, gate={"limits": limits})
    assert cli("eval", "e.yaml", "--name", "free").code == 0
    answer = cli("eval", "e.yaml", "--name", "gated", "--gate", "--json")
    assert answer.code == 1
    assert answer.json()["gate"]["passed"] is False
    assert sorted(error.partition(": the gate failed: ")[0] for error in answer.errors) == [
        "s:output_length",
        "s:rep_1",
    ]
    assert all(error.endswith("-> runs/gated/report.html") for error in answer.errors)


@pytest.mark.parametrize(("undecided", "code"), [("pass", 0), ("fail", 1)])
def test_the_configuration_says_whether_undecided_limits_pass(cli: Cli, undecided: str, code: int) -> None:
    write_suite()
    write_eval("fake:echo", gate={"limits": {"rep_1": {"max": 0.9}}, "undecided": undecided})
    answer = cli("eval", "e.yaml", "--name", "e", "--gate")
    assert answer.code == code
    assert "undecided: s: rep_1 " in answer.out
    assert [error.startswith("s:rep_1: the gate failed, as this is undecided: ") for error in answer.errors] == [
        True
    ] * code


def test_wrong_input_is_2_a_missing_model_3_and_a_bug_70(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_suite()
    write_eval(gate={"limits": {"rep_4": {"mox": 1}}})
    assert cli("eval", "e.yaml").code == 2
    write_eval(gate={"limits": {"rep_1": {"max": 1}}})
    assert cli("eval", "e.yaml", "--baseline", "gone.json", "--gate").code == 2
    assert cli("eval", "e.yaml", "--set", "model=nowhere").code == 3
    monkeypatch.setattr(job, "run", lambda plan, reporter: {}["lost"])
    answer = cli("eval", "e.yaml", "--gate")
    assert (answer.code, len(answer.errors)) == (70, 1)
    error = MachineError("no space left")
    monkeypatch.setattr(job, "run", lambda plan, reporter: (_ for _ in ()).throw(error))
    assert cli("eval", "e.yaml", "--gate").code == 3


def test_generation_settings_are_checked_where_they_stand(cli: Cli) -> None:
    write_suite()
    write_eval("fake:echo", generation={"max_tokens": "many", "temprature": 1}, limit="x")
    answer = cli("eval", "e.yaml")
    assert answer.code == 2
    assert answer.errors == [
        "e.yaml:1: generation.max_tokens: got 'many', want integer",
        "e.yaml:1: unknown key 'generation.temprature' -> did you mean 'temperature'?",
        "e.yaml:1: limit: got 'x', want integer",
    ]


def test_a_baseline_may_be_what_json_printed(cli: Cli) -> None:
    write_suite()
    write_eval(gate={"limits": {"rep_1": {"worse_by": 0.1}}})
    Path("before.json").write_text(cli("eval", "e.yaml", "--name", "a", "--json").out, encoding="utf-8")
    shutil.rmtree("runs/a")
    report = cli("eval", "e.yaml", "--name", "b", "--baseline", "before.json", "--json").json()
    assert report["gate"]["decisions"][0]["baseline"] is not None


def test_a_run_alone_is_measured_as_configs_eval_says(cli: Cli, run_here: Path) -> None:
    write_suite("configs/suites/tiny.yaml")
    write_rows("heldout.jsonl", HELD_OUT)
    data = {"eval": "heldout.jsonl", "max_length": 96}
    write_eval(suites=["tiny"], data=data)
    Path("e.yaml").rename("configs/eval.yaml")
    answer = cli("eval", run_here, "--json")
    assert answer.code == 0, answer.err
    report = answer.json()
    assert report["model"] == str(run_here)
    assert set(report["suites"]) == {"held-out", "tiny"}
    assert set(report["beside"]) == {"base"}
    assert list(Path("runs").glob("eval-finished-*/report.json"))
