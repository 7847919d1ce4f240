"""Tokens computed by transformers' own modelling code: any architecture it knows, an adapter through peft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llmops_cli.core.device import choose_device
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Abilities, Engine
from llmops_cli.inference.scoring import label_log_probabilities
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.inference.streams import Sampler, StreamBatch
from llmops_cli.models.contract import check_contract
from llmops_cli.models.load import add_adapter, load_base
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import Encoded

if TYPE_CHECKING:
    import torch

RUNS = ModelFiles
PRECISIONS = ("fp32", "bf16", "fp16")
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
CHUNK = 256
"""Tokens of one forward pass over given text."""


def cannot_run(source: ModelFiles) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    for key, made_for in (("quantization", "MLX"), ("quantization_config", "another engine")):
        if key in source.architecture:
            return f"its weights are quantized for {made_for}"
    return None


def load(source: ModelFiles, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return TextEngine(TransformersEngine(source, config))


class TransformersEngine:
    """One answer at a time, with a key/value cache."""

    name = "transformers"
    abilities = Abilities(logprobs=True)

    def __init__(self, files: ModelFiles, config: EngineConfig) -> None:
        device = choose_device(config.device)
        if config.precision != "auto":
            device = replace(device, dtype=DTYPES[config.precision], dtype_reason="asked for")
        self.tokenizer = load_tokenizer(files.tokenizer)
        check_contract(files, self.tokenizer)
        self.context_length = files.context_length
        self._device = device.name
        self._sampler = Sampler(self.tokenizer, self.context_length, files.name)
        self._model = add_adapter(load_base(files.base, device), files).eval()

    def open_tokens(self) -> StreamBatch:
        return StreamBatch(self._stream)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return label_log_probabilities(self.logits, records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        past = None
        for start in range(0, len(ids) - 1, CHUNK):
            chunk = ids[start : min(start + CHUNK, len(ids) - 1)]
            logits, past = self._forward(chunk, past, keep=len(chunk))
            yield logits

    def _stream(self, prompt: Sequence[int], settings: GenerationConfig, session: str) -> Iterator[int]:
        past = None

        def forward(ids: Sequence[int]) -> torch.Tensor:
            nonlocal past
            logits, past = self._forward(ids, past, keep=1)
            return logits[0]

        return self._sampler.tokens(prompt, 0, settings, forward)

    def _forward(self, ids: Sequence[int], past: object, keep: int) -> tuple[torch.Tensor, object]:
        """Logits after the last `keep` tokens, fp32 [keep, vocabulary], and the cache with all tokens in it."""
        import torch

        with torch.inference_mode():
            result = self._model(
                input_ids=torch.tensor([list(ids)], device=self._device),
                past_key_values=past, use_cache=True, logits_to_keep=keep,
            )  # fmt: skip
        return result.logits[0, -keep:].float(), result.past_key_values
