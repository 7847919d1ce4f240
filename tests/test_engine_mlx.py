"""The mlx engine computes what transformers computes, on MLX's CPU build."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli, log_probabilities

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Engine, Request, complete
from llmops_cli.inference.open import open_engine
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.tokenizer import load_tokenizer

mx = pytest.importorskip("mlx.core")

TINY_KO = BUILTIN_DIRECTORY / "tiny-ko"
QUESTIONS = [
    "비가 와?",
    "겨울 바다 이야기를 써 줘.",
    "오늘 저녁에 뭐 먹을까?",
    "제목: 눈",
    "안녕?",
    "어디 가?",
    "책 샀어?",
]
GREEDY = GenerationConfig(temperature=0, max_tokens=24)


def opened(model: object, name: str = "mlx", **settings: Any) -> Engine:
    return open_engine(EngineConfig(model=str(model), engine=name, device="cpu", **settings))  # type: ignore[arg-type]


def asked(text: str, session: str = "", *earlier: str) -> Request:
    roles = ("user", "assistant")
    turns = [{"role": roles[place % 2], "content": content} for place, content in enumerate([*earlier, text])]
    return Request(GREEDY, turns, session=session)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return opened(TINY_KO)


@pytest.fixture(scope="module")
def original() -> Engine:
    return opened(TINY_KO, "transformers")


def test_greedy_answers_are_those_of_transformers(engine: Engine, original: Engine) -> None:
    answers = [complete(engine, asked(text)) for text in QUESTIONS]
    assert answers == [complete(original, asked(text)) for text in QUESTIONS]
    assert len({token for answer in answers for token in answer.token_ids}) > 25


def test_text_is_scored_as_by_transformers(engine: Engine, original: Engine) -> None:
    ids = load_tokenizer(TINY_KO).encode("겨울 바다는 조용했다. " * 50)
    assert len(ids) > 256  # more than one chunk
    assert log_probabilities(engine, ids) == pytest.approx(log_probabilities(original, ids), abs=1e-3)


def test_an_adapter_is_added(run_here: Path) -> None:
    engine, original = opened("finished"), opened("finished", "transformers")
    ids = engine.tokenizer.encode("비가 많이 오네. 우산을 챙겨 가는 게 좋겠다.")  # type: ignore[union-attr]
    assert log_probabilities(engine, ids) == pytest.approx(log_probabilities(original, ids), abs=1e-3)
    base = opened(json.loads((run_here / "adapter/contract.json").read_text())["base_model"])
    assert log_probabilities(engine, ids) != pytest.approx(log_probabilities(base, ids), abs=0.1)


@pytest.mark.parametrize(
    "changes",
    [
        {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}},
        {
            "rope_parameters": {
                "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64, "rope_theta": 10000.0,
            }
        },
        {"tie_word_embeddings": False},
    ],
)  # fmt: skip
def test_other_shapes_are_computed_too(tiny_model: Path, changes: dict[str, Any]) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_model, "changed")
    config = json.loads(Path("changed/config.json").read_text()) | changes
    Path("changed/config.json").write_text(json.dumps(config))
    if not config["tie_word_embeddings"]:
        tensors = load_file("changed/model.safetensors")
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].flip(0).clone()
        save_file(tensors, "changed/model.safetensors", metadata={"format": "pt"})
    ids = load_tokenizer(tiny_model).encode("비가 온다. 우산을 챙기자. " * 6)
    want = log_probabilities(opened("changed", "transformers"), ids)
    assert log_probabilities(opened("changed"), ids) == pytest.approx(want, abs=1e-3)
    assert log_probabilities(opened(tiny_model), ids) != pytest.approx(want, abs=0.1)


def test_a_session_goes_on_from_what_it_computed(engine: Engine) -> None:
    first = complete(engine, asked(QUESTIONS[0], "s"))
    alone = complete(engine, asked("왜?", "", QUESTIONS[0], first.output))
    complete(engine, asked(QUESTIONS[0], "s"))
    processed, decoder = [], engine._tokens._decoder  # type: ignore[attr-defined]

    def counting(ids: list[int], cache: Any, keep: int) -> Any:
        processed.append(len(ids))
        return decoder(ids, cache, keep)

    engine._tokens._decoder = counting  # type: ignore[attr-defined]
    try:
        assert complete(engine, asked("왜?", "s", QUESTIONS[0], first.output)) == alone
        assert processed[0] < 15 < alone.prompt_tokens  # type: ignore[operator]
    finally:
        engine._tokens._decoder = decoder  # type: ignore[attr-defined]


@pytest.mark.parametrize(("precision", "closeness"), [("fp16", 0.05), ("bf16", 0.5), ("int8", 0.3), ("int4", 3.0)])
def test_every_precision_is_near_to_the_original(engine: Engine, precision: str, closeness: float) -> None:
    ids = load_tokenizer(TINY_KO).encode("겨울 바다는 조용했다.")
    found = log_probabilities(opened(TINY_KO, precision=precision), ids)
    want = log_probabilities(engine, ids)
    assert found != want
    assert max(abs(one - other) for one, other in zip(found, want, strict=True)) < closeness


def packed(folder: Path, bits: int) -> Path:
    """Weights as mlx-lm's `convert -q` writes them."""
    shutil.copytree(TINY_KO, folder, ignore=shutil.ignore_patterns("contract.json"))
    tensors = {}
    for name, tensor in mx.load(str(TINY_KO / "model.safetensors")).items():
        if tensor.ndim == 1:
            tensors[name] = tensor
            continue
        stem = name.removesuffix(".weight")
        tensors[name], tensors[f"{stem}.scales"], tensors[f"{stem}.biases"] = mx.quantize(tensor, 64, bits)
    mx.save_safetensors(str(folder / "model.safetensors"), tensors)
    config = json.loads((folder / "config.json").read_text()) | {"quantization": {"group_size": 64, "bits": bits}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_weights_that_were_quantized_before_are_run(tmp_path: Path) -> None:
    ids = load_tokenizer(TINY_KO).encode("겨울 바다는 조용했다.")
    found = log_probabilities(opened(packed(tmp_path / "packed", 8)), ids)
    assert found == pytest.approx(log_probabilities(opened(TINY_KO, precision="int8"), ids), abs=0.05)
    tensors = mx.load("packed/model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.scales"]
    mx.save_safetensors("packed/model.safetensors", tensors)
    with pytest.raises(InputError, match=r"the weights lack model\.layers\.1\.mlp\.up_proj\.scales"):
        opened("packed")


def test_broken_weights_are_refused(tiny_model: Path, cli: Cli) -> None:
    shutil.copytree(tiny_model, "broken")
    Path("broken/model.safetensors").write_bytes((tiny_model / "model.safetensors").read_bytes()[:-100])
    answer = cli("chat", "broken", "--once", "비?", "--set", "engine=mlx")
    assert answer.code == 2
    assert "the weights cannot be loaded" in answer.errors[0]
