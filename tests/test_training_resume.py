"""An interrupted run goes on to the same bytes; what cannot go on says why in one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, Train, losses_of, metrics_of, record_of, weights_of, write_rows

Hook = Callable[[int], None]
LONG = {"train__max_steps": 8, "train__checkpoint_every": 3, "lora__dropout": 0.1}


@pytest.fixture
def before_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], Any]], None]:
    """`before_step(4, action)`: do something once, before step 4 of the next training."""
    from llmops_cli.training.trainer import RunCallback

    begin = RunCallback.on_step_begin

    def set_hook(step: int, action: Callable[[], Any]) -> None:
        todo = [action]

        def hooked(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            begin(self, args, state, control, **kwargs)
            if state.global_step == step - 1 and todo:
                todo.pop()()

        monkeypatch.setattr(RunCallback, "on_step_begin", hooked)

    return set_hook


def send(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def same_numbers(one: str, other: str) -> None:
    for key in ("loss", "grad_norm", "learning_rate"):
        assert losses_of(one, key) == losses_of(other, key)
    assert losses_of(other, "eval_loss").items() <= losses_of(one, "eval_loss").items()
    assert weights_of(one) == weights_of(other)
    assert record_of(one)["chosen_step"] == record_of(other)["chosen_step"]


@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_a_resumed_run_ends_in_the_same_bytes(train: Train, before_step: Any, step: int) -> None:
    assert train("whole", **LONG).code == 0
    before_step(step, send(signal.SIGINT))
    stopped = train("cut", **LONG)
    assert stopped.code == 130
    assert stopped.errors == [
        f"runs/cut: stopped at step {step} of 8, checkpoint kept -> the same command with --name cut --resume"
    ]
    assert record_of("runs/cut")["status"] == "interrupted"
    assert Path(f"runs/cut/checkpoints/checkpoint-{step}/adapter_model.safetensors").is_file()
    assert not Path("runs/cut/adapter").exists()
    assert list(losses_of("runs/cut")) == list(range(1, step + 1))
    resumed = train("cut", "--resume", "--json", **LONG)
    assert resumed.code == 0, resumed.err
    assert resumed.json()["steps"] == 8
    assert [entry["step"] for entry in metrics_of("runs/cut") if "loss" in entry] == list(range(1, 9))
    same_numbers("runs/whole", "runs/cut")
    record = record_of("runs/cut")
    assert (record["status"], record["resumed_at"]) == ("finished", step)


def test_a_full_training_is_resumed_too(train: Train, before_step: Any) -> None:
    full = LONG | {"train__method": "full", "train__dropout": 0.1}
    train("whole", **full)
    before_step(5, send(signal.SIGINT))
    assert train("cut", **full).code == 130
    assert train("cut", "--resume", **full).code == 0
    same_numbers("runs/whole", "runs/cut")


def test_sigterm_keeps_the_state_and_ends_in_143(train: Train, before_step: Any) -> None:
    before_step(2, send(signal.SIGTERM))
    answer = train("cut", **LONG)
    assert answer.code == 143
    assert len(answer.errors) == 1
    assert Path("runs/cut/checkpoints/checkpoint-2/files.json").is_file()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # as it was


def test_a_second_signal_stops_at_once(train: Train, before_step: Any) -> None:
    before_step(4, lambda: (send(signal.SIGINT)(), send(signal.SIGINT)()))
    answer = train("cut", **LONG)
    assert answer.code == 130
    assert [path.name for path in Path("runs/cut/checkpoints").iterdir()] == ["checkpoint-3"]
    assert train("cut", "--resume", **LONG).code == 0


def test_the_last_step_is_not_interrupted(train: Train, before_step: Any) -> None:
    before_step(8, send(signal.SIGINT))
    assert train("a", **LONG).code == 0
    assert record_of("runs/a")["status"] == "finished"


def test_a_finished_run_says_so(train: Train) -> None:
    train("a")
    before = weights_of("runs/a"), record_of("runs/a"), metrics_of("runs/a")
    answer = train("a", "--resume", "--json")
    assert answer.code == 0
    assert answer.err.startswith("runs/a is finished at step 4; --set train.max_steps=N goes further\n")
    assert answer.json()["already_finished"] is True
    assert (weights_of("runs/a"), record_of("runs/a"), metrics_of("runs/a")) == before


def test_a_finished_run_goes_further(train: Train) -> None:
    train("a")
    shorter = weights_of("runs/a")
    answer = train("a", "--resume", "--json", train__max_steps=6, train__keep="last")
    assert answer.code == 0, answer.err
    assert "warning: the schedule changed: it now spans 6 steps" in answer.err
    assert answer.json()["steps"] == answer.json()["chosen_step"] == 6
    assert list(losses_of("runs/a")) == [1, 2, 3, 4, 5, 6]
    assert weights_of("runs/a") != shorter
    assert record_of("runs/a")["planned_steps"] == 6
    assert "schedule changed" not in train("a", "--resume", train__max_steps=6, train__keep="last").err


@pytest.mark.parametrize("named", [True, False])
def test_without_a_run_resume_begins_and_says_so(train: Train, cli: Any, named: bool) -> None:
    answer = train("a", "--resume") if named else cli("train", "train.yaml", "--resume")
    assert answer.code == 0, answer.err
    assert "starting at step 0" in answer.err
    (run,) = Path("runs").iterdir()
    assert list(losses_of(run)) == [1, 2, 3, 4]


def test_a_run_that_died_before_its_first_checkpoint_begins_again(train: Train, before_step: Any) -> None:
    train("whole", **LONG)
    before_step(2, lambda: (_ for _ in ()).throw(RuntimeError("power is gone")))
    assert train("cut", **LONG).code == 70
    assert record_of("runs/cut")["status"] == "failed"
    answer = train("cut", "--resume", **LONG)
    assert answer.code == 0, answer.err
    assert "warning: no checkpoint yet: starting at step 0\n" in answer.err
    same_numbers("runs/whole", "runs/cut")


def test_a_folder_that_a_kill_left_without_a_record_is_used(train: Train) -> None:
    Path("runs/a").mkdir(parents=True)
    Path("runs/a/config.yaml").write_text("half")
    answer = train("a", "--resume")
    assert answer.code == 0, answer.err
    assert "starting at step 0" in answer.err


def test_the_newest_run_of_this_configuration_is_resumed(train: Train, cli: Any) -> None:
    """Not one of another configuration whose name begins alike."""
    train("train-20260101-000000")
    train("train-20260102-000000")
    train("train-more-20260103-000000", train__seed=8)
    train("train-first", train__seed=8)
    answer = cli("train", "train.yaml", "--resume")
    assert answer.code == 0, answer.err
    assert answer.err.startswith("runs/train-20260102-000000 is finished at step 4")


@pytest.mark.parametrize(
    ("settings", "key", "before", "now"),
    [
        ({"train__learning_rate": 0.5}, "train.learning_rate", "0.02", "0.5"),
        ({"lora__rank": 2}, "lora.rank", "4", "2"),
        ({"data__max_length": 80}, "data.max_length", "96", "80"),
        ({"data__train": ["heldout.jsonl"]}, "data.train", "['train.jsonl']", "['heldout.jsonl']"),
    ],
)
def test_a_setting_that_shapes_the_weights_may_not_change(
    train: Train, settings: Any, key: str, before: str, now: str
) -> None:
    train("a")
    state = weights_of("runs/a"), record_of("runs/a")
    answer = train("a", "--resume", train__max_steps=6, **settings)
    assert answer.code == 2
    assert answer.errors == [f"runs/a: {key}: the run has {before}, now {now} -> start a new run with another --name"]
    assert (weights_of("runs/a"), record_of("runs/a")) == state


def test_every_changed_setting_is_named(train: Train) -> None:
    train("a")
    answer = train("a", "--resume", train__learning_rate=0.5, train__seed=9)
    assert [line.split(":")[1].strip() for line in answer.errors] == ["train.learning_rate", "train.seed"]


def test_changed_data_is_another_run(train: Train) -> None:
    train("a")
    write_rows("train.jsonl", HELD_OUT)
    answer = train("a", "--resume", train__max_steps=6)
    assert answer.code == 2
    (line,) = answer.errors
    assert line.startswith("runs/a: train.jsonl: ")
    assert "start a new run with another --name" in line


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json", "files.json"])
@pytest.mark.parametrize("kept", [0.5, None])
def test_a_cut_checkpoint_is_passed_over(train: Train, file: str, kept: float | None) -> None:
    """As after a power cut: the newest checkpoint lacks a file or half of one."""
    train("a", train__keep="last")
    before = weights_of("runs/a"), losses_of("runs/a")
    shutil.rmtree("runs/a/adapter")
    path = Path("runs/a/checkpoints/checkpoint-4") / file
    data = path.read_bytes()
    path.unlink() if kept is None else path.write_bytes(data[: int(len(data) * kept)])
    answer = train("a", "--resume", train__keep="last")
    assert answer.code == 0, answer.err
    assert f"warning: damaged, not used: runs/a/checkpoints/checkpoint-4: {file}" in answer.err
    assert record_of("runs/a")["resumed_at"] == 2
    assert (weights_of("runs/a"), losses_of("runs/a")) == before
    assert [entry["step"] for entry in metrics_of("runs/a") if "loss" in entry] == [1, 2, 3, 4]
    assert len(path.read_bytes()) == len(data)  # it was made again


def test_when_the_only_checkpoint_is_cut_nothing_is_guessed(train: Train) -> None:
    train("a", train__checkpoint_every=4)
    weights = Path("runs/a/checkpoints/checkpoint-4/adapter_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    result = weights_of("runs/a")
    answer = train("a", "--resume", train__checkpoint_every=4, train__max_steps=8)
    assert answer.code == 2
    (line,) = answer.errors
    assert line.startswith("runs/a/checkpoints: no checkpoint is whole: runs/a/checkpoints/checkpoint-4: adapter_model")
    assert line.endswith("-> rm -r runs/a/checkpoints to start again at step 0")
    assert weights_of("runs/a") == result
    shutil.rmtree("runs/a/checkpoints")  # the hint works
    assert train("a", "--resume", train__checkpoint_every=4, train__max_steps=8).code == 0


def test_what_a_kill_leaves_behind_is_no_obstacle(train: Train, before_step: Any) -> None:
    train("whole", **LONG)
    before_step(5, send(signal.SIGINT))
    train("cut", **LONG)
    leftover = Path("runs/cut/checkpoints/.staging-checkpoint-6")
    leftover.mkdir()
    (leftover / "optimizer.pt").write_bytes(b"half")
    with Path("runs/cut/metrics.jsonl").open("a") as stream:
        stream.write('{"step": 6, "loss": 5.1, "gra')
    assert train("cut", "--resume", **LONG).code == 0
    same_numbers("runs/whole", "runs/cut")
    assert not leftover.exists()


def test_a_run_killed_before_its_result_was_written_only_writes_it(train: Train) -> None:
    train("a")
    weights, metrics = weights_of("runs/a"), metrics_of("runs/a")
    shutil.rmtree("runs/a/adapter")
    record = record_of("runs/a") | {"status": "running"}
    for key in ("finished", "steps", "chosen_step", "best_held_out_loss", "peak_memory"):
        del record[key]
    Path("runs/a/record.json").write_text(json.dumps(record))
    answer = train("a", "--resume", "--json")
    assert answer.code == 0, answer.err
    assert weights_of("runs/a") == weights
    assert metrics_of("runs/a") == metrics
    assert record_of("runs/a")["chosen_step"] == answer.json()["chosen_step"]
