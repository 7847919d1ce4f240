"""What a model is, from its files alone: no weight is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.models.contract import FILE as CONTRACT
from llmops_cli.models.contract import Comparison, compare_contract
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import BUILTIN_PREFIX, ModelFiles, model_folder, read_json
from llmops_cli.models.source import resolve_source
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.models.weights import summarize_weights
from llmops_cli.prompts.template import render

GGUF_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 7: "Q8_0", 15: "Q4_K_M", 18: "Q6_K", 32: "BF16"}
"""`general.file_type`, as in llama.cpp's `llama_ftype`."""
QUESTION, ANSWER = "비가 와?", "응, 우산을 챙겨."


@dataclass(frozen=True)
class Shape:
    """Of a transformer; None where the files do not say. `context_length` is in tokens."""

    architecture: str
    layers: int | None
    hidden: int | None
    heads: int | None
    key_value_heads: int | None
    vocabulary: int | None
    context_length: int | None


@dataclass(frozen=True)
class Weights:
    """Full weights: how many (None where only the engine can count them), of which types, in how many bytes."""

    parameters: int | None
    dtypes: list[str]
    quantization: str | None
    size: int


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter; `targets` are the kinds of modules it changes, or a regular expression; `size` in bytes."""

    rank: int | None
    alpha: float | None
    targets: list[str]
    parameters: int
    size: int


@dataclass(frozen=True)
class Template:
    """A chat template, and one exchange as it writes it."""

    text: str
    sha256: str
    example: str


@dataclass(frozen=True)
class Stopping:
    """What ends an answer: stop tokens with their ids, the token the template closes an answer with, what is wrong."""

    stop_tokens: dict[str, int]
    end_of_turn: str | None
    warnings: list[str]


@dataclass(frozen=True)
class ModelDescription:
    """Everything that `llmops model show` says."""

    name: str
    kind: str
    folder: str
    base: str | None
    shape: Shape
    weights: Weights
    adapter: Adapter | None
    template: Template
    special_tokens: dict[str, int]
    stopping: Stopping
    contract: Comparison


def describe_model(name: str) -> ModelDescription:
    """Read what a model's files say of it.

    Raises:
        InputError: the files cannot be used, or there are none behind this name.
        MachineError: there is no such model here and the hub cannot be reached.
    """
    source = resolve_source(name)
    if isinstance(source, ModelFiles):
        return _describe_files(source)
    if isinstance(source, GgufFile):
        return _describe_gguf(source)
    raise InputError("no files to show: it answers, and that is all that is known of it", where=name)


def _describe_files(files: ModelFiles) -> ModelDescription:
    tokenizer = load_tokenizer(files.tokenizer)
    config = files.architecture
    quantization = config.get("quantization_config") or config.get("quantization") or {}
    bits = quantization.get("bits")
    summary = summarize_weights(sorted(files.base.glob("*.safetensors")), bits)
    kind, folder = _kind_and_folder(files)
    return ModelDescription(
        name=files.name,
        kind=kind,
        folder=str(folder),
        base=files.base_name if files.adapter else None,
        shape=Shape(
            architecture=next(iter(config.get("architectures") or []), config.get("model_type", "unknown")),
            layers=config.get("num_hidden_layers"),
            hidden=config.get("hidden_size"),
            heads=config.get("num_attention_heads"),
            key_value_heads=config.get("num_key_value_heads"),
            vocabulary=config.get("vocab_size"),
            context_length=config.get("max_position_embeddings"),
        ),
        weights=Weights(summary.parameters, summary.dtypes, f"{bits} bits" if bits else None, summary.size),
        adapter=_adapter(files.adapter) if files.adapter else None,
        template=_template(tokenizer),
        special_tokens=tokenizer.special_tokens,
        stopping=_stopping(tokenizer),
        contract=compare_contract(files, tokenizer),
    )


def _kind_and_folder(files: ModelFiles) -> tuple[str, Path]:
    if files.run is not None:
        return "run", files.adapter or files.base
    if files.adapter is not None:
        return "adapter", files.adapter
    if files.name.startswith(BUILTIN_PREFIX):
        return "builtin", files.base
    if model_folder(files.name) is None:
        return "hub", files.base
    return ("exported" if (files.base / CONTRACT).is_file() else "folder"), files.base


def _adapter(folder: Path) -> Adapter:
    config = read_json(folder / "adapter_config.json")
    targets = config.get("target_modules") or []
    summary = summarize_weights(sorted(folder.glob("*.safetensors")))
    if not summary.size:
        raise InputError("adapter_model.safetensors is missing", where=str(folder))
    return Adapter(
        rank=config.get("r"),
        alpha=config.get("lora_alpha"),
        targets=[targets] if isinstance(targets, str) else sorted({name.rpartition(".")[2] for name in targets}),
        parameters=summary.parameters,
        size=summary.size,
    )


def _describe_gguf(file: GgufFile) -> ModelDescription:
    tokenizer = file.load_tokenizer()
    said: Mapping[str, Any] = file.metadata
    architecture = said.get("general.architecture", "unknown")

    def number(key: str) -> int | None:
        return said.get(f"{architecture}.{key}")

    return ModelDescription(
        name=file.name,
        kind="gguf",
        folder=str(file.path),
        base=None,
        shape=Shape(
            architecture=architecture,
            layers=number("block_count"),
            hidden=number("embedding_length"),
            heads=number("attention.head_count"),
            key_value_heads=number("attention.head_count_kv"),
            vocabulary=len(said.get("tokenizer.ggml.tokens", [])) or None,
            context_length=number("context_length"),
        ),
        weights=Weights(
            parameters=said.get("general.parameter_count"),
            dtypes=[],
            quantization=GGUF_TYPES.get(said.get("general.file_type", -1)),
            size=file.path.stat().st_size,
        ),
        adapter=None,
        template=_template(tokenizer),
        special_tokens=tokenizer.special_tokens,
        stopping=_stopping(tokenizer),
        contract=compare_contract(ModelFiles(file.name, file.name, file.folder), tokenizer),
    )


def _template(tokenizer: ModelTokenizer) -> Template:
    return Template(tokenizer.template, hashlib.sha256(tokenizer.template.encode()).hexdigest(), _exchange(tokenizer))


def _exchange(tokenizer: ModelTokenizer) -> str:
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
    return render(tokenizer.template, turns, eos_token=tokenizer.eos_token)


def _stopping(tokenizer: ModelTokenizer) -> Stopping:
    """Whether a model that learns from this template learns to stop: what closes an answer must be one stop token."""
    text = _exchange(tokenizer)
    ids = tokenizer.encode(text[text.rfind(ANSWER) + len(ANSWER) :])
    added = tokenizer.backend.get_added_tokens_decoder()
    closing = next((index for index in ids if index in added), None)
    end_of_turn = added[closing].content if closing is not None else None
    warnings = []
    if closing is None:
        warnings.append("the template closes an answer with no token of its own: a fine-tune cannot learn to stop")
    elif closing not in tokenizer.stop_ids:
        warnings.append(f"{end_of_turn} ({closing}) closes an answer and is no stop token: answers run on")
    if closing is not None and not added[closing].special:
        warnings.append(f"{end_of_turn} ({closing}) is not special in tokenizer.json: it stands in the answers")
    named = {tokenizer.backend.id_to_token(index) or f"(no token {index})": index for index in tokenizer.stop_ids}
    return Stopping(named, end_of_turn, warnings)
