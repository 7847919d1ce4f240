"""A recipe from raw data to an answer, and when its training is made anew, goes on, or is left alone."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, TRAINED_ON, Answer, Cli, Train, losses_of, record_of, weights_of, write_rows

SETTINGS = {"max_steps": 4, "batch_size": 4, "learning_rate": 0.02, "checkpoint_every": 2}


@pytest.fixture
def recipe(cli: Cli, tiny_model: Path) -> Any:
    """`recipe(learning_rate=0.1)`: raw files, checks, a training with these settings, a measurement, an answer."""
    write_rows("raw.jsonl", TRAINED_ON)
    write_rows("held.jsonl", HELD_OUT)

    def run(*flags: str, **settings: Any) -> Answer:
        data = {"train": "build/train.jsonl", "eval": "build/held.jsonl", "max_length": 96}
        training = {
            "model": str(tiny_model), "data": data, "lora": {"rank": 4, "alpha": 8}, "train": SETTINGS | settings,
            "tracking": {"mlflow": False},
        }  # fmt: skip
        generation = {"max_tokens": 8, "temperature": 0}
        steps = [
            {"job": "convert", "with": {"input": "raw.jsonl", "output": "build/train.jsonl"}},
            {"job": "convert", "with": {"input": "held.jsonl", "output": "build/held.jsonl"}},
            {"job": "validate", "with": {"input": ["build/train.jsonl", "build/held.jsonl"]}},
            {"job": "train", "name": "t", "with": training},
            {"job": "eval", "name": "e", "with": {"model": "runs/t", "data": data, "tracking": {"mlflow": False}}},
            {"job": "chat", "with": {"model": "runs/t", "prompt": "비가 와?", "generation": generation}},
        ]
        Path("recipe.yaml").write_text(json.dumps({"name": "r", "steps": steps}, ensure_ascii=False))
        return cli("run", "recipe.yaml", *flags)

    return run


def ran(answer: Answer) -> list[str]:
    """The jobs that were not skipped."""
    assert answer.code == 0, answer.err
    steps = [line.split("] ")[1].split() for line in answer.err.splitlines() if line.startswith("[")]
    return [words[0] for words in steps if "skipped)" not in words]


ALL = ["convert", "convert", "validate", "train", "eval", "chat"]


def test_from_raw_text_to_an_answer(recipe: Any, cli: Cli) -> None:
    answer = recipe()
    assert ran(answer) == ALL
    assert answer.errors == []
    assert "warning" not in answer.err
    assert "held-out, 4 items" in answer.out
    again = recipe("--json")
    assert ran(again) == ["eval", "chat"]
    steps = {step["step"]: step for step in again.json()["steps"]}
    assert [step["skipped"] for step in steps.values()][-3:] == [True, False, False]
    result = steps["eval e"]["result"]
    perplexity = result["suites"]["held-out"]["summary"]["perplexity"]
    assert perplexity == pytest.approx(math.exp(record_of("runs/t")["best_held_out_loss"]), rel=1e-5)
    assert perplexity < result["beside"]["base"]["perplexity"]
    said = cli(
        "chat", "runs/t", "--once", "비가 와?", "--set", "generation.max_tokens=8", "--set", "generation.temperature=0"
    )
    assert steps["chat"]["result"]["output"] + "\n" == said.out
    assert steps["chat"]["result"]["output"] in answer.out


def test_changed_settings_train_anew(recipe: Any, train: Train) -> None:
    recipe()
    answer = recipe(learning_rate=0.05)
    assert ran(answer) == ["train", "eval", "chat"]
    train("alone", train__learning_rate=0.05)
    assert list(losses_of("runs/t").values()) == list(losses_of("runs/alone").values())
    assert ran(recipe(learning_rate=0.05)) == ["eval", "chat"]


def test_changed_data_trains_anew(recipe: Any) -> None:
    recipe()
    before = weights_of("runs/t")
    write_rows("raw.jsonl", TRAINED_ON[:8])
    assert ran(recipe()) == ALL
    assert record_of("runs/t")["records"] == 8
    assert weights_of("runs/t") != before


def test_a_training_that_goes_on_from_one_that_changed_is_made_anew(cli: Cli, tiny_model: Path) -> None:
    write_rows("train.jsonl", TRAINED_ON)

    def run(rate: float) -> bytes:
        common = {"data": {"train": "train.jsonl", "max_length": 96}, "tracking": {"mlflow": False}}
        steps = [
            {"job": "train", "name": name, "with": common | {"model": model, "train": SETTINGS | settings}}
            for name, model, settings in (("first", str(tiny_model), {"learning_rate": rate}), ("second", "first", {}))
        ]
        Path("recipe.yaml").write_text(json.dumps({"name": "r", "steps": steps}))
        assert ran(cli("run", "recipe.yaml")) == ["train", "train"]
        return weights_of("runs/second")

    assert run(0.02) != run(0.05)


def test_an_interrupted_training_goes_on(recipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmops_cli.training.trainer import RunCallback

    recipe()
    whole = weights_of("runs/t"), losses_of("runs/t")
    begin = RunCallback.on_step_begin

    def stop_before_step_3(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        begin(self, args, state, control, **kwargs)
        if state.global_step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(RunCallback, "on_step_begin", stop_before_step_3)
        assert recipe("--force").code == 130
    assert record_of("runs/t")["status"] == "interrupted"
    assert ran(recipe()) == ["train", "eval", "chat"]
    assert record_of("runs/t")["resumed_at"] == 3
    assert (weights_of("runs/t"), losses_of("runs/t")) == whole


def test_going_back_to_earlier_settings_does_not_take_what_is_there(
    recipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmops_cli.training.trainer import RunCallback

    recipe()
    whole = weights_of("runs/t")
    with monkeypatch.context() as patch:
        patch.setattr(RunCallback, "on_step_begin", lambda *arguments, **options: os.kill(os.getpid(), signal.SIGINT))
        assert recipe(learning_rate=0.05).code == 130
    assert ran(recipe()) == ["train", "eval", "chat"]
    assert weights_of("runs/t") == whole


def test_a_run_that_the_recipe_did_not_make_is_not_deleted(recipe: Any, train: Train) -> None:
    train("t", train__seed=9)
    before = weights_of("runs/t")
    answer = recipe()
    assert answer.code == 2
    assert any(line.startswith("runs/t: train.seed: the run has 9, now 7") for line in answer.errors)
    assert weights_of("runs/t") == before


def test_force_trains_anew(recipe: Any) -> None:
    recipe()
    started = Path("runs/t/record.json").stat().st_ino
    assert ran(recipe("--force")) == ALL
    assert record_of("runs/t").get("resumed_at") is None
    assert Path("runs/t/record.json").stat().st_ino != started


def test_data_with_errors_is_not_trained_on(recipe: Any) -> None:
    write_rows("raw.jsonl", [*TRAINED_ON, {"text": "깨진 글 \ufffd\ufffd"}])
    answer = recipe()
    assert answer.code == 1
    assert answer.errors == ["validate found errors -> llmops data validate build/train.jsonl build/held.jsonl"]
    assert not Path("runs/t").exists()


def test_a_wrong_setting_of_a_late_step_stops_before_the_first(recipe: Any) -> None:
    answer = recipe(learning_rate="fast", keep="worst")
    assert (answer.code, len(answer.errors)) == (2, 2)
    assert "train.learning_rate: got 'fast'" in answer.err
    assert not Path("build").exists()
