"""From a model's files to a decoder in memory, one tensor at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from llmops_cli.inference.config import Precision
from llmops_cli.inference.decoder.adapter import LoraAdapter
from llmops_cli.inference.decoder.architecture import read_architecture
from llmops_cli.inference.decoder.model import Decoder, Layer, Linear, LowRank
from llmops_cli.inference.decoder.packed import open_weights
from llmops_cli.inference.decoder.weights import Weight, hold
from llmops_cli.models.resolve import ModelFiles

FUSED = {
    "qkv": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "output": ("self_attn", ("o_proj",)),
    "gate_up": ("mlp", ("gate_proj", "up_proj")),
    "down": ("mlp", ("down_proj",)),
}
"""The projections that each linear part of a `Layer` is made of, and their block."""


def load_decoder(files: ModelFiles, device: str, precision: Precision, dtype: torch.dtype) -> Decoder:
    """Load a model; the adapter of `files` is merged into the weights in fp32, before they are rounded.

    Args:
        files: the base, and an adapter to merge.
        device: its name.
        precision: how matrices are held, anything but `auto`.
        dtype: of activations, norms and caches, and of dense matrices.

    Raises:
        InputError: the files cannot be used; what is wrong with which tensor or key.
    """
    architecture = read_architecture(files.base)
    checkpoint = open_weights(files.base, architecture)
    merged = LoraAdapter(files, architecture) if files.adapter else None

    def vector(name: str) -> torch.Tensor:
        return checkpoint.read(name).to(device, dtype, copy=True)

    def linear(number: int, part: str) -> Linear:
        modules = _modules(number, part)
        parts = [_merged(checkpoint.read(f"{module}.weight"), merged, module) for module in modules]
        matrix = parts[0] if len(parts) == 1 else torch.cat(parts)
        is_biased = FUSED[part][1][0] in architecture.biased
        return Linear(
            hold(matrix, precision, device, dtype),
            torch.cat([vector(f"{module}.bias") for module in modules]) if is_biased else None,
        )

    def layer(number: int) -> Layer:
        prefix = f"model.layers.{number}"
        return Layer(
            attention_norm=vector(f"{prefix}.input_layernorm.weight"),
            qkv=linear(number, "qkv"),
            output=linear(number, "output"),
            feed_forward_norm=vector(f"{prefix}.post_attention_layernorm.weight"),
            gate_up=linear(number, "gate_up"),
            down=linear(number, "down"),
        )

    def vocabulary_matrix(name: str) -> Weight:
        return hold(checkpoint.read(name), "int8" if precision == "int4" else precision, device, dtype)

    embedding = vocabulary_matrix("model.embed_tokens.weight")
    return Decoder(
        architecture,
        embedding,
        [layer(number) for number in range(architecture.layers)],
        vector("model.norm.weight"),
        embedding if architecture.tied else vocabulary_matrix("lm_head.weight"),
        precision,
    )


def add_adapter(decoder: Decoder, name: str, files: ModelFiles) -> None:
    """Hold an adapter beside the weights, for requests to name.

    Raises:
        InputError: as :class:`LoraAdapter`; the decoder is then as it was.
    """
    adapter = LoraAdapter(files, decoder.architecture)
    for number, layer in enumerate(decoder.layers):
        for part in FUSED:
            linear: Linear = getattr(layer, part)
            linear.adapters[name] = _fused(adapter, _modules(number, part), decoder.device, decoder.dtype)


def _modules(layer: int, part: str) -> list[str]:
    block, names = FUSED[part]
    return [f"model.layers.{layer}.{block}.{name}" for name in names]


def _merged(weight: torch.Tensor, adapter: LoraAdapter | None, module: str) -> torch.Tensor:
    if adapter is None:
        return weight
    up, down = adapter.update(module)
    return weight.float() + up @ down


def _fused(adapter: LoraAdapter, modules: Sequence[str], device: str, dtype: torch.dtype) -> LowRank:
    """The updates of fused projections as one: `up` is block-diagonal."""
    ups, downs = zip(*(adapter.update(module) for module in modules), strict=True)
    return LowRank(torch.cat(downs).to(device, dtype), torch.block_diag(*ups).to(device, dtype))  # type: ignore[no-untyped-call]
