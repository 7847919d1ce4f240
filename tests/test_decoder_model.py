"""The decoder computes what transformers computes, in every shape of its family, and refuses what it does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.decoder.architecture import read_architecture
from llmops_cli.inference.decoder.batch import DecoderBatch
from llmops_cli.inference.decoder.loading import load_decoder
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.inference.decoder.sessions import Sessions
from llmops_cli.models.resolve import BUILTIN_DIRECTORY, ModelFiles

SMALL = {
    "vocab_size": 160, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
    "pad_token_id": None, "bos_token_id": None, "eos_token_id": None,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2, untied": ("Qwen2", {"num_key_value_heads": 2}),
    "qwen2, tied, one key head": ("Qwen2", {"num_key_value_heads": 1, "tie_word_embeddings": True}),
    "llama, every head its own": ("Llama", {"num_key_value_heads": 4}),
    "llama, biases, wide heads": (
        "Llama",
        {"num_key_value_heads": 2, "head_dim": 24, "attention_bias": True, "mlp_bias": True},
    ),
    "llama3 rope": ("Llama", {"num_key_value_heads": 2, "rope_parameters": LLAMA3}),
    "linear rope": (
        "Llama",
        {"num_key_value_heads": 2, "rope_parameters": {"rope_type": "linear", "rope_theta": 700.0, "factor": 3.0}},
    ),
    "mistral": ("Mistral", {"num_key_value_heads": 2, "sliding_window": None, "head_dim": 16}),
}  # fmt: skip
TINY = BUILTIN_DIRECTORY / "tiny-ko"


def load(folder: Path, precision: Any = "fp32") -> Decoder:
    return load_decoder(
        ModelFiles("model", "model", folder),
        "cpu",
        precision,
        torch.bfloat16 if precision == "bf16" else torch.float32,
    )


def logits_of(decoder: Decoder, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return decoder.logits(decoder.forward([Span(ids, decoder.new_cache())]))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_numbers_and_tokens_of_transformers(shape: str) -> None:
    import transformers

    family, settings = SHAPES[shape]
    torch.manual_seed(3)
    model = getattr(transformers, f"{family}ForCausalLM")(
        getattr(transformers, f"{family}Config")(**SMALL | settings)
    ).eval()
    for weight in model.parameters():
        weight.data.mul_(6) if weight.ndim > 1 else weight.data.add_(torch.randn_like(weight) * 0.3)
    model.save_pretrained("model", max_shard_size="100KB")
    decoder = load(Path("model"))

    prompts = [torch.randint(0, 160, (length,)).tolist() for length in (33, 1, 7)]
    with torch.inference_mode():
        wanted = [model(torch.tensor([prompt])).logits[0] for prompt in prompts]
        tokens = [
            model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=30)[0, len(prompt) :].tolist()
            for prompt in prompts
        ]
        caches = [decoder.new_cache() for _ in prompts]
        first = decoder.logits(decoder.forward([Span(prompts[0][:20], caches[0])]))
        rest = decoder.logits(decoder.forward([Span(prompts[0][20:], caches[0]), *map(Span, prompts[1:], caches[1:])]))
    torch.testing.assert_close(torch.cat((first, rest)), torch.cat(wanted), atol=1e-4, rtol=0)

    batch = DecoderBatch(decoder, Sessions(), 128, (), frozenset, "model")
    numbers = [batch.add(prompt, GenerationConfig(temperature=0, max_tokens=30), "", "") for prompt in prompts]
    found: dict[int, list[int]] = {number: [] for number in numbers}
    while given := batch.step():
        for number, token in given:
            found[number].append(token)
    assert list(found.values()) == tokens
    assert len({token for row in tokens for token in row}) > 20


@pytest.mark.parametrize(
    ("precision", "most", "agreement"), [("int8", 0.002, 0.95), ("int4", 0.06, 0.8), ("bf16", 0.002, 0.95)]
)
def test_fewer_bits_stay_close(precision: Any, most: float, agreement: float) -> None:
    """Mean KL divergence to fp32 in nats a token, and the share of equal likeliest tokens, over 240 random tokens."""
    torch.manual_seed(0)
    ids = torch.randint(3, 3072, (240,)).tolist()
    exact, close = logits_of(load(TINY), ids), logits_of(load(TINY, precision), ids).float()
    divergence = (exact.softmax(-1) * (exact.log_softmax(-1) - close.log_softmax(-1))).sum(-1).mean()
    assert 0 < divergence < most
    assert (exact.argmax(-1) == close.argmax(-1)).float().mean() > agreement


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_one_token_and_many_give_the_same_with_fewer_bits(precision: Any) -> None:
    """Few rows go through the packed kernel, many through restored weights."""
    ids = torch.arange(40, 100).tolist()
    decoder = load(TINY, precision)
    cache, rows = decoder.new_cache(), []
    with torch.inference_mode():
        for token in ids:
            rows.append(decoder.logits(decoder.forward([Span([token], cache)])))
    alone, together = torch.cat(rows), logits_of(decoder, ids)
    assert (alone - together).abs().max() < 0.05 * together.abs().max()
    assert (alone.argmax(-1) == together.argmax(-1)).float().mean() > 0.9


def test_a_quantized_model_is_small() -> None:
    bytes_of = {precision: load(TINY, precision).nbytes() for precision in ("fp32", "int8", "int4")}
    assert bytes_of["fp32"] > 2 * (TINY / "model.safetensors").stat().st_size - 100_000
    assert bytes_of["int8"] / bytes_of["fp32"] == pytest.approx(0.25, abs=0.01)
    assert bytes_of["int4"] / bytes_of["fp32"] == pytest.approx(0.18, abs=0.01)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_a_width_that_the_kernels_cannot_take_is_held_densely(wide_model: Path, precision: Any) -> None:
    ids = list(range(40))
    exact, close = logits_of(load(wide_model), ids), logits_of(load(wide_model, precision), ids)
    assert (exact - close).abs().max() < 0.5 * exact.abs().max()


def copy_of(folder: Path) -> Path:
    return Path(shutil.copytree(folder, "broken"))


def missing(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["model.layers.1.mlp.up_proj.weight"]


def spare(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.2.mlp.up_proj.weight"] = torch.zeros(1)


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.norm.weight"] = torch.ones(31)


def not_a_number(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.0.self_attn.k_proj.bias"][3] = float("nan")


def infinite(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.0.self_attn.k_proj.weight"][3, 1] = float("-inf")


def integers(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.0.mlp.up_proj.weight"] = tensors["model.layers.0.mlp.up_proj.weight"].to(torch.int8)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (missing, r"the weights lack model\.layers\.1\.mlp\.up_proj\.weight \(1 in all\)"),
        (spare, r"the weights have a spare model\.layers\.2\.mlp\.up_proj\.weight \(1 in all\)"),
        (misshapen, r"model\.norm\.weight has shape \[31\], want \[32\]"),
        (not_a_number, r"model\.layers\.0\.self_attn\.k_proj\.bias holds nan or infinity"),
        (infinite, r"model\.layers\.0\.self_attn\.k_proj\.weight holds nan or infinity"),
        (integers, r"model\.layers\.0\.mlp\.up_proj\.weight is I8, want F64 or F32 or F16 or BF16"),
    ],
)
def test_weights_that_do_not_fit_are_named(tiny_model: Path, damage: Any, said: str) -> None:
    folder = copy_of(tiny_model)
    tensors = load_file(folder / "model.safetensors")
    damage(tensors)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match=said):
        load(folder)


def test_a_cut_file_is_refused(tiny_model: Path) -> None:
    path = copy_of(tiny_model) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="the weights cannot be loaded"):
        load(path.parent)


def test_a_head_that_is_the_embedding_may_be_in_the_file(tiny_model: Path) -> None:
    folder = copy_of(tiny_model)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, folder / "model.safetensors")
    ids = list(range(9))
    assert torch.equal(logits_of(load(folder), ids), logits_of(load(tiny_model), ids))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": "gemma"}, "does not compute model_type 'gemma'"),
        ({"hidden_act": "gelu"}, "does not compute hidden_act 'gelu'"),
        ({"use_sliding_window": True, "sliding_window": 64}, "does not compute sliding_window 64"),
        ({"quantization_config": {"quant_method": "gptq"}}, "does not compute quantization_config"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, "does not compute rope_type 'yarn'"),
        ({"rope_parameters": {"rope_type": "linear"}}, "lacks factor"),
        ({"hidden_size": None}, "lacks hidden_size"),
    ],
)
def test_other_architectures_are_refused_by_name(tiny_model: Path, settings: dict[str, Any], said: str) -> None:
    path = copy_of(tiny_model) / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    with pytest.raises(InputError, match=said):
        read_architecture(path.parent)


def test_configurations_of_older_transformers_are_read(tiny_model: Path) -> None:
    path = copy_of(tiny_model) / "config.json"
    config = json.loads(path.read_text())
    theta = config.pop("rope_parameters")["rope_theta"]
    path.write_text(json.dumps(config | {"rope_theta": theta, "rope_scaling": None}))
    assert read_architecture(path.parent) == read_architecture(tiny_model)
    path.write_text(json.dumps(config | {"rope_theta": theta, "rope_scaling": {"type": "linear", "factor": 2.0}}))
    scaled, plain = read_architecture(path.parent), read_architecture(tiny_model)
    assert [2 * frequency for frequency in scaled.inverse_frequencies] == list(plain.inverse_frequencies)
