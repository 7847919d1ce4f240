"""Tokens computed by MLX: Qwen2 and Llama on Apple Silicon. Tested with MLX's build for Linux, not on a Mac."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from llmops_cli.core.device import choose_device
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.decoder.architecture import read_architecture
from llmops_cli.inference.engine import Abilities, Engine
from llmops_cli.inference.scoring import label_log_probabilities
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.inference.streams import Sampler, StreamBatch, common_prefix
from llmops_cli.models.contract import check_contract
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import Encoded

if TYPE_CHECKING:
    import torch

RUNS = ModelFiles
PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int4")
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
BITS = {"int8": 8, "int4": 4}
CHUNK = 256
"""Tokens of one forward pass."""


def cannot_run(source: ModelFiles) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    try:
        architecture = read_architecture(source.base)
    except InputError as error:
        return error.problems[0].what
    if architecture.packed_bits:
        return "its weights are quantized for the torch engine"
    if source.adapter and "quantization" in source.architecture:
        return "an adapter needs the weights it was trained on, and these are quantized"
    here = importlib.util.find_spec("mlx")
    return None if here else "mlx is missing -> pip install 'llmops-cli[mlx]'"


def load(source: ModelFiles, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return TextEngine(MlxEngine(source, config))


class MlxEngine:
    """One answer at a time; the key/value cache of the last session is kept."""

    name = "mlx"
    abilities = Abilities(logprobs=True, contexts=True)

    def __init__(self, files: ModelFiles, config: EngineConfig) -> None:
        import mlx.core as mx

        from llmops_cli.inference.mlx_decoder import Decoder

        device = choose_device(config.device)
        if device.name == "cuda":
            raise MachineError("MLX computes on mps and cpu, not on cuda", where="device", hint="--set device=cpu")
        mx.set_default_device(mx.gpu if device.name == "mps" else mx.cpu)
        self.tokenizer = load_tokenizer(files.tokenizer)
        check_contract(files, self.tokenizer)
        self.context_length = files.context_length
        self._sampler = Sampler(self.tokenizer, self.context_length, files.name)
        self._decoder = Decoder(files, DTYPES.get(config.precision, device.dtype), BITS.get(config.precision))
        self._session, self._cached, self._cache = "", list[int](), self._decoder.new_cache()

    def open_tokens(self) -> StreamBatch:
        return StreamBatch(self._stream)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return label_log_probabilities(self.logits, records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        cache = self._decoder.new_cache()
        given = ids[:-1]
        for start in range(0, len(given), CHUNK):
            chunk = given[start : start + CHUNK]
            yield _to_torch(self._decoder(chunk, cache, keep=len(chunk)))

    def _stream(self, prompt: Sequence[int], settings: GenerationConfig, session: str) -> Iterator[int]:
        yield from self._sampler.tokens(prompt, self._begin(prompt, session), settings, self._forward)

    def _forward(self, ids: Sequence[int]) -> torch.Tensor:
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            logits = self._decoder(chunk, self._cache, keep=1)
            self._cached += chunk
        return _to_torch(logits)[0]

    def _begin(self, prompt: Sequence[int], session: str) -> int:
        """How many tokens of the prompt are in the cache from the session's last request; the others leave it."""
        same = common_prefix(self._cached, prompt) if session and session == self._session else 0
        self._session, self._cache.length = session, same
        del self._cached[same:]
        return same


def _to_torch(logits: object) -> torch.Tensor:
    import numpy as np
    import torch

    return torch.from_numpy(np.array(logits, copy=False))
