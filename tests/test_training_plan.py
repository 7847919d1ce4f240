"""What a training learns from, and what it says before it begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, TRAINED_ON, Train, losses_of, metrics_of, record_of, write_rows


def test_columns_of_a_csv_are_learned(train: Train) -> None:
    pairs = [(turn[0]["content"], turn[1]["content"]) for turn in (row["messages"] for row in TRAINED_ON)]
    Path("chat.csv").write_text("번호,물음,대답\n" + "".join(f'{i},"{q}","{a}"\n' for i, (q, a) in enumerate(pairs)))
    columns = {"data__prompt_column": "물음", "data__completion_column": "대답", "data__eval": []}
    assert train("csv", data__train="chat.csv", **columns).code == 0
    assert train("jsonl", data__eval=[]).code == 0
    assert losses_of("runs/csv") == losses_of("runs/jsonl")


def test_targets_name_the_layers(train: Train) -> None:
    from safetensors import safe_open

    assert train("a", lora__targets=["q_proj", "v_proj"]).code == 0
    with safe_open("runs/a/adapter/adapter_model.safetensors", "pt") as tensors:
        assert {name.split(".")[-3] for name in tensors.keys()} == {"q_proj", "v_proj"}  # noqa: SIM118


def test_dry_run_plans_and_writes_nothing(train: Train, tiny_model: Path) -> None:
    before = sorted(Path().rglob("*"))
    answer = train("a", "--dry-run", "--json", train__max_steps=None, train__epochs=2.5, tracking__mlflow=True)
    assert answer.code == 0, answer.err
    plan = answer.json()
    assert (plan["run"], plan["steps"], plan["records"], plan["first_step"]) == ("runs/a", 8, 12, 0)
    assert plan["estimated_peak_memory"] > 1e8
    assert sorted(Path().rglob("*")) == before
    table = train("a", "--dry-run")
    assert "estimated_peak_memory" in table.out
    assert "MB" in table.out
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "down_proj"]])
def test_the_planned_number_of_weights_is_the_trained_one(train: Train, targets: Any) -> None:
    from safetensors.torch import load_file

    plan = train("a", "--dry-run", "--json", lora__targets=targets).json()
    train("a", lora__targets=targets)
    tensors = load_file("runs/a/adapter/adapter_model.safetensors")
    assert plan["trainable_parameters"] == sum(tensor.numel() for tensor in tensors.values())


def test_what_spoils_the_data_is_said(train: Train) -> None:
    long = {"messages": [{"role": "user", "content": "비 " * 60}, {"role": "assistant", "content": "응."}]}
    cut = {"messages": [{"role": "user", "content": "비?"}, {"role": "assistant", "content": "응 " * 60}]}
    silent = {"messages": [{"role": "user", "content": "비?"}, {"role": "user", "content": "응?"}]}
    write_rows("train.jsonl", [*TRAINED_ON, long, cut, silent])
    answer = train("a")
    assert answer.code == 0
    assert "warning: data.train: 1 records teach nothing (all labels masked), first train.jsonl:13\n" in answer.err
    assert "warning: data.train: 1 records lose their end at data.max_length, first train.jsonl:14\n" in answer.err
    assert "warning: data.train: 1 records are left out, first train.jsonl:15: " in answer.err
    record = record_of("runs/a")
    assert (record["records"], record["masked_records"], record["truncated_records"]) == (
        13, ["train.jsonl:13"], ["train.jsonl:14"],
    )  # fmt: skip


def test_without_held_out_data_the_last_step_is_the_result(train: Train) -> None:
    answer = train("a", "--json", data__eval=[])
    assert answer.code == 0
    assert "warning: train.keep is best, but there is no data.eval: the last step becomes the result\n" in answer.err
    result = answer.json()
    assert (result["chosen_step"], result["held_out_loss"]) == (4, None)
    assert losses_of("runs/a", "eval_loss") == {}


def test_more_epochs_than_data_see_every_record_as_often(train: Train) -> None:
    assert train("a", train__max_steps=None, train__epochs=2, train__batch_size=5).code == 0
    assert list(losses_of("runs/a")) == [1, 2, 3, 4, 5, 6]  # the last batch of an epoch has two records
    tokens = [entry["tokens"] for entry in metrics_of("runs/a") if "loss" in entry]
    assert tokens[2] < min(tokens[0], tokens[1])


def test_learning_every_turn_learns_more(train: Train) -> None:
    plain, every = (
        train("a", "--dry-run", "--json", train__train_on_prompt=on).json()["learned_tokens_per_epoch"]
        for on in (False, True)
    )
    assert plain < every
    assert train("a", train__train_on_prompt=True).code == 0


def test_settings_that_a_continued_adapter_overrules_are_named(train: Train, run_here: Path) -> None:
    answer = train("child", model="finished", lora__rank=16)
    assert answer.code == 0, answer.err
    assert "warning: lora.rank 16 is not used: the adapter of finished has 4\n" in answer.err
    config = json.loads(Path("runs/child/adapter/adapter_config.json").read_text())
    assert config["r"] == 4


def test_a_part_of_the_held_out_records_is_enough_while_training(train: Train) -> None:
    """Evenly spaced, so that every source is among them."""
    answer = train("part", "--json", data__max_eval_records=2)
    assert answer.code == 0
    assert record_of("runs/part")["held_out_records"] == 2
    write_rows("heldout.jsonl", [HELD_OUT[0], HELD_OUT[2]])
    assert train("two").code == 0
    assert losses_of("runs/part", "eval_loss") == losses_of("runs/two", "eval_loss")
