"""Tokens computed by an own decoder on torch: the Qwen2 and Llama family from safetensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llmops_cli.core.device import choose_device, torch_dtype
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.inference.config import EngineConfig, Precision
from llmops_cli.inference.decoder.architecture import read_architecture
from llmops_cli.inference.engine import Abilities, Engine
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.models.contract import check_contract
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import Encoded

if TYPE_CHECKING:
    import torch

    from llmops_cli.inference.decoder.batch import DecoderBatch

RUNS = ModelFiles
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16", "int8", "int4")
DTYPES: dict[Precision, str] = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
NAMES: dict[str, Precision] = {name: precision for precision, name in DTYPES.items()}
PACKED: dict[int | None, Precision] = {8: "int8", 4: "int4"}
CHUNK = 128
"""Tokens of given text whose logits exist at once: 128 x 151,936 in fp32 are 78 MB."""


def cannot_run(source: ModelFiles) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    if "quantization" in source.architecture:
        return "its weights are quantized for MLX"
    try:
        read_architecture(source.base)
    except InputError as error:
        return error.problems[0].what
    return None


def load(source: ModelFiles, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return TextEngine(TorchEngine(source, config.device, config.precision))


class TorchEngine:
    """Many answers at a time, each going on from what its session has computed.

    The adapter of `files` is merged into the weights. Those of `adapters` stay beside them, and requests switch between
    them by name; "" is then the model as `files` says.

    Raises:
        InputError: the files cannot be used.
        MachineError: the device is not here, or has no fast products in the precision.
    """

    name = "torch"

    def __init__(
        self,
        files: ModelFiles,
        device: str = "auto",
        precision: Precision = "auto",
        adapters: Mapping[str, ModelFiles] | None = None,
    ) -> None:
        from llmops_cli.inference.decoder.loading import add_adapter, load_decoder
        from llmops_cli.inference.decoder.sessions import Sessions

        self.device = choose_device(device)
        packed_bits = read_architecture(files.base).packed_bits
        if packed_bits and (files.adapter or adapters):
            what = "an adapter needs the weights it was trained on, and those of its base are quantized"
            raise InputError(what, where=files.name)
        if precision == "auto":
            precision = PACKED.get(packed_bits, NAMES[self.device.dtype])
        if precision == "fp16" and self.device.name == "cpu":
            raise MachineError("torch has no fast fp16 products on the CPU", where="precision", hint="fp32 or int8")
        self.precision = precision
        self.tokenizer = load_tokenizer(files.tokenizer)
        self.contract = check_contract(files, self.tokenizer)
        self.context_length = files.context_length
        takes_adapters = not (files.adapter or packed_bits)
        self.abilities = Abilities(adapters=takes_adapters, batch=True, logprobs=True, contexts=True)
        self._files = files
        for name, other in (adapters or {}).items():
            self._check_adapter(name, other)
        dtype = torch_dtype(DTYPES.get(precision, self.device.dtype))
        self._decoder = load_decoder(files, self.device.name, precision, dtype)
        for name, other in (adapters or {}).items():
            add_adapter(self._decoder, name, other)
        if self.tokenizer.size > self._decoder.architecture.vocabulary:
            raise InputError(
                f"the tokenizer has {self.tokenizer.size} tokens, the model {self._decoder.architecture.vocabulary}",
                where=str(files.tokenizer),
            )
        self._sessions = Sessions()

    def open_tokens(self) -> DecoderBatch:
        from llmops_cli.inference.decoder.batch import DecoderBatch

        return DecoderBatch(
            self._decoder,
            self._sessions,
            self.context_length,
            self.tokenizer.stop_ids,
            lambda: self._sequence_breakers,
            self._files.name,
        )

    def add_adapter(self, name: str, files: ModelFiles) -> None:
        from llmops_cli.inference.decoder.loading import add_adapter

        self._check_adapter(name, files)
        add_adapter(self._decoder, name, files)

    def _check_adapter(self, name: str, files: ModelFiles) -> None:
        if self._files.adapter or files.base != self._files.base:
            raise InputError(f"the adapter {name!r} is not one of {self._files.name}", where=files.name)
        check_contract(files, self.tokenizer)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        from llmops_cli.inference.decoder.likelihood import label_log_probabilities

        return label_log_probabilities(self._decoder, records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        import torch

        from llmops_cli.inference.decoder.model import Span

        cache = self._decoder.new_cache()
        for start in range(0, len(ids) - 1, CHUNK):
            chunk = ids[start : min(start + CHUNK, len(ids) - 1)]
            with torch.inference_mode():
                logits = self._decoder.logits(self._decoder.forward([Span(chunk, cache)])).float()
            yield logits

    @cached_property
    def _sequence_breakers(self) -> frozenset[int]:
        from llmops_cli.inference.sampling import sequence_breakers

        return sequence_breakers(self.tokenizer)
