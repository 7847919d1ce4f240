"""Models that are not what they say: cut or pickled weights, another base, another template. No command uses them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from workbench import Answer, Cli, write_config, write_rows

Use = Callable[[Path | str], Answer]


@pytest.fixture(params=["train", "eval", "generate", "chat"])
def use(request: pytest.FixtureRequest, cli: Cli, tiny_model: Path) -> Use:
    """Every command that takes a model."""
    write_config(tiny_model)
    write_rows("prompts.jsonl", [{"id": 1, "text": "비가"}])

    def run(model: Path | str) -> Answer:
        commands = {
            "train": ["train", "train.yaml", "--name", "used", "--set", f"model={model}"],
            "eval": ["eval", "eval.yaml", "--name", "used", "--set", f"model={model}"],
            "generate": ["generate", "prompts.jsonl", "-o", "used.jsonl", "--model", model],
            "chat": ["chat", model, "--once", "비가 와?", "--set", "generation.max_tokens=3"],
        }
        return cli(*commands[request.param])

    return run


@pytest.fixture
def model(tiny_model: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(tiny_model, "model"))


def refused(answer: Answer, *words: str, code: int = 2) -> None:
    assert answer.code == code, answer.err
    assert len(answer.errors) == 1, answer.err
    for word in words:
        assert word in answer.errors[0]
    assert answer.out == ""
    assert not Path("used.jsonl").exists()
    assert not Path("runs/used/adapter").exists()


def test_the_copy_itself_is_fine(use: Use, model: Path) -> None:
    assert use(model).code == 0


def test_weights_that_are_cut(use: Use, model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    refused(use(model), "model", "the weights cannot be ")


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64])
def test_weights_that_are_none(use: Use, model: Path, content: bytes) -> None:
    (model / "model.safetensors").write_bytes(content)
    refused(use(model), "model", "the weights cannot be ")


def rewrite(model: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(model / "model.safetensors")
    change(tensors)
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})


NORM = "model.layers.1.input_layernorm.weight"


def test_a_missing_tensor(use: Use, model: Path) -> None:
    rewrite(model, lambda tensors: tensors.pop(NORM))
    refused(use(model), f"model: the weights lack {NORM} (1 in all)")


def test_a_spare_tensor(use: Use, model: Path) -> None:
    rewrite(model, lambda tensors: tensors.update({"model.layers.7.extra.weight": torch.zeros(3)}))
    refused(use(model), "model: the weights have a spare model.layers.7.extra.weight (1 in all)")


def test_a_tensor_of_the_wrong_shape(use: Use, model: Path) -> None:
    rewrite(model, lambda tensors: tensors.update({NORM: torch.ones(31)}))
    refused(use(model), "model", NORM)


def test_pickled_weights_are_never_opened(use: Use, model: Path) -> None:
    tensors = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    torch.save(tensors, model / "pytorch_model.bin")
    refused(use(model), "model: only pickled weights (pytorch_model.bin), which can run code", "safe_serialization")


def test_no_weights(use: Use, model: Path) -> None:
    (model / "model.safetensors").unlink()
    refused(use(model), "model: no *.safetensors here")


def test_no_config(use: Use, model: Path) -> None:
    (model / "config.json").unlink()
    refused(use(model), "model: no config.json and no adapter_config.json here")


def test_no_chat_template(use: Use, model: Path) -> None:
    path = model / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings["chat_template"]
    path.write_text(json.dumps(settings))
    refused(use(model), "model: no chat template -> use the -Instruct model")


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json", "config.json", "generation_config.json"])
def test_broken_json(use: Use, model: Path, file: str) -> None:
    (model / file).write_text('{"a": ')
    refused(use(model), f"model/{file}: not ")


def test_no_tokenizer(use: Use, model: Path) -> None:
    (model / "tokenizer.json").unlink()
    refused(use(model), "model: no tokenizer.json here")


def test_no_end_of_turn(use: Use, model: Path) -> None:
    path = model / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token": "</s>"}))
    refused(use(model), "model/tokenizer_config.json: no end-of-turn token (eos_token)")


def test_a_run_that_has_no_result_yet(use: Use, run_here: Path) -> None:
    shutil.rmtree(run_here / "adapter")
    refused(use("finished"), "runs/finished: this run has no finished model yet", "--resume")


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_run_itself_is_fine(use: Use, run_here: Path) -> None:
    for name in ("finished", "runs/finished", "runs/finished/adapter"):
        assert use(name).code == 0
        shutil.rmtree("runs/used", ignore_errors=True)


def test_an_adapter_on_other_weights(use: Use, run_here: Path, other_model: Path) -> None:
    edit(run_here / "adapter/contract.json", base_model=str(other_model))
    answer = use("finished")
    refused(answer, "runs/finished/adapter: the model is not what it was trained with: base_weights: trained with {")
    before, now = answer.errors[0].split("trained with {")[1].split(", now ")
    assert before.rstrip("}") != now.split("}")[0].lstrip("{")


def test_an_adapter_on_a_base_that_was_replaced(use: Use, run_here: Path, model: Path, other_model: Path) -> None:
    edit(run_here / "adapter/contract.json", base_model=str(model.resolve()))
    assert use("finished").code == 0
    shutil.rmtree("runs/used", ignore_errors=True)
    Path("used.jsonl").unlink(missing_ok=True)
    shutil.copy(other_model / "model.safetensors", model / "model.safetensors")
    refused(use("finished"), "base_weights: trained with {model.safetensors: ")


def test_a_foreign_adapter_of_another_shape(use: Use, run_here: Path, wide_model: Path) -> None:
    shutil.copytree(run_here / "adapter", "foreign")
    Path("foreign/contract.json").unlink()
    edit(Path("foreign/adapter_config.json"), base_model_name_or_path=str(wide_model))
    refused(use("foreign"), "foreign: the adapter does not fit")


def test_an_adapter_whose_base_is_gone(use: Use, run_here: Path) -> None:
    edit(run_here / "adapter/contract.json", base_model="/gone/base")
    refused(use("finished"), "/gone/base: no such model folder", code=3)


def test_an_adapter_on_an_adapter(use: Use, run_here: Path) -> None:
    shutil.copytree(run_here, "runs/below")
    edit(run_here / "adapter/contract.json", base_model="runs/below")
    refused(use("finished"), "its base 'runs/below' is itself an adapter")


@pytest.mark.parametrize("spare", [True, False])
def test_an_adapter_with_other_tensors(use: Use, run_here: Path, spare: bool) -> None:
    path = run_here / "adapter/adapter_model.safetensors"
    tensors = load_file(path)
    first = sorted(tensors)[0]
    moved = tensors.pop(first)
    if spare:
        tensors[first] = moved
        tensors[first.replace("layers.0", "layers.9")] = moved.clone()
    save_file(tensors, path, metadata={"format": "pt"})
    refused(use("finished"), "runs/finished/adapter: the adapter does not fit", "layers.")


def test_an_adapter_of_pickled_weights_is_never_opened(use: Use, run_here: Path) -> None:
    path = run_here / "adapter/adapter_model.safetensors"
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    refused(use("finished"), "runs/finished/adapter: only pickled weights (adapter_model.bin), which can run code")


def test_an_adapter_that_is_cut(use: Use, run_here: Path) -> None:
    path = run_here / "adapter/adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    refused(use("finished"), "runs/finished/adapter: the adapter ")


def test_a_changed_chat_template(use: Use, run_here: Path) -> None:
    path = run_here / "adapter/tokenizer_config.json"
    template = json.loads(path.read_text())["chat_template"]
    edit(path, chat_template=template.replace("user", "User").replace("message['content']", "message['content']+' '"))
    answer = use("finished")
    refused(answer, "template_sha256: trained with ")
    before, now = answer.errors[0].split("template_sha256: trained with ")[1].split(", now ")
    assert json.loads((run_here / "adapter/contract.json").read_text())["template_sha256"].startswith(
        before.rstrip("…")
    )
    assert before != now.split(" ")[0]


def test_another_end_of_turn(use: Use, run_here: Path) -> None:
    edit(run_here / "adapter/tokenizer_config.json", eos_token="<|endoftext|>")
    refused(
        use("finished"), "eos_token: trained with <|im_end|>, now <|endoftext|>", "stop_token_ids: trained with [2, 0]"
    )


def test_a_model_from_full_training_with_another_template(use: Use, model: Path, run_here: Path) -> None:
    contract = json.loads((run_here / "adapter/contract.json").read_text())
    (model / "contract.json").write_text(json.dumps(contract | {"base_weights": {}}))
    assert use(model).code == 0
    shutil.rmtree("runs/used", ignore_errors=True)
    Path("used.jsonl").unlink(missing_ok=True)
    edit(model / "tokenizer_config.json", chat_template="{{ messages[0].content }}<|im_end|>")
    refused(use(model), "model: the model is not what it was trained with: template_sha256")
