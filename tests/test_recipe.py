"""Recipes: every problem before the first step, and no step twice without a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from workbench import HELD_OUT, TRAINED_ON, write_rows

from llmops_cli.config.layers import resolve
from llmops_cli.core.console import SilentReporter
from llmops_cli.pipeline import runner
from llmops_cli.pipeline.config import RecipeConfig

if TYPE_CHECKING:
    from conftest import Cli, Train

STATE = Path("runs/r.recipe.json")
STEPS: list[dict[str, Any]] = [
    {"job": "convert", "with": {"input": "raw.jsonl", "output": "a.jsonl"}},
    {"job": "validate", "with": {"input": "a.jsonl"}},
    {"job": "convert", "with": {"input": ["other.jsonl"], "output": "b.jsonl"}},
]


def recipe(*steps: dict[str, Any]) -> Path:
    path = Path("recipe.yaml")
    path.write_text(json.dumps({"name": "r", "steps": list(steps)}, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def three_steps() -> Path:
    write_rows("raw.jsonl", TRAINED_ON)
    write_rows("other.jsonl", HELD_OUT)
    return recipe(*STEPS)


def skipped(cli: Cli, *flags: str) -> list[bool]:
    answer = cli("run", "recipe.yaml", "--json", *flags)
    assert answer.code == 0, answer.err
    return [step["skipped"] for step in answer.json()["steps"]]


@pytest.mark.usefixtures("three_steps")
def test_what_did_not_change_is_skipped(cli: Cli) -> None:
    assert skipped(cli) == [False, False, False]
    assert skipped(cli) == [True, True, True]
    assert skipped(cli, "--force") == [False, False, False]
    assert skipped(cli) == [True, True, True]


@pytest.mark.usefixtures("three_steps")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: write_rows("raw.jsonl", TRAINED_ON[1:]), [False, False, False]),
        (lambda: write_rows("other.jsonl", HELD_OUT[1:]), [True, True, False]),
        (lambda: Path("a.jsonl").unlink(), [False, False, False]),
        (lambda: Path("b.jsonl").unlink(), [True, True, False]),
        (lambda: recipe(*STEPS[:2], STEPS[2] | {"with": STEPS[2]["with"] | {"limit": 1}}), [True, True, False]),
        (lambda: recipe(*STEPS[1:]), [False, False]),
        (lambda: STATE.unlink(), [False, False, False]),
        (lambda: None, [True, True, True]),
    ],
    ids="input later-input output later-output config steps state nothing".split(),  # noqa: SIM905
)
def test_a_change_runs_the_step_and_those_after_it(cli: Cli, change: Any, expected: list[bool]) -> None:
    skipped(cli)
    change()
    assert skipped(cli) == expected


def test_a_step_that_failed_runs_again(cli: Cli, three_steps: Path) -> None:
    broken = [TRAINED_ON[0], {"text": "깨진 \ufffd"}]
    write_rows("raw.jsonl", broken)
    answer = cli("run", three_steps)
    assert (answer.code, answer.errors) == (1, ["validate found errors -> llmops data validate a.jsonl"])
    assert answer.err.splitlines()[:2] == ["[1/3] convert", "[2/3] validate"]
    assert not Path("b.jsonl").exists()
    write_rows("raw.jsonl", TRAINED_ON)
    assert skipped(cli) == [False, False, False]


def test_changed_prompts_and_a_missing_run_are_noticed(train: Train, cli: Cli, tiny_model: Path) -> None:
    data = {"train": "train.jsonl", "max_length": 96}
    settings = {"model": str(tiny_model), "data": data, "train": {"max_steps": 1}, "tracking": {"mlflow": False}}
    answers = {"model": str(tiny_model), "input": "p.jsonl", "output": "o.jsonl", "generation": {"max_tokens": 2}}
    generate = {"job": "generate", "with": answers}
    write_rows("p.jsonl", [{"text": "가"}])
    recipe(generate, {"job": "train", "name": "t", "with": settings})
    assert skipped(cli) == [False, False]
    assert skipped(cli) == [True, True]
    shutil.rmtree("runs/t")
    assert skipped(cli) == [True, False]
    write_rows("p.jsonl", [{"text": "나"}])
    recipe(generate)
    assert skipped(cli) == [False]


def test_every_problem_of_every_step_is_told_before_the_first_runs(cli: Cli, three_steps: Path) -> None:
    recipe(
        STEPS[0],
        {"job": "convrt"},
        {"job": "recipe"},
        {"job": "validate", "with": {"inptu": "a.jsonl"}},
        {"job": "train", "name": "t", "config": "nope.yaml"},
        {"job": "convert", "with": {"input": "a.jsonl", "output": "b.txt"}},
    )
    answer = cli("run", three_steps)
    assert (answer.code, answer.out) == (2, "")
    said = [
        "recipe.yaml: step 2 (convrt): no such job in a recipe: there are train, eval",
        "recipe.yaml: step 3 (recipe): no such job in a recipe",
        "recipe.yaml: step 4 (validate): input: is missing",
        "recipe.yaml: step 4 (validate): unknown key 'inptu' -> did you mean 'input'?",
        "nope.yaml: no such configuration file",
        "recipe.yaml: step 6 (convert): output: want a file name ending in .jsonl",
    ]
    assert len(answer.errors) == len(said)
    for line in said:
        assert any(error.startswith(line) for error in answer.errors), line
    assert not Path("a.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: r\nsteps: []", "recipe.yaml:2: steps: "),
        ("name: a/b\nsteps: [{job: chat}]", "recipe.yaml:1: name: got 'a/b'"),
        ("name: r\nsteps:\n- job: train", "recipe.yaml: the file: want a name for every train and eval step"),
        ("name: r\nsteps:\n- jbo: train", "recipe.yaml:3: steps.0.job: is missing"),
        ("name: r\nsteps:\n- job: chat\n  with: 5", "recipe.yaml:4: steps.0.with: got 5"),
    ],
)
def test_a_wrong_recipe(cli: Cli, text: str, said: str) -> None:
    Path("recipe.yaml").write_text(text, encoding="utf-8")
    answer = cli("run", "recipe.yaml")
    assert answer.code == 2
    assert any(error.startswith(said) for error in answer.errors), answer.err


@pytest.mark.usefixtures("three_steps")
@pytest.mark.parametrize("text", ["{", "[1]", "5", ""])
def test_a_broken_state_is_one_line(cli: Cli, text: str) -> None:
    STATE.parent.mkdir()
    STATE.write_text(text, encoding="utf-8")
    answer = cli("run", "recipe.yaml")
    assert answer.code == 2
    assert answer.errors == [f"{STATE}: broken: not the state of a recipe -> rm {STATE}"]
    assert skipped(cli, "--force") == [False, False, False]


def test_from_python(three_steps: Path) -> None:
    reporter, seen = SilentReporter(), []
    plan = runner.plan(resolve(RecipeConfig, three_steps).config, three_steps)
    results = runner.run(plan, reporter, on_step=seen.append)
    assert [result.job for result in results] == ["convert", "validate", "convert"]
    assert seen == results
    assert results[1].result.ok
    assert reporter.infos[0] == "[1/3] convert"
