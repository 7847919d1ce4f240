"""LoRA adapters of peft: merged, or beside the weights; what is no plain LoRA of this base is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.decoder.batch import DecoderBatch
from llmops_cli.inference.decoder.loading import add_adapter, load_decoder
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.inference.decoder.sessions import Sessions
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import load_tokenizer

IDS = list(range(5, 60))


def make_adapter(base: Path, folder: str, **settings: Any) -> Any:
    """Write an adapter of random numbers; the peft model with it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(len(folder))
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), LoraConfig(**{"r": 4, "lora_alpha": 6, **settings})
    )
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data.normal_(std=0.4)
    model.save_pretrained(folder)
    return model.eval()


def files(base: Path, adapter: str | None = None) -> ModelFiles:
    return ModelFiles("model", "base", base, Path(adapter) if adapter else None)


def load(base: Path, adapter: str | None = None, precision: Any = "fp32", **beside: ModelFiles) -> Decoder:
    decoder = load_decoder(files(base, adapter), "cpu", precision, torch.float32)
    for name, other in beside.items():
        add_adapter(decoder, name, other)
    return decoder


def logits_of(decoder: Decoder, adapter: str = "") -> torch.Tensor:
    with torch.inference_mode():
        return decoder.logits(decoder.forward([Span(IDS, decoder.new_cache(), adapter)]))


@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": "all-linear"},
        {"target_modules": ["q_proj", "down_proj"], "use_rslora": True},
        {"target_modules": ["mlp.up_proj", "o_proj"], "r": 3},
        {"target_modules": r".*\.1\.self_attn\.(q|v)_proj"},
    ],
)
def test_merged_and_beside_give_the_numbers_of_peft(tiny_model: Path, settings: dict[str, Any]) -> None:
    with torch.inference_mode():
        wanted = make_adapter(tiny_model, "adapter", **settings)(torch.tensor([IDS])).logits[0]
    plain = logits_of(load(tiny_model))
    assert (plain - wanted).abs().max() > 0.1
    for found in (
        logits_of(load(tiny_model, "adapter")),
        logits_of(load(tiny_model, name=files(tiny_model, "adapter")), "name"),
    ):
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_a_batch_mixes_adapters_and_the_base(tiny_model: Path) -> None:
    first = make_adapter(tiny_model, "first", target_modules="all-linear")
    second = make_adapter(tiny_model, "second", target_modules=["v_proj", "up_proj"])
    decoder = load(tiny_model, one=files(tiny_model, "first"), two=files(tiny_model, "second"))
    prompt, settings = [7, 30, 41], GenerationConfig(temperature=0, max_tokens=25)
    batch = DecoderBatch(decoder, Sessions(), 256, load_tokenizer(tiny_model).stop_ids, frozenset, "model")
    found: dict[int, list[int]] = {batch.add(prompt, settings, "", name): [] for name in ("one", "", "two", "one")}
    while given := batch.step():
        for number, token in given:
            found[number].append(token)

    def wanted(model: Any) -> list[int]:
        ids = model.generate(input_ids=torch.tensor([prompt]), do_sample=False, max_new_tokens=25)
        return ids[0, len(prompt) :].tolist()

    one, base, two, again = found.values()
    assert one == again == wanted(first)
    assert two == wanted(second)
    with first.disable_adapter():
        assert base == wanted(first)
    assert one != base != two != one


def test_an_adapter_nobody_loaded_is_refused(tiny_model: Path) -> None:
    batch = DecoderBatch(load(tiny_model), Sessions(), 256, (), frozenset, "model")
    with pytest.raises(InputError, match=r"no adapter 'poet' is loaded \(there is: none\)"):
        batch.add([5], GenerationConfig(), "", "poet")


def test_merging_happens_before_the_weights_are_rounded(tiny_model: Path) -> None:
    make_adapter(tiny_model, "adapter", target_modules="all-linear").merge_and_unload().save_pretrained("merged")
    wanted, found = logits_of(load(Path("merged"), None, "int8")), logits_of(load(tiny_model, "adapter", "int8"))
    assert (found - wanted).abs().mean() < 0.01
    assert (logits_of(load(tiny_model, None, "int8")) - wanted).abs().mean() > 0.3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"use_dora": True}, "not use_dora"),
        ({"modules_to_save": ["lm_head"]}, "not modules_to_save"),
        ({"rank_pattern": {"q_proj": 2}}, "not rank_pattern"),
        ({"layers_to_transform": [0]}, "not layers_to_transform"),
        ({"bias": "all"}, "not bias 'all'"),
        ({"peft_type": "LOHA"}, "not peft_type LOHA"),
        ({"init_lora_weights": "pissa"}, "not init_lora_weights 'pissa'"),
        ({"target_modules": ["q_proj", "lm_head"]}, "not target_modules lm_head"),
        ({"target_modules": ["q_proj", "k_proj"]}, r"it lacks base_model\.model\.model\.layers\.0\.self_attn\.k_proj"),
        ({"target_modules": []}, r"it has a spare base_model\.model\.model\.layers\.0\.self_attn\.q_proj\.lora_A"),
        ({"r": 5}, r"lora_A\.weight has shape \[4, 32\], want \[5, 32\]"),
    ],
)  # fmt: skip
def test_what_is_no_plain_lora_is_refused_by_name(tiny_model: Path, settings: dict[str, Any], said: str) -> None:
    make_adapter(tiny_model, "adapter", target_modules=["q_proj"])
    path = Path("adapter/adapter_config.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    with pytest.raises(InputError, match=said):
        load(tiny_model, "adapter")


def test_an_adapter_of_another_base_is_refused(tiny_model: Path, wide_model: Path) -> None:
    make_adapter(wide_model, "adapter", target_modules="all-linear")
    with pytest.raises(InputError, match=r"the adapter does not fit base: .*has shape \[4, 48\], want \[4, 32\]"):
        load(tiny_model, "adapter")


@pytest.mark.parametrize("fault", ["nan", "cut", "gone"])
def test_broken_adapters_are_named(tiny_model: Path, fault: str) -> None:
    make_adapter(tiny_model, "adapter", target_modules=["q_proj"])
    path = Path("adapter/adapter_model.safetensors")
    if fault == "nan":
        tensors = load_file(path)
        name = next(iter(tensors))
        tensors[name][1, 1] = float("nan")
        save_file(tensors, path)
    elif fault == "cut":
        path.write_bytes(path.read_bytes()[:300])
    else:
        path.unlink()
    said = {
        "nan": "holds nan or infinity",
        "cut": "does not fit base: ",
        "gone": "adapter_model.safetensors is missing",
    }
    with pytest.raises(InputError, match=said[fault]):
        load(tiny_model, "adapter")
