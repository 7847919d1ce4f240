"""The shape of a model of the Qwen2 and Llama family, read from `config.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.models.resolve import read_json

QUANT_METHOD = "llmops"
"""What `quantization_config` calls the layout of `packed.py`."""
FAMILIES = ("qwen2", "llama", "mistral")
PROJECTIONS = {
    "self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
}
"""The linear layers of a decoder layer, by the block they are in."""


@dataclass(frozen=True)
class Architecture:
    """Sizes and choices of a decoder-only transformer with RMSNorm, rotary positions and a gated SiLU feed-forward."""

    layers: int
    width: int
    inner_width: int
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int
    context_length: int
    epsilon: float
    inverse_frequencies: tuple[float, ...]
    """Radians per position of each pair of channels, [head_width / 2], after any scaling."""
    biased: frozenset[str]
    """Projections that have a bias."""
    tied: bool
    """Whether the head is the embedding."""
    packed_bits: int | None = None
    """Bits of weights that are quantized on disk, in the layout of `packed.py`."""

    def projection_shape(self, name: str) -> tuple[int, int]:
        """(output, input) channels of a projection such as `q_proj`."""
        heads, kv_heads = self.heads * self.head_width, self.kv_heads * self.head_width
        return {
            "q_proj": (heads, self.width), "k_proj": (kv_heads, self.width), "v_proj": (kv_heads, self.width),
            "o_proj": (self.width, heads), "gate_proj": (self.inner_width, self.width),
            "up_proj": (self.inner_width, self.width), "down_proj": (self.width, self.inner_width),
        }[name]  # fmt: skip

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of the model's files, by name."""
        shapes: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": (self.vocabulary, self.width),
            "model.norm.weight": (self.width,),
        }
        if not self.tied:
            shapes["lm_head.weight"] = (self.vocabulary, self.width)
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}"
            shapes[f"{prefix}.input_layernorm.weight"] = (self.width,)
            shapes[f"{prefix}.post_attention_layernorm.weight"] = (self.width,)
            for module, name in projections(layer):
                shapes[f"{module}.weight"] = self.projection_shape(name)
                if name in self.biased:
                    shapes[f"{module}.bias"] = self.projection_shape(name)[:1]
        return shapes


def projections(layer: int) -> list[tuple[str, str]]:
    """The linear layers of a decoder layer: full module name, and last part of it."""
    return [(f"model.layers.{layer}.{block}.{name}", name) for block, names in PROJECTIONS.items() for name in names]


def read_architecture(folder: Path) -> Architecture:
    """The architecture of a model's folder.

    Raises:
        InputError: it is of another family, or has something this decoder does not compute; the key is named.
    """
    path = folder / "config.json"
    config = read_json(path)
    try:
        return _architecture(config)
    except KeyError as error:
        raise InputError(f"lacks {error.args[0]}", where=str(path)) from None
    except ValueError as error:
        hint = "engine: transformers runs what transformers knows"
        raise InputError(f"the torch engine does not compute {error}", where=str(path), hint=hint) from None


def _architecture(config: Mapping[str, Any]) -> Architecture:
    family = config.get("model_type")
    quantized = {} if "quantization" in config else config.get("quantization_config") or {}  # mlx-lm writes both
    method = quantized.get("quant_method", "unknown") if quantized else None
    sliding = config.get("sliding_window") if config.get("use_sliding_window", family == "mistral") else None
    for what, wrong in (
        (f"model_type {family!r} (it does {', '.join(FAMILIES)})", family not in FAMILIES),
        (f"hidden_act {config.get('hidden_act')!r} (it does 'silu')", config.get("hidden_act", "silu") != "silu"),
        (f"quantization_config.quant_method {method!r}", method not in (None, QUANT_METHOD)),
        (
            f"sliding_window {sliding}: attention to a part of the context",
            sliding is not None and sliding < config["max_position_embeddings"],
        ),
    ):
        if wrong:
            raise ValueError(what)
    biased: set[str] = set()
    if family == "qwen2":
        biased |= {"q_proj", "k_proj", "v_proj"}
    elif config.get("attention_bias"):
        biased |= set(PROJECTIONS["self_attn"])
    if config.get("mlp_bias"):
        biased |= set(PROJECTIONS["mlp"])
    heads = config["num_attention_heads"]
    head_width = config.get("head_dim") or config["hidden_size"] // heads
    return Architecture(
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        inner_width=config["intermediate_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_width=head_width,
        vocabulary=config["vocab_size"],
        context_length=config["max_position_embeddings"],
        epsilon=config["rms_norm_eps"],
        inverse_frequencies=_inverse_frequencies(config, head_width),
        biased=frozenset(biased),
        tied=bool(config.get("tie_word_embeddings")),
        packed_bits=quantized["bits"] if method else None,
    )


def _inverse_frequencies(config: Mapping[str, Any], head_width: int) -> tuple[float, ...]:
    """Rotary frequencies (Su et al. 2021, "RoFormer"), scaled as the configuration says.

    Position interpolation (Chen et al. 2023) is `linear`; `llama3` is the scaling of Llama 3.1: low frequencies are
    divided by the factor, high ones kept, those between blended.
    """
    settings = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = settings.get("rope_type") or settings.get("type") or "default"
    theta = settings.get("rope_theta") or config.get("rope_theta") or 10_000.0
    plain = [theta ** (-2 * pair / head_width) for pair in range(head_width // 2)]
    if kind == "default":
        return tuple(plain)
    if kind == "linear":
        return tuple(frequency / settings["factor"] for frequency in plain)
    if kind != "llama3":
        raise ValueError(f"rope_type {kind!r} (it does default, linear, llama3)")
    low, high = settings["low_freq_factor"], settings["high_freq_factor"]

    def scaled(frequency: float) -> float:
        turns = settings["original_max_position_embeddings"] * frequency / (2 * math.pi)
        kept = min(max((turns - low) / (high - low), 0.0), 1.0)
        return float(frequency * (kept + (1 - kept) / settings["factor"]))

    return tuple(map(scaled, plain))
