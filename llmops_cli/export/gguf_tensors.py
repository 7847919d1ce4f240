"""Names and order of the tensors in a GGUF file, there and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from llmops_cli.inference.decoder.architecture import Architecture

TOP = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
"""Names of a layer's parts, as `gguf.tensor_mapping` has them."""
TURNED = ("attn_q", "attn_k")
ROPE_FACTORS = "rope_freqs.weight"
Array = np.ndarray[Any, Any]


def stored(name: str, tensor: torch.Tensor, architecture: Architecture, config: Mapping[str, Any]) -> tuple[str, Array]:
    """Name and fp32 values of a tensor in the file."""
    module, _, part = name.rpartition(".")
    if module in TOP:
        return f"{TOP[module]}.{part}", tensor.numpy()
    number, _, rest = module.removeprefix("model.layers.").partition(".")
    if _is_interleaved(config) and LAYER[rest] in TURNED:
        tensor = _interleaved(tensor, _heads(LAYER[rest], architecture.heads, architecture.kv_heads))
    return f"blk.{number}.{LAYER[rest]}.{part}", tensor.numpy()


def restored(name: str, values: Array, config: Mapping[str, Any]) -> tuple[str, torch.Tensor]:
    """Name and values of a tensor of the file in the model's own folder: the inverse of :func:`stored`."""
    module, _, part = name.rpartition(".")
    tensor = torch.from_numpy(np.array(values, dtype=np.float32))
    for ours, theirs in TOP.items():
        if theirs == module:
            return f"{ours}.{part}", tensor
    _, number, rest = module.split(".")
    if _is_interleaved(config) and rest in TURNED:
        heads = config["num_attention_heads"]
        tensor = _halved(tensor, _heads(rest, heads, config.get("num_key_value_heads") or heads))
    ours = next(ours for ours, theirs in LAYER.items() if theirs == rest)
    return f"model.layers.{number}.{ours}.{part}", tensor


def rope_factors(architecture: Architecture, config: Mapping[str, Any]) -> Array | None:
    """What `llama3` rotary scaling divides each frequency by, [head width / 2]; None where the metadata say it all."""
    settings = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if (settings.get("rope_type") or settings.get("type")) != "llama3":
        return None
    theta = settings.get("rope_theta") or config.get("rope_theta") or 10_000.0
    pairs = range(architecture.head_width // 2)
    plain = [math.pow(theta, -2 * pair / architecture.head_width) for pair in pairs]
    pair_of = zip(plain, architecture.inverse_frequencies, strict=True)
    return np.array([before / after for before, after in pair_of], dtype=np.float32)


def _is_interleaved(config: Mapping[str, Any]) -> bool:
    """llama.cpp turns neighbouring channels of its `llama` architecture, and the halves of a head of `qwen2`."""
    return bool(config["model_type"] != "qwen2")


def _heads(part: str, heads: int, kv_heads: int) -> int:
    return heads if part == "attn_q" else kv_heads


def _interleaved(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    return tensor.reshape(heads, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)


def _halved(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    return tensor.reshape(heads, -1, 2, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)
