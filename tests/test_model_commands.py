"""`llmops model show`: what a model is, whether it stops, and one line for what is broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from workbench import Cli, weights_of

from llmops_cli.core.errors import InputError
from llmops_cli.models.resolve import resolve_model
from llmops_cli.models.weights import summarize_weights

TINY = "builtin:tiny-ko"


@pytest.fixture
def model(tiny_model: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(tiny_model, "model"))


@pytest.fixture
def shown(cli: Cli) -> Callable[[object], Any]:
    """`shown("runs/a")`: what `model show --json` says."""

    def show(name: object) -> Any:
        answer = cli("model", "show", name, "--json")
        assert answer.code == 0, answer.err
        return answer.json()

    return show


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def parameters_of(path: Path) -> int:
    return sum(tensor.size for tensor in load_file(path).values())


def test_the_builtin_model(shown: Callable[[str], Any]) -> None:
    said = shown(TINY)
    assert (said["kind"], said["base"], said["adapter"]) == ("builtin", None, None)
    assert said["shape"] == {
        "architecture": "Qwen2ForCausalLM", "layers": 6, "hidden": 192, "heads": 3, "key_value_heads": 1,
        "vocabulary": 3072, "context_length": 2048,
    }  # fmt: skip
    path = Path(said["folder"]) / "model.safetensors"
    assert said["weights"] == {
        "parameters": parameters_of(path), "dtypes": ["float16"], "quantization": None, "size": path.stat().st_size,
    }  # fmt: skip
    assert said["special_tokens"] == {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2}
    assert said["stopping"] == {
        "stop_tokens": {"<|im_end|>": 2, "<|endoftext|>": 0}, "end_of_turn": "<|im_end|>", "warnings": [],
    }  # fmt: skip
    assert said["template"]["example"].endswith("<|im_start|>assistant\n응, 우산을 챙겨.<|im_end|>\n")
    assert said["contract"] == {"verdict": "same", "differing": {}}
    assert "transformers" in said["engines"]
    assert next(iter(said["engines"].values())).startswith("the fastest that can run it here")


def test_a_run_and_its_adapter(shown: Callable[[object], Any], run_here: Path, tiny_model: Path) -> None:
    run, adapter = shown("finished"), shown("runs/finished/adapter")
    assert (run["kind"], run["base"]) == ("run", str(tiny_model))
    assert run["adapter"] == {
        "rank": 4, "alpha": 8, "size": len(weights_of(run_here)),
        "parameters": parameters_of(run_here / "adapter/adapter_model.safetensors"),
        "targets": ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
    }  # fmt: skip
    assert run["contract"]["verdict"] == "same"
    assert run["weights"]["parameters"] == parameters_of(tiny_model / "model.safetensors")
    shutil.copytree("runs/finished/adapter", "elsewhere")
    assert shown("elsewhere")["kind"] == "adapter"
    assert adapter | {"kind": "", "name": ""} == shown("elsewhere") | {
        "kind": "",
        "name": "",
        "folder": adapter["folder"],
    }


def test_a_folder_without_a_contract(shown: Callable[[object], Any], model: Path) -> None:
    said = shown(model)
    assert (said["kind"], said["contract"]["verdict"]) == ("folder", "unverifiable")


def test_a_template_that_changed_since_training(
    cli: Cli, shown: Callable[[object], Any], run_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    before = shown("finished")["template"]["sha256"]
    path = run_here / "adapter/tokenizer_config.json"
    edit(path, chat_template=json.loads(path.read_text())["chat_template"] + " ")
    said = shown("finished")
    after = said["template"]["sha256"]
    assert said["contract"] == {"verdict": "refused", "differing": {"template_sha256": [before, after]}}
    table = cli("model", "show", "finished")
    assert table.code == 0
    assert f"template_sha256: trained with {before[:12]}…, now {after[:12]}…" in table.out


def test_a_gguf_file(shown: Callable[[object], Any], model: Path) -> None:
    pytest.importorskip("gguf")
    from gguf_writing import write_gguf

    write_gguf(model, Path("exported.gguf"))
    said, original = shown("exported.gguf"), shown(model)
    assert said["kind"] == "gguf"
    assert said["shape"] | {"architecture": ""} == original["shape"] | {"architecture": ""}
    for key in ("template", "special_tokens"):
        assert said[key] == original[key]
    assert said["stopping"]["end_of_turn"] == "<|im_end|>"


@pytest.mark.parametrize(
    ("bits", "tensors", "parameters"),
    [
        (4, {"a.weight": np.zeros((4, 3), "u1"), "a.weight_scale": np.zeros((4, 1), "f2"), "n": np.zeros(5, "f2")}, 29),
        (8, {"a.weight": np.zeros((4, 6), "i1"), "a.weight_scale": np.zeros(4, "f2"), "a.bias": np.zeros(4, "f2")}, 28),
        (4, {"a.weight": np.zeros((4, 2), "u4"), "a.scales": np.zeros(4, "f2"), "a.biases": np.zeros(4, "f2")}, 64),
        (None, {"a.weight": np.zeros((4, 6), "f2"), "a.scales": np.zeros(4, "f2")}, 28),
    ],
)
def test_parameters_of_quantized_weights_are_those_they_stand_for(
    bits: int | None, tensors: dict[str, Any], parameters: int
) -> None:
    save_file(tensors, "x.safetensors")
    assert summarize_weights([Path("x.safetensors")], bits).parameters == parameters


CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"


@pytest.mark.parametrize(
    ("template", "settings", "warning"),
    [
        (CHATML, {}, None),
        ("{% for m in messages %}{{ m['content'] }}\n{% endfor %}", {}, "a fine-tune cannot learn to stop"),
        (CHATML, {"eos_token": "<|endoftext|>"}, "<|im_end|> (2) closes an answer and is no stop token"),
    ],
)  # fmt: skip
def test_whether_it_stops(cli: Cli, model: Path, template: str, settings: dict[str, str], warning: str | None) -> None:
    edit(model / "tokenizer_config.json", chat_template=template, **settings)
    if settings:
        (model / "generation_config.json").unlink()
    answer = cli("model", "show", model)
    assert answer.code == 0
    assert answer.err.startswith("warning: ") if warning else answer.err == ""
    assert (warning or "") in answer.err
    assert ("-" if "cannot" in answer.err else "<|im_end|>") in answer.out


def test_an_end_of_turn_that_is_no_special_token(cli: Cli, model: Path) -> None:
    path = model / "tokenizer.json"
    stored = json.loads(path.read_text())
    for token in stored["added_tokens"]:
        token["special"] = False
    path.write_text(json.dumps(stored))
    assert "<|im_end|> (2) is not special in tokenizer.json" in cli("model", "show", model).err


def test_the_whole_template(cli: Cli, model: Path) -> None:
    edit(model / "tokenizer_config.json", chat_template=CHATML)
    answer = cli("model", "show", model, "--template")
    assert (answer.code, answer.out, answer.err) == (0, f"{CHATML}\n", "")


def cut(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def lose_a_part(model: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "model/model.safetensors: the weights cannot be read"),
        (lose_a_part, "model: model-00002-of-00002.safetensors is missing (1 files in all)"),
        (
            lambda model: (model / "model.safetensors").write_bytes(b""),
            "model/model.safetensors: the weights cannot be",
        ),
        (lambda model: (model / "model.safetensors").unlink(), "model: no *.safetensors here"),
        (lambda model: (model / "model.safetensors").rename(model / "m.pt"), "model: only pickled weights (m.pt)"),
        (lambda model: (model / "config.json").write_text("[]"), "model/config.json: not a JSON object"),
        (lambda model: (model / "config.json").write_text("{"), "model/config.json: not JSON"),
        (lambda model: (model / "contract.json").write_text("[1]"), "model/contract.json: not a JSON object"),
        (lambda model: (model / "tokenizer.json").unlink(), "model: no tokenizer.json here"),
        (lambda model: (model / "tokenizer_config.json").write_text("{}"), "model: no chat template"),
    ],
)
def test_a_broken_folder_is_one_line(cli: Cli, model: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(model)
    answer = cli("model", "show", model)
    assert (answer.code, answer.out, len(answer.errors)) == (2, "", 1)
    assert answer.errors[0].startswith(said)


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nowhere", 3, "nowhere: no such model folder, run or hub name"),
        ("a/b", 3, "a/b: not on this machine, and the hub at"),
        ("http://127.0.0.1:9/v1", 2, "no files to show"),
        ("builtin:none", 3, "there is: builtin:tiny-ko"),
    ],
)
def test_a_name_without_files_is_one_line(cli: Cli, name: str, code: int, said: str) -> None:
    answer = cli("model", "show", name)
    assert (answer.code, answer.out, len(answer.errors)) == (code, "", 1)
    assert said in answer.errors[0]


@pytest.mark.parametrize("ending", ["bin", "pt", "pth", "ckpt", "pkl"])
def test_a_pickle_is_refused_by_name_wherever_it_lies(run_here: Path, model: Path, ending: str) -> None:
    (model / "model.safetensors").rename(model / f"weights.{ending}")
    (run_here / "adapter/adapter_model.safetensors").rename(run_here / f"adapter/adapter_model.{ending}")
    shutil.copytree(model, "runs/full/model")
    Path("runs/full/record.json").write_text("{}")
    for name, pickle in (
        ("model", f"weights.{ending}"),
        (f"model/weights.{ending}", f"weights.{ending}"),
        ("full", f"weights.{ending}"),
        ("finished", f"adapter_model.{ending}"),
        ("runs/finished/adapter", f"adapter_model.{ending}"),
    ):
        with pytest.raises(InputError, match=rf"only pickled weights \({pickle}\), which can run code"):
            resolve_model(name)
