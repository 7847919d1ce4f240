"""What the formats hold is what the model holds, for every engine and library that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from workbench import CONVERSATIONS, HELD_OUT, QWEN2_TEMPLATE, Cli, make_model, make_tokenizer, write_rows

from llmops_cli.export.formats import gguf as gguf_format
from llmops_cli.export.gguf_metadata import split_name
from llmops_cli.export.modelfile import modelfile, turn_template
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.decoder.quantization import from_int4, from_int8, to_int4, to_int8
from llmops_cli.inference.engine import Engine, Request, complete
from llmops_cli.inference.open import open_engine
from llmops_cli.models.contract import check_contract
from llmops_cli.models.gguf import GgufFile, _tokenizer_inside
from llmops_cli.models.resolve import resolve_model
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import encode_conversation

LOOSE = [f"limits.{name}" for name in ("top1_agreement=0", "kl_mean=9", "kl_p99=99", "perplexity_rise=9")]
LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip


def export(cli: Cli, model: object, to: str, output: str) -> Any:
    """Quantize without limits; the JSON on stdout."""
    write_rows("heldout.jsonl", HELD_OUT)
    flags = [word for text in ("data.eval=heldout.jsonl", *LOOSE) for word in ("--set", text)]
    answer = cli("quantize", model, "--to", to, "-o", output, "--json", *flags)
    assert answer.code == 0, answer.err
    return answer.json()


def logits(engine: Engine, ids: list[int]) -> torch.Tensor:
    return torch.cat([rows.clone() for rows in engine.logits(ids)])


def ids_of(folder: Path) -> list[int]:
    turns = CONVERSATIONS[0]["messages"]
    return encode_conversation(load_tokenizer(folder), turns).ids


@pytest.fixture(scope="module")
def llama_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Llama with random weights: an own head, grouped heads of another width, scaled rotary positions."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "llama"
    tokenizer = make_tokenizer(folder)
    stops = (folder / "generation_config.json").read_bytes()
    torch.manual_seed(3)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.size + 5, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=256,
            rope_parameters=LLAMA3_ROPE, tie_word_embeddings=False, bos_token_id=None,
            eos_token_id=tokenizer.eos_id,
        )
    )  # fmt: skip
    for weight in model.parameters():
        if weight.ndim > 1:
            weight.data *= 6
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_bytes(stops)
    return folder


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_restored_weights_quantize_to_the_same_numbers(dtype: torch.dtype) -> None:
    matrix = torch.randn(48, 96, generator=torch.Generator().manual_seed(1)) * 0.05
    matrix[0] = 0
    matrix[1] = 0.25
    for forward, back in ((to_int8, from_int8), (to_int4, from_int4)):
        parts = forward(matrix, dtype)
        restored = back(*parts)
        assert restored.isfinite().all()
        torch.testing.assert_close(restored[0], matrix[0], atol=1e-6, rtol=0)
        for once, again in zip(parts[:2], forward(restored, dtype)[:2], strict=True):
            assert torch.equal(once, again)


def test_eight_bits_are_within_half_a_step() -> None:
    matrix = torch.randn(40, 64, generator=torch.Generator().manual_seed(2))
    numbers, scales = to_int8(matrix, torch.float32)
    assert numbers.abs().amax(dim=1).eq(127).all()
    assert ((from_int8(numbers, scales) - matrix).abs() <= scales[:, None] * 0.501).all()


@pytest.mark.parametrize("to", ["int8", "int4"])
def test_packed_weights_compute_what_they_compute_in_memory(cli: Cli, tiny_model: Path, to: Any) -> None:
    export(cli, tiny_model, to, "packed")
    ids = ids_of(tiny_model)
    in_memory = logits(open_engine(EngineConfig(model=str(tiny_model), precision=to)), ids)
    assert torch.equal(logits(open_engine(EngineConfig(model="packed")), ids), in_memory)
    assert json.loads(Path("packed/config.json").read_text())["quantization_config"]["bits"] == int(to[-1])


def test_a_packed_model_with_a_spare_tensor_or_other_bits_is_refused(cli: Cli, tiny_model: Path) -> None:
    export(cli, tiny_model, "int8", "packed")
    Path("packed/contract.json").unlink()
    config = json.loads(Path("packed/config.json").read_text())
    for bits, said in ((4, "has shape"), (3, "want 8 or 4")):
        config["quantization_config"]["bits"] = bits
        Path("packed/config.json").write_text(json.dumps(config))
        answer = cli("chat", "packed", "--once", "안녕?")
        assert answer.code == 2
        assert said in answer.err


@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_a_gguf_file_holds_every_weight(
    cli: Cli, tiny_model: Path, llama_model: Path, family: str, tmp_path: Path
) -> None:
    pytest.importorskip("gguf")
    model = {"qwen2": tiny_model, "llama": llama_model}[family]
    export(cli, model, "gguf-f16", "g")
    config = resolve_model(str(model)).architecture
    (tmp_path / "restored").mkdir()
    gguf_format.restore(Path("g"), config, tmp_path / "restored")
    restored, original = load_file(tmp_path / "restored/model.safetensors"), load_file(model / "model.safetensors")
    assert restored.keys() == original.keys()
    for name, tensor in original.items():
        torch.testing.assert_close(restored[name], tensor.half().float() if tensor.ndim == 2 else tensor)


@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_llama_cpp_computes_the_same(cli: Cli, tiny_model: Path, llama_model: Path, family: str) -> None:
    pytest.importorskip("llama_cpp")
    model = {"qwen2": tiny_model, "llama": llama_model}[family]
    result = export(cli, model, "gguf-f16", "g")
    assert result["rows"][1]["engine"] == "llamacpp"
    assert result["rows"][1]["kl_mean"] < 1e-3
    ids = ids_of(model) * 4  # long enough for the scaled frequencies to matter
    ours, theirs = (logits(open_engine(EngineConfig(model=name)), ids) for name in (str(model), "g"))
    assert (ours.softmax(-1) - theirs.softmax(-1)).abs().max() < 0.02
    request = Request(GenerationConfig(temperature=0, max_tokens=40), HELD_OUT[0]["messages"][:1])
    answers = [complete(open_engine(EngineConfig(model=name)), request).token_ids for name in (str(model), "g")]
    assert answers[0] == answers[1]


def test_llama_cpp_cuts_text_into_the_same_tokens(cli: Cli) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    export(cli, "builtin:tiny-ko", "gguf-q8_0", "g")
    model = llama_cpp.Llama("g/model.gguf", vocab_only=True, verbose=False)
    tokenizer = load_tokenizer(resolve_model("builtin:tiny-ko").base)
    texts = [
        f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for row in HELD_OUT for turn in row["messages"]
    ]
    for text in [*texts, "  띄어쓰기\n\n1234 don't 한국어ABC…  ", "ㅋㅋㅋ😀"]:
        ours = tokenizer.encode(text)
        assert model.tokenize(text.encode(), add_bos=False, special=True) == ours
        assert _tokenizer_inside(GgufFile("g", Path("g/model.gguf"))).encode(text) == ours


def test_a_gguf_file_without_llama_cpp_is_compared_by_its_numbers(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gguf")
    from llmops_cli.inference.engines import llamacpp

    missing = "llama-cpp-python is missing -> pip install 'llmops-cli[gguf]'"
    monkeypatch.setattr(llamacpp, "cannot_run", lambda source: missing)
    result = export(cli, tiny_model, "gguf-q8_0", "g")
    row = result["rows"][1]
    assert (row["engine"], row["load_seconds"], row["tokens_per_second"]) == ("torch", None, None)
    assert 0 < row["kl_mean"] < 0.1
    assert missing in result["notes"][0]
    assert not Path("g/restored").exists()


def test_a_gguf_export_has_what_ollama_needs(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    model = make_model(tmp_path / "qwen", template=QWEN2_TEMPLATE)
    export(cli, model, "gguf-f16", "g")
    metadata = GgufFile("g", Path("g/model.gguf")).metadata
    assert metadata["tokenizer.chat_template"] == QWEN2_TEMPLATE
    assert metadata["tokenizer.ggml.eos_token_id"] == 2
    assert metadata["qwen2.context_length"] == 256
    assert Path("g/Modelfile").read_text(encoding="utf-8") == (
        "FROM ./model.gguf\n"
        'TEMPLATE """{{ if not .System }}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{{ end }}'
        '{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n'
        '{{ end }}{{ end }}<|im_start|>assistant\n"""\n'
        'PARAMETER stop "<|im_end|>"\nPARAMETER stop "<|endoftext|>"\n'
    )


def test_a_template_that_is_no_row_of_turns_is_not_written_for_ollama(tmp_path: Path) -> None:
    plain = make_tokenizer(tmp_path / "a")
    template = turn_template(plain)
    assert template is not None
    assert modelfile(plain, template, "x.gguf").startswith("FROM ./x.gguf\n")
    only_last = "{{ messages[-1].role + ': ' + messages[-1].content }}{% if add_generation_prompt %}A:{% endif %}"
    numbered = "{% for m in messages %}{{ loop.index ~ m.role ~ m.content }}<|im_end|>{% endfor %}"
    for number, text in enumerate((only_last, numbered)):
        assert turn_template(make_tokenizer(tmp_path / str(number), template=text)) is None


def test_a_tokenizer_unknown_to_llama_cpp_is_recognised(tmp_path: Path) -> None:
    tokenizer = make_tokenizer(tmp_path / "a")
    assert split_name(tokenizer) == "qwen2"
    tokenizer.backend.pre_tokenizer = None
    assert split_name(tokenizer) is None


@pytest.mark.parametrize("to", ["mlx-8", "mlx-4"])
def test_mlx_runs_what_was_quantized_for_it(cli: Cli, llama_model: Path, to: str) -> None:
    mx = pytest.importorskip("mlx.core")
    result = export(cli, llama_model, to, "m")
    assert result["rows"][1]["engine"] == "mlx"
    assert result["rows"][1]["kl_mean"] < (0.01 if to == "mlx-8" else 2)
    config = json.loads(Path("m/config.json").read_text())
    assert config["quantization"] == {"group_size": 64, "bits": int(to[-1])}
    assert config["rope_theta"] == 10000.0
    assert config["rope_scaling"]["rope_type"] == "llama3"
    held, name = mx.load("m/model.safetensors"), "model.layers.0.self_attn.q_proj"
    parts = [held[f"{name}.{part}"] for part in ("weight", "scales", "biases")]
    restored = torch.tensor(mx.dequantize(*parts, group_size=64, bits=int(to[-1])).astype(mx.float32).tolist())
    original = load_file(llama_model / "model.safetensors")[f"{name}.weight"]
    assert (restored - original).abs().max() < (original.max() - original.min()) / 2 ** int(to[-1])


@pytest.mark.parametrize("to", ["int8", "gguf-f16"])
def test_an_export_carries_a_contract_and_is_held_to_it(cli: Cli, tiny_model: Path, to: str) -> None:
    if to != "int8":
        pytest.importorskip("llama_cpp")
    export(cli, tiny_model, to, "e")
    contract = json.loads(Path("e/contract.json").read_text())
    weights = next(path for path in Path("e").iterdir() if path.stem == "model")
    assert (contract["made_from"], contract["precision"], list(contract["weights"])) == (
        str(tiny_model), to, [weights.name],
    )  # fmt: skip
    assert list(contract["base_weights"]) == ["model.safetensors"]

    def ask() -> tuple[int, str]:
        answer = cli("chat", "e", "--once", "안녕?", "--set", "generation.max_tokens=2")
        return answer.code, answer.err

    assert ask()[0] == 0
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, said = ask()
    assert (code, "weights: " in said) == (2, True)
    weights.write_bytes(whole)
    settings = Path("e/tokenizer_config.json")
    settings.write_text(settings.read_text().replace("<|im_start|>", "<|im_start|> "), encoding="utf-8")
    code, said = ask()
    assert (code, "template_sha256" in said) == (2, True)
    Path("e/contract.json").unlink()
    assert ask()[0] == 0


def test_an_export_without_its_contract_is_unverifiable(cli: Cli, tiny_model: Path) -> None:
    export(cli, tiny_model, "fp16", "e")
    files = resolve_model("e")
    tokenizer = load_tokenizer(files.tokenizer)
    assert check_contract(files, tokenizer) == "same"
    Path("e/contract.json").unlink()
    assert check_contract(files, tokenizer) == "unverifiable"
