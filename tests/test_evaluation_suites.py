"""Suites: every fault of theirs is found before a weight is loaded, and every answer is measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from suites_bench import ITEMS, METRICS, lines_of, measured, write_eval, write_suite
from workbench import Cli, record_of, write_rows


def test_every_answer_is_a_line_and_a_score(cli: Cli) -> None:
    write_suite(samples=2, metrics=[*METRICS, "rouge_l[char]"], items=[{**ITEMS[0], "reference": "바다는"}, ITEMS[1]])
    write_eval("fake:words?length=5")
    result = measured(cli)
    ids = ["p0", "p0#2", "p1", "p1#2"]
    assert [line["id"] for line in lines_of()] == ids
    assert [item["id"] for item in result["suites"]["s"]["items"]] == ids
    first, second, *_ = lines_of()
    assert first["prompt"] == second["prompt"] == ITEMS[0]["prompt"]
    assert first["output"] != second["output"]
    assert set(first) == {"suite", "id", "prompt", "output", "finish_reason", "scores", "details"}
    for line, item in zip(lines_of(), result["suites"]["s"]["items"], strict=True):
        assert item["scores"] == {name: value for name, value in line["scores"].items() if "time" not in name}
        assert line["scores"]["stop_rate"] == (line["finish_reason"] == "stop")
    assert result["suites"]["s"]["items"][2]["scores"]["rouge_l[char]"] is None
    assert list(result["timings"]["s"]) == ["first_token_time[p50]"]
    record = record_of("runs/e")
    assert (record["status"], record["engine"], [each["path"] for each in record["data"]]) == (
        "finished",
        "fake",
        ["s.yaml"],
    )


def test_the_same_inputs_give_the_same_bytes(cli: Cli, tiny_model: Path, tmp_path: Path) -> None:
    write_suite()
    write_eval(tiny_model)
    first = measured(cli)
    assert measured(cli, name="again") == first
    shutil.rmtree("runs")
    fresh = measured(cli, "--set", "at_once=1")
    assert fresh.pop("timings") != first.pop("timings")
    assert fresh == first


def test_a_suite_is_found_by_name_in_the_workspace_then_among_the_shipped(cli: Cli) -> None:
    write_suite("configs/suites/sea.yaml", metrics=["stop_rate"])
    write_suite("configs/suites/stop.yaml", metrics=["stop_rate"])
    write_eval(suites=["sea", "stop", "safety-smoke"], generation={"max_tokens": 2}, limit=3)
    result = measured(cli)
    assert [len(scores["items"]) for scores in result["suites"].values()] == [3, 3, 3]
    assert [set(scores["summary"]) for scores in result["suites"].values()][:2] == [{"stop_rate"}] * 2
    answer = cli("eval", "e.yaml", "--set", "suites=[stopp]")
    assert answer.code == 2
    (error,) = answer.errors
    assert error.startswith("suites: no suite 'stopp': there are ko-daily, ko-fiction, safety-smoke, sea, stop")
    assert error.endswith("did you mean 'stop'?")


def test_a_suite_may_extend_another_and_take_prompts_from_a_file(cli: Cli) -> None:
    nfd = "바다"
    write_rows("more.jsonl", [{"id": "x", "prompt": nfd}, {"id": "y", "prompt": "숲", "system": "짧게."}])
    write_suite("base.yaml", prompts="more.jsonl")
    Path("s").mkdir()
    Path("s/s.yaml").write_text("extends: ../base.yaml\nmetrics: [stop_rate]\n", encoding="utf-8")
    write_eval("fake:echo", suites=["s/s.yaml"], generation={"max_tokens": 100})
    measured(cli)
    assert [line["id"] for line in lines_of()] == ["p0", "p1", "p2", "p3", "x", "y"]
    assert lines_of()[4]["prompt"] == lines_of()[4]["output"] == "바다"


def test_everything_that_is_wrong_with_suites_is_said_at_once(cli: Cli) -> None:
    rows = [
        {"id": "a", "prompt": "가"},
        {"id": "a", "promt": "나"},
        {"id": "p1", "prompt": "다"},
        {"id": "b#2", "prompt": "라"},
    ]
    write_rows("more.jsonl", rows)
    with Path("more.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("{broken\n[1]\n")
    write_suite(prompts="more.jsonl", samples=2)
    Path("bad.yaml").write_text("about: x\nmetrics: [rep_4]\nitms: []\n", encoding="utf-8")
    write_suite("lost.yaml", prompts="gone.jsonl")
    write_eval(suites=["s.yaml", "bad.yaml", "lost.yaml"])
    answer = cli("eval", "e.yaml", "--name", "e")
    assert answer.code == 2
    said = [
        "more.jsonl:2: unknown key 'promt' -> did you mean 'prompt'?",
        "more.jsonl:2: prompt: is missing",
        "more.jsonl:3: the id 'p1' was there before -> give every item its own",
        "more.jsonl:4: the id 'b#2' looks like that of another sample",
        "more.jsonl:5: broken JSON",
        "more.jsonl:6: want one JSON object a line",
        "bad.yaml:3: unknown key 'itms' -> did you mean 'items'?",
        "lost.yaml:1: prompts: no such file 'gone.jsonl'",
    ]
    for start in said:
        assert any(error.startswith(start) for error in answer.errors), (start, answer.errors)
    assert len(answer.errors) == len(said)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"metrics": ["rouge_z"]}, "no metric 'rouge_z': there are"),
        ({"params": {"rep_1": {"x": 1}}}, "rep_1 has no parameters, got x"),
        ({"params": {"chrf": {}}}, "params.chrf: is not measured"),
        ({"suites": ["s.yaml", "./s.yaml"]}, "s.yaml: a second suite of the name 's'"),
        ({"suites": ["held-out.yaml"]}, "held-out.yaml: a second suite of the name 'held-out'"),
        ({"suites": []}, "e.yaml: the file: want data, suites or both"),
        ({"gate": {"enforce": True}}, "gate: there is nothing to decide"),
        ({"gate": {"limits": {"rep_2": {"max": 1}}}}, "gate.limits.rep_2: rep_2 is not measured"),
        ({"gate": {"baseline": "nothing"}}, "nothing: "),
        ({"metrics": ["perplexity"]}, "fake:words: tells no probabilities of text, which perplexity needs"),
    ],
)
def test_a_configuration_that_cannot_be_measured(cli: Cli, values: dict[str, Any], said: str) -> None:
    write_suite()
    write_suite("held-out.yaml")
    write_eval(**values)
    answer = cli("eval", "e.yaml", "--name", "e")
    assert answer.code == 2
    assert len(answer.errors) == 1, answer.errors
    assert answer.errors[0].startswith(said)
    assert not Path("runs").exists()


def test_a_prompt_that_does_not_fit_is_named_before_anything_is_generated(cli: Cli, tiny_model: Path) -> None:
    write_suite(items=[*ITEMS, {"id": "long", "prompt": "바다 " * 400}])
    write_eval(tiny_model)
    answer = cli("eval", "e.yaml", "--name", "e")
    assert answer.code == 2
    (error,) = answer.errors
    assert error.startswith("s.yaml: item 5: long: the prompt has ")
    assert "the model's context 256 -> shorten it" in error
    assert not Path("runs").exists()


def test_one_item_and_empty_answers_are_measured(cli: Cli) -> None:
    write_suite(items=ITEMS[:1], generation={"stop": ["바다"]})
    write_eval("fake:echo")
    result = measured(cli)
    assert lines_of()[0]["output"] == ""
    assert result["suites"]["s"]["summary"]["stop_rate"] == 1.0
    assert result["suites"]["s"]["summary"]["rep_1"] is None


def test_a_gate_that_fails_is_exit_code_1(cli: Cli) -> None:
    write_suite(items=[{"id": f"i{number}", "prompt": f"{number} 바다 바다 바다."} for number in range(40)])
    write_eval("fake:echo", generation={"max_tokens": 60}, gate={"limits": {"rep_1": {"max": 0.1}}})
    assert cli("eval", "e.yaml", "--name", "a").code == 0
    answer = cli("eval", "e.yaml", "--name", "b", "--gate")
    assert answer.code == 1
    (error,) = answer.errors
    assert error.startswith("s:rep_1: the gate failed: rep_1 ")
    assert record_of("runs/b")["status"] == "finished"
    assert not json.loads(Path("runs/b/report.json").read_text())["gate"]["passed"]
    Path("recipe.yaml").write_text(
        "name: r\nsteps: [{job: eval, name: c, config: e.yaml, with: {gate: {enforce: true}}}]", encoding="utf-8"
    )
    answer = cli("run", "recipe.yaml")
    assert (answer.code, len(answer.errors)) == (1, 1)
    assert "rep_1" in answer.out


def test_a_nan_of_the_model_names_it(cli: Cli, tiny_model: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_model, "broken")
    tensors = load_file("broken/model.safetensors")
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], 3e38)
    save_file(tensors, "broken/model.safetensors", metadata={"format": "pt"})
    write_suite()
    write_eval("broken")
    answer = cli("eval", "e.yaml", "--name", "e")
    assert (answer.code, answer.errors) == (1, ["broken: the model gives nan: its weights are broken"])
    assert record_of("runs/e")["status"] == "failed"
    write_eval(tiny_model)
    assert cli("eval", "e.yaml", "--name", "e").code == 0  # what failed is made anew
