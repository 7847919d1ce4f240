"""How much memory a training takes, by arithmetic, before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from llmops_cli.core.device import DeviceChoice
from llmops_cli.models.loss import CHUNK
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.training.config import ALL_LINEAR, TrainConfig

LIBRARIES = 550_000_000
"""Resident bytes of Python with torch, transformers and peft imported, before any weight (measured, Linux)."""
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Shape:
    """The sizes of a Qwen2 or Llama model that memory depends on."""

    vocabulary: int
    width: int
    intermediate: int
    layers: int
    heads: int
    kv_width: int
    tied: bool

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of the linear layers of one block, by name."""
        width, inner = self.width, self.intermediate
        return {
            "q_proj": (width, width),
            "k_proj": (width, self.kv_width),
            "v_proj": (width, self.kv_width),
            "o_proj": (width, width),
            "gate_proj": (width, inner),
            "up_proj": (width, inner),
            "down_proj": (inner, width),
        }

    def parameters(self) -> int:
        """Weights in all, norms and biases left out."""
        blocks = self.layers * sum(inputs * outputs for inputs, outputs in self.linear_layers().values())
        return blocks + self.vocabulary * self.width * (1 if self.tied else 2)

    def trainable(self, config: TrainConfig) -> int:
        """Weights that are trained."""
        if config.train.method == "full":
            return self.parameters()
        targets = config.lora.targets
        chosen = [sum(size) for name, size in self.linear_layers().items() if targets == ALL_LINEAR or name in targets]
        return self.layers * config.lora.rank * sum(chosen)


def shape_of(config: TrainConfig, files: ModelFiles | None, vocabulary: int) -> Shape:
    """The shape of the model a configuration trains, from its `config.json` or from `train.architecture`."""
    new = config.train.architecture
    if new is not None:
        kv_width = new.hidden_size // new.heads * new.kv_heads
        return Shape(vocabulary, new.hidden_size, new.intermediate_size, new.layers, new.heads, kv_width, True)
    assert files is not None
    raw = files.architecture
    heads = raw["num_attention_heads"]
    kv_width = raw["hidden_size"] // heads * raw.get("num_key_value_heads", heads)
    return Shape(
        raw["vocab_size"], raw["hidden_size"], raw["intermediate_size"], raw["num_hidden_layers"], heads, kv_width,
        raw.get("tie_word_embeddings", False),
    )  # fmt: skip


def estimate_memory(shape: Shape, config: TrainConfig, device: DeviceChoice) -> int:
    """Estimated peak bytes of a training step: libraries, weights, optimizer, activations, one chunk of logits.

    Activations kept for the backward pass, per layer and token: about 8 widths of the residual stream and the norms,
    the queries, keys and values, 4 widths of the feed-forward part, and one fp32 attention matrix per head.
    """
    full = config.train.method == "full"
    weight_bytes = 4 if full else BYTES[device.dtype]
    trainable = shape.trainable(config)
    tokens = config.train.pack_length or config.data.max_length
    activation_bytes = BYTES["float32"] if full else BYTES[device.dtype]
    per_token = 8 * shape.width + 3 * (shape.width + 2 * shape.kv_width) + 4 * shape.intermediate
    attention = shape.heads * tokens * tokens * 4
    activations = shape.layers * (tokens * per_token * activation_bytes) + 2 * attention
    logits = 3 * CHUNK * shape.vocabulary * 4
    optimizer = trainable * 4 * 3
    weights = shape.parameters() * weight_bytes + (0 if full else trainable * 4)
    return LIBRARIES + weights + optimizer + activations + logits
