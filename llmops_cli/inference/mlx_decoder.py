"""Qwen2 and Llama on MLX's own operations: from token ids to logits, on Metal or on MLX's CPU build.

MLX 0.32 has the four that matter (`mx.fast.rms_norm`, `rope`, `scaled_dot_product_attention`, `quantized_matmul`), so
that neither mlx-lm nor transformers, which it imports, is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import mlx.core as mx

from llmops_cli.core.errors import InputError
from llmops_cli.inference.decoder.adapter import LoraAdapter
from llmops_cli.inference.decoder.architecture import Architecture, projections, read_architecture
from llmops_cli.inference.decoder.checkpoint import Checkpoint
from llmops_cli.models.resolve import ModelFiles

GROUP = 64
"""Weights that share a scale and a bias, the default of MLX."""
CACHE_STEP = 256
"""Positions by which a key/value cache grows."""


class Linear(NamedTuple):
    """A weight [out, in], or its quantized form with a scale and a bias for each group; `bias` [out]."""

    weight: mx.array
    bias: mx.array | None = None
    scales: mx.array | None = None
    biases: mx.array | None = None
    group_size: int = GROUP
    bits: int = 0

    def __call__(self, x: mx.array) -> mx.array:
        if self.scales is None:
            y = x @ self.weight.T
        else:
            y = mx.quantized_matmul(
                x, self.weight, self.scales, self.biases, transpose=True, group_size=self.group_size, bits=self.bits
            )
        return y if self.bias is None else y + self.bias

    def rows(self, ids: mx.array) -> mx.array:
        """Rows of the weight, as an embedding takes them."""
        if self.scales is None:
            return self.weight[ids]
        assert self.biases is not None
        scales, biases = self.scales[ids], self.biases[ids]
        return mx.dequantize(self.weight[ids], scales, biases, group_size=self.group_size, bits=self.bits)


class Cache:
    """Keys and values [1, kv heads, positions, head width] of each layer; `length` positions are in use."""

    def __init__(self, architecture: Architecture, dtype: mx.Dtype) -> None:
        empty = mx.zeros((1, architecture.kv_heads, 0, architecture.head_width), dtype)
        self._layers = [(empty, empty)] * architecture.layers
        self.length = 0

    def add(self, layer: int, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Put keys and values of new positions behind those in use; all of them."""
        end = self.length + keys.shape[2]
        both = []
        for held, new in zip(self._layers[layer], (keys, values), strict=True):
            if held.shape[2] < end:
                missing = -(-(end - held.shape[2]) // CACHE_STEP) * CACHE_STEP
                space = mx.zeros((*held.shape[:2], missing, held.shape[3]), held.dtype)
                held = mx.concatenate([held, space], axis=2)
            held[:, :, self.length : end] = new
            both.append(held)
        self._layers[layer] = both[0], both[1]
        return both[0][:, :, :end], both[1][:, :, :end]


class Decoder:
    """The weights, and the pass through them."""

    def __init__(self, files: ModelFiles, dtype: str, bits: int | None = None) -> None:
        """Load a model; `dtype` (as `core.device` names it) is that of the computation, and of weights without `bits`.

        Raises:
            InputError: the files cannot be used.
        """
        self._shape = read_architecture(files.base)
        weights = _Weights(files, self._shape, dtype, bits)
        self._dtype = weights.dtype
        self._embedding = weights.linear("model.embed_tokens")
        self._head = self._embedding if self._shape.tied else weights.linear("lm_head")
        self._norm = weights.vector("model.norm.weight")
        self._layers = [_Layer(weights, self._shape, number) for number in range(self._shape.layers)]

    def new_cache(self) -> Cache:
        """An empty key/value cache."""
        return Cache(self._shape, self._dtype)

    def __call__(self, ids: Sequence[int], cache: Cache, keep: int) -> mx.array:
        """Logits of the last `keep` tokens, fp32 [keep, vocabulary]; all tokens are in the cache afterwards."""
        x = self._embedding.rows(mx.array(list(ids)))[None].astype(self._dtype)
        for layer in self._layers:
            x = layer(x, cache)
        cache.length += len(ids)
        x = mx.fast.rms_norm(x[0, -keep:], self._norm, self._shape.epsilon)
        return self._head(x).astype(mx.float32)


class _Layer:
    def __init__(self, weights: _Weights, shape: Architecture, number: int) -> None:
        self._shape, self._number = shape, number
        self._periods = 1 / mx.array(shape.inverse_frequencies)
        prefix = f"model.layers.{number}"
        self._attention_norm = weights.vector(f"{prefix}.input_layernorm.weight")
        self._mlp_norm = weights.vector(f"{prefix}.post_attention_layernorm.weight")
        self._parts = {
            name: weights.linear(module, is_biased=name in shape.biased) for module, name in projections(number)
        }

    def __call__(self, x: mx.array, cache: Cache) -> mx.array:
        x = x + self._attention(mx.fast.rms_norm(x, self._attention_norm, self._shape.epsilon), cache)
        h = mx.fast.rms_norm(x, self._mlp_norm, self._shape.epsilon)
        gate = self._parts["gate_proj"](h)
        return x + self._parts["down_proj"](gate * mx.sigmoid(gate) * self._parts["up_proj"](h))

    def _attention(self, x: mx.array, cache: Cache) -> mx.array:
        shape, count = self._shape, x.shape[1]

        def split(name: str, heads: int) -> mx.array:
            return self._parts[name](x).reshape(1, count, heads, shape.head_width).transpose(0, 2, 1, 3)

        def turn(y: mx.array) -> mx.array:
            return mx.fast.rope(
                y, shape.head_width, traditional=False, base=None, scale=1.0, offset=cache.length, freqs=self._periods
            )

        queries, keys = turn(split("q_proj", shape.heads)), turn(split("k_proj", shape.kv_heads))
        keys, values = cache.add(self._number, keys, split("v_proj", shape.kv_heads))
        mixed = mx.fast.scaled_dot_product_attention(
            queries, keys, values, scale=shape.head_width**-0.5, mask="causal" if count > 1 else None
        )
        return self._parts["o_proj"](mixed.transpose(0, 2, 1, 3).reshape(1, count, -1))


class _Weights:
    """The tensors of a model by name, an adapter added to them; quantized in the files, or here if asked for."""

    def __init__(self, files: ModelFiles, shape: Architecture, dtype: str, bits: int | None) -> None:
        self.dtype = {"float32": mx.float32, "bfloat16": mx.bfloat16, "float16": mx.float16}[dtype]
        self._bits, self._where = bits, str(files.base)
        self._packing: dict[str, int] = files.architecture.get("quantization", {})
        self._packed = _load_packed(files.base) if self._packing else {}
        self._checkpoint = None if self._packing else Checkpoint(files.base, shape.tensor_shapes())
        self._adapter = LoraAdapter(files, shape) if files.adapter else None

    def vector(self, name: str) -> mx.array:
        """A tensor in the dtype of the computation.

        Raises:
            InputError: the files lack it, or it holds nan.
        """
        if self._checkpoint:
            return mx.array(self._checkpoint.read(name).float().numpy()).astype(self.dtype)
        if name not in self._packed:
            raise InputError(f"the weights lack {name}", where=self._where)
        return self._packed[name].astype(self.dtype)

    def linear(self, module: str, *, is_biased: bool = False) -> Linear:
        """A projection, or the embedding."""
        bias = self.vector(f"{module}.bias") if is_biased else None
        name = f"{module}.weight"
        if name in self._packed and self._packed[name].dtype == mx.uint32:
            scales, biases = self.vector(f"{module}.scales"), self.vector(f"{module}.biases")
            return Linear(self._packed[name], bias, scales, biases, self._packing["group_size"], self._packing["bits"])
        if self._checkpoint is None:  # its rows are no whole groups
            return Linear(self.vector(name), bias)
        matrix = self._checkpoint.read(name).float()
        if self._adapter and ".layers." in module:
            up, down = self._adapter.update(module)
            matrix += up @ down
        weight = mx.array(matrix.numpy()).astype(self.dtype)
        if self._bits is None:
            mx.eval(weight)
            return Linear(weight, bias)
        packed, scales, biases = mx.quantize(weight, group_size=GROUP, bits=self._bits)
        mx.eval(packed, scales, biases)
        return Linear(packed, bias, scales, biases, GROUP, self._bits)


def _load_packed(folder: Path) -> dict[str, mx.array]:
    tensors: dict[str, mx.array] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            tensors |= cast(dict[str, mx.array], mx.load(str(path)))
        except RuntimeError as error:
            raise InputError(f"the weights cannot be loaded: {error}", where=str(path)) from None
    return tensors
