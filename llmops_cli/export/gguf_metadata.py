"""What a GGUF file says of its model: shape, rotary positions, tokenizer, template, and where an answer ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmops_cli.inference.decoder.architecture import Architecture
from llmops_cli.models.gguf import CONTROL, SPLITS, USER_DEFINED
from llmops_cli.models.tokenizer import ModelTokenizer

NORMAL, UNUSED = 1, 5
"""Kinds of tokens, beside those of :mod:`llmops_cli.models.gguf`."""
STOP_KEYS = ("eos", "eot", "eom")
"""Metadata that name a token which ends an answer."""


def family(config: Mapping[str, Any]) -> str:
    """llama.cpp's name of the architecture."""
    return "qwen2" if config["model_type"] == "qwen2" else "llama"


def add_architecture(writer: Any, shape: Architecture, config: Mapping[str, Any]) -> None:
    """Write the sizes and the rotary settings."""
    settings = config.get("rope_parameters") or config.get("rope_scaling") or {}
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner_width)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_rope_freq_base(settings.get("rope_theta") or config.get("rope_theta") or 10_000.0)
    if (settings.get("rope_type") or settings.get("type")) == "linear":
        from gguf import RopeScalingType

        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(settings["factor"])


def split_name(tokenizer: ModelTokenizer) -> str | None:
    """llama.cpp's name of the way a tokenizer cuts text before its byte-level BPE, or None when it has none such."""
    described = json.loads(tokenizer.backend.to_str())
    if described["model"]["type"] != "BPE" or described["model"].get("byte_fallback"):
        return None
    before = described.get("pre_tokenizer") or {}
    steps = before.get("pretokenizers", [before])
    if [step.get("type") for step in steps] == ["ByteLevel"] and steps[0].get("use_regex"):
        return "gpt-2"
    if [step.get("type") for step in steps] != ["Split", "ByteLevel"]:
        return None
    return next((name for name, split in SPLITS.items() if split == steps[0]["pattern"].get("Regex")), None)


def add_tokenizer(writer: Any, tokenizer: ModelTokenizer, rows: int) -> None:
    """Write tokens, merges, template and stops; `rows` of the embedding that have no token are marked unused."""
    described = json.loads(tokenizer.backend.to_str())
    tokens, kinds = [f"[PAD{row}]" for row in range(rows)], [UNUSED] * rows
    for token, row in tokenizer.backend.get_vocab().items():
        tokens[row], kinds[row] = token, NORMAL
    for row, added in tokenizer.backend.get_added_tokens_decoder().items():
        kinds[row] = CONTROL if added.special else USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split_name(tokenizer))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    merges = described["model"]["merges"]
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    for key, stop in zip(STOP_KEYS, tokenizer.stop_ids, strict=False):
        getattr(writer, f"add_{key}_token_id")(stop)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.template)
