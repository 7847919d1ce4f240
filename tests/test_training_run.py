"""A training through the command line: what it leaves on disk, and that the adapter is what any peft user loads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from workbench import HELD_OUT, TRAINED_ON, Cli, Train, losses_of, metrics_of, record_of, weights_of

CHECKPOINT = {
    "README.md", "adapter_config.json", "adapter_model.safetensors", "files.json", "optimizer.pt", "rng_state.pth",
    "scheduler.pt", "trainer_state.json", "training_args.bin",
}  # fmt: skip
ADAPTER = {
    "adapter_config.json", "adapter_model.safetensors", "contract.json", "generation_config.json", "tokenizer.json",
    "tokenizer_config.json",
}  # fmt: skip


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def plain_peft(base: Path, adapter: Path) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter).eval()


def batch_loss(model: Any, tokenizer: Any, rows: list[Any]) -> float:
    """The mean loss of transformers over the answers of conversations, in nats per token."""
    total, count = 0.0, 0
    for row in rows:
        ids = tokenizer.apply_chat_template(row["messages"])["input_ids"]
        opened = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True)["input_ids"]
        labels = [-100] * len(opened) + ids[len(opened) :]
        labels[-1] = -100  # the line end after the end of the turn
        learned = len(ids) - 1 - len(opened)
        with torch.no_grad():
            total += float(model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss) * learned
        count += learned
    return total / count


@pytest.fixture(scope="session")
def reference_tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def test_a_run_leaves_exactly_these_files(train: Train) -> None:
    answer = train("a", "--json")
    assert answer.code == 0, answer.err
    found = {str(path.relative_to("runs")) for path in Path("runs").rglob("*") if path.is_file()}
    steps = (2, 4)
    assert found == (
        {f"a/{name}" for name in ("config.yaml", "record.json", "metrics.jsonl", "loss_curve.png")}
        | {f"a/adapter/{name}" for name in ADAPTER}
        | {f"a/checkpoints/checkpoint-{step}/{name}" for step in steps for name in CHECKPOINT}
    )
    assert {path.name for path in Path().iterdir()} == {
        "eval.yaml",
        "train.yaml",
        "heldout.jsonl",
        "train.jsonl",
        "runs",
    }
    result = answer.json()
    assert (result["run"], result["result"], result["steps"]) == ("runs/a", "runs/a/adapter", 4)
    assert result["held_out_loss"] == min(losses_of("runs/a", "eval_loss").values())
    assert result["train_loss"] == losses_of("runs/a")[4]
    assert answer.err == "next: llmops chat runs/a --once '안녕?'\n"
    assert Path("runs/a/loss_curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_record_tells_how_to_repeat_the_run(train: Train, cli: Cli, tiny_model: Path) -> None:
    train("a")
    record = record_of("runs/a")
    known = {
        "schema_version": 1, "job": "train", "name": "a", "status": "finished", "git_commit": None, "device": "cpu",
        "dtype": "float32", "model": str(tiny_model), "base_model": str(tiny_model), "parent": None, "seed": 7,
        "records": 12, "held_out_records": 4, "masked_records": [], "truncated_records": [], "planned_steps": 4,
        "steps": 4,
    }  # fmt: skip
    assert known.items() <= record.items()
    assert record["data"] == [
        {"role": role, "path": path, "sha256": sha256(path), "bytes": Path(path).stat().st_size}
        for role, path in (("train", "train.jsonl"), ("eval", "heldout.jsonl"))
    ]
    losses = losses_of("runs/a", "eval_loss")
    assert record["chosen_step"] == min(losses, key=losses.__getitem__)
    assert record["best_held_out_loss"] == min(losses.values())
    assert record["libraries"]["torch"] == torch.__version__
    assert record["tokens_per_epoch"] > 12 * 10
    assert 0 < record["seconds"] < 60
    assert record["peak_memory"] > 1e8
    contract = json.loads(Path("runs/a/adapter/contract.json").read_text())
    assert contract["base_weights"] == {"model.safetensors": sha256(tiny_model / "model.safetensors")}
    assert (contract["base_model"], contract["eos_token"], contract["max_length"]) == (
        str(tiny_model),
        "<|im_end|>",
        96,
    )
    again = cli("train", "runs/a/config.yaml", "--name", "again")  # the written configuration is one
    assert again.code == 0, again.err
    assert weights_of("runs/again") == weights_of("runs/a")


def test_metrics_have_a_line_for_every_step(train: Train, reference_tokenizer: Any, tiny_model: Path) -> None:
    train("a", train__eval_every=3)
    entries = metrics_of("runs/a")
    assert [entry["step"] for entry in entries if "loss" in entry] == [1, 2, 3, 4]
    assert [entry["step"] for entry in entries if "eval_loss" in entry] == [3, 4]
    keys = {"step", "epoch", "loss", "grad_norm", "learning_rate", "tokens", "seconds", "memory"}
    assert all(entry.keys() == keys for entry in entries if "loss" in entry)
    assert [round(entry["epoch"], 2) for entry in entries if "loss" in entry] == [0.33, 0.67, 1.0, 1.33]
    model = plain_peft(tiny_model, Path("runs/a/checkpoints/checkpoint-4"))
    assert losses_of("runs/a", "eval_loss")[4] == pytest.approx(
        batch_loss(model, reference_tokenizer, HELD_OUT), rel=1e-5
    )


def test_the_adapter_loads_with_plain_peft_and_gives_our_logits(finished: Path, tiny_model: Path) -> None:
    from llmops_cli.core.device import choose_device
    from llmops_cli.models.load import add_adapter, load_base
    from llmops_cli.models.resolve import resolve_model

    files = resolve_model(str(finished))
    ours = add_adapter(load_base(files.base, choose_device("cpu")), files).eval()
    plain = plain_peft(tiny_model, finished / "adapter")
    ids = torch.tensor([[1, 269, 223, 300, 310, 2, 5]])
    with torch.no_grad():
        assert torch.equal(ours(input_ids=ids).logits, plain(input_ids=ids).logits)
        with plain.disable_adapter():
            assert not torch.allclose(ours(input_ids=ids).logits, plain(input_ids=ids).logits, atol=1e-2)
    config = json.loads((finished / "adapter/adapter_config.json").read_text())
    assert list(config) == sorted(config)
    assert config["target_modules"] == sorted(config["target_modules"])
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 8, str(tiny_model))


def test_the_loss_goes_down(finished: Path) -> None:
    losses = list(losses_of(finished).values())
    assert len(losses) == 20
    assert sum(losses[-3:]) / 3 < sum(losses[:3]) / 3 - 1


def test_the_seed_decides_every_byte(train: Train) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert train(name, train__seed=seed, lora__dropout=0.1).code == 0
    assert weights_of("runs/a") == weights_of("runs/b")
    assert losses_of("runs/a") == losses_of("runs/b")
    assert losses_of("runs/a") != losses_of("runs/c")
    configs = [Path(f"runs/{name}/adapter/adapter_config.json").read_bytes() for name in "ab"]
    assert configs[0] == configs[1]


def test_how_records_are_packed_changes_no_loss(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row of eight records, and several rows accumulated, are the same step."""
    from llmops_cli.models.packing import Packer

    pack = Packer.rows
    counts: list[int] = []

    def counted(self: Packer, records: Any) -> Any:
        rows = pack(self, records)
        counts.append(len(rows))
        return rows

    monkeypatch.setattr(Packer, "rows", counted)
    most = {}
    for name, length in (("one", 8 * 96), ("some", 150), ("each", 96)):
        counts.clear()
        assert train(name, train__batch_size=8, train__pack_length=length).code == 0
        most[name] = max(counts)
    assert most["one"] == 1 < most["some"] < most["each"]
    for key in ("loss", "grad_norm", "eval_loss", "tokens"):
        for name in ("some", "each"):
            assert losses_of(f"runs/{name}", key) == pytest.approx(losses_of("runs/one", key), rel=1e-5)


@pytest.mark.parametrize(("keep", "patience"), [("best", None), ("last", None), ("best", 2)])
def test_the_chosen_step_becomes_the_result(train: Train, keep: str, patience: int | None) -> None:
    """At this learning rate the held-out loss rises while the training loss falls."""
    answer = train(
        "a", "--json", train__max_steps=20, train__learning_rate=0.05, train__keep=keep, train__patience=patience
    )
    assert answer.code == 0, answer.err
    held_out = losses_of("runs/a", "eval_loss")
    best = min(held_out, key=held_out.__getitem__)
    steps = 20 if patience is None else best + 2 * patience  # evaluated every second step
    assert best < steps
    assert list(losses_of("runs/a")) == list(range(1, steps + 1))
    chosen = best if keep == "best" else steps
    assert answer.json()["chosen_step"] == record_of("runs/a")["chosen_step"] == chosen
    checkpoints = Path("runs/a/checkpoints")
    assert weights_of("runs/a") == (checkpoints / f"checkpoint-{chosen}/adapter_model.safetensors").read_bytes()
    kept = {path.name for path in checkpoints.iterdir()}
    assert kept == {f"checkpoint-{step}" for step in (best, steps - 2, steps)}


def test_the_first_loss_is_that_of_the_base(train: Train, tiny_model: Path, reference_tokenizer: Any) -> None:
    from transformers import AutoModelForCausalLM

    assert train("a", train__batch_size=12).code == 0
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    assert losses_of("runs/a")[1] == pytest.approx(batch_loss(base, reference_tokenizer, TRAINED_ON), rel=1e-5)


def test_going_on_with_a_run_starts_where_it_ended(train: Train, tiny_model: Path, reference_tokenizer: Any) -> None:
    everything = {"train__batch_size": 12, "train__keep": "last"}
    assert train("parent", **everything).code == 0
    assert train("child", model="runs/parent", **everything).code == 0
    end = batch_loss(plain_peft(tiny_model, Path("runs/parent/adapter")), reference_tokenizer, TRAINED_ON)
    assert losses_of("runs/child")[1] == pytest.approx(end, rel=1e-5)
    assert losses_of("runs/child")[1] != pytest.approx(losses_of("runs/parent")[1], rel=1e-3)
    record = record_of("runs/child")
    assert (record["parent"], record["base_model"], record["model"]) == ("parent", str(tiny_model), "runs/parent")
    assert yaml.safe_load(Path("runs/child/config.yaml").read_text())["model"] == "runs/parent"
    plain_peft(tiny_model, Path("runs/child/adapter"))
