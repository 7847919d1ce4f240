"""Training every weight: from a folder, and from nothing with a tokenizer of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from workbench import Cli, Train, losses_of, record_of, weights_of

NEW = {
    "model": None,
    "train__method": "full",
    "train__architecture": {
        "hidden_size": 32, "intermediate_size": 64, "layers": 2, "heads": 4, "kv_heads": 2, "context_length": 128,
    },
    "train__tokenizer": {"vocab_size": 350},
}  # fmt: skip


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder)


def test_a_new_model_loads_anywhere(train: Train, cli: Cli) -> None:
    answer = train("new", "--json", train__save_dtype="float16", train__max_steps=10, train__dropout=0.1, **NEW)
    assert answer.code == 0, answer.err
    assert answer.json()["result"] == "runs/new/model"
    folder = Path("runs/new/model")
    model = load(folder)
    assert model.dtype == torch.float16
    assert model.config.vocab_size == 350
    assert model.config.attention_dropout == 0  # dropout is a matter of training
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "contract.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    }  # fmt: skip
    losses = list(losses_of("runs/new").values())
    assert losses[-1] < losses[0] - 0.2
    record = record_of("runs/new")
    assert (record["model"], record["base_model"]) == (None, None)
    asked = cli("chat", "runs/new", "--once", "비가 와?", "--set", "generation.max_tokens=5", "--json")
    assert asked.code == 0, asked.err
    assert asked.json()["token_ids"]
    assert "staging" not in (folder / "contract.json").read_text()


def test_a_new_model_is_made_by_its_seed(train: Train) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert train(name, train__seed=seed, **NEW).code == 0
    assert weights_of("runs/a") == weights_of("runs/b") != weights_of("runs/c")
    tokenizers = [Path(f"runs/{name}/model/tokenizer.json").read_bytes() for name in "ac"]
    assert tokenizers[0] == tokenizers[1]


def test_a_new_model_can_take_the_tokenizer_of_another(train: Train, tiny_model: Path) -> None:
    settings = {key: value for key, value in NEW.items() if key not in ("model", "train__tokenizer")}
    assert train("a", **settings).code == 0
    here = Path("runs/a/model/tokenizer.json")
    assert json.loads(here.read_text()) == json.loads((tiny_model / "tokenizer.json").read_text())
    assert load(here.parent).config.vocab_size == 400


def test_every_weight_of_a_folder_is_trained(train: Train, tiny_model: Path) -> None:
    answer = train("a", "--json", train__method="full", train__keep="last")
    assert answer.code == 0, answer.err
    before, after = load(tiny_model), load(Path("runs/a/model"))
    assert after.dtype == torch.float32
    moved = {name for name, weight in after.state_dict().items() if not torch.equal(weight, before.state_dict()[name])}
    assert moved == set(before.state_dict())
    from safetensors.torch import load_file

    checkpoint = load_file("runs/a/checkpoints/checkpoint-4/model.safetensors")
    assert all(torch.equal(after.state_dict()[name], weight) for name, weight in checkpoint.items())
    plan = train("b", "--dry-run", "--json", train__method="full").json()
    matrices = sum(weight.numel() for weight in after.parameters() if weight.ndim > 1)
    assert plan["trainable_parameters"] == matrices


def test_the_best_step_of_a_full_training_is_the_result(train: Train) -> None:
    from safetensors.torch import load_file

    answer = train("a", "--json", train__method="full", train__max_steps=12, train__learning_rate=0.05)
    held_out = losses_of("runs/a", "eval_loss")
    chosen = min(held_out, key=held_out.__getitem__)
    assert answer.json()["chosen_step"] == chosen < 12
    result = load_file("runs/a/model/model.safetensors")
    checkpoint = load_file(f"runs/a/checkpoints/checkpoint-{chosen}/model.safetensors")
    assert all(torch.equal(result[name], weight) for name, weight in checkpoint.items())


def test_a_full_training_does_not_drop_an_adapter_unsaid(train: Train, run_here: Path) -> None:
    answer = train("a", model=str(run_here), train__method="full")
    assert answer.code == 2
    (line,) = answer.errors
    assert "adapter" in line
    assert "train.method" in line
    assert not Path("runs/a").exists()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"train__architecture": NEW["train__architecture"]}, "train.method: full"),
        ({"train__method": "full", "train__tokenizer": {"vocab_size": 350}}, "needs train.architecture"),
        ({"train__method": "full", "model": None}, "want model"),
        ({**NEW, "train__tokenizer": None}, "want train.tokenizer"),
        ({**NEW, "train__architecture.heads": 5}, "hidden_size must be a multiple of heads"),
        ({"train__pack_length": 50}, "pack_length must hold one record"),
    ],
)
def test_settings_that_contradict_are_refused(train: Train, settings: dict[str, Any], word: str) -> None:
    answer = train("a", **settings)
    assert answer.code == 2
    assert word in answer.err
    assert not Path("runs").exists()
