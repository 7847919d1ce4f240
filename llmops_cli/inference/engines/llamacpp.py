"""Tokens computed by llama.cpp from a GGUF file; they are chosen by our own sampling, as everywhere.

The low interface of llama-cpp-python is called, not its `Llama` class, which copies all logits of every step.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.core.device import choose_device
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Abilities, Engine
from llmops_cli.inference.scoring import label_log_probabilities
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.inference.streams import Sampler, StreamBatch, common_prefix
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.source import check_source
from llmops_cli.prompts.encode import Encoded

if TYPE_CHECKING:
    import torch

RUNS = GgufFile
PRECISIONS = ()
LOG_ERROR = 4
"""The level of `ggml.h`."""
CHUNK = 512
"""Most tokens of one forward pass over a prompt, the default of llama.cpp's `n_ubatch`."""
SCORED_CHUNK = 128
"""The same where logits of every token are kept: 128 x 151,936 in fp32 are 78 MB."""
SMALLEST_CACHE = 2048
"""Positions that a key/value cache has at least; one that is too short is made anew, at least twice as long."""


def cannot_run(source: GgufFile) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    here = importlib.util.find_spec("llama_cpp")
    return None if here else "llama-cpp-python is missing -> pip install 'llmops-cli[gguf]'"


def load(source: GgufFile, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return TextEngine(LlamaCppEngine(source, config))


class LlamaCppEngine:
    """One answer at a time; the key/value cache of the last session is kept."""

    name = "llamacpp"
    abilities = Abilities(logprobs=True, contexts=True)

    def __init__(self, file: GgufFile, config: EngineConfig) -> None:
        self.tokenizer = file.load_tokenizer()
        check_source(file, self.tokenizer)
        self.context_length = file.context_length
        self._sampler = Sampler(self.tokenizer, self.context_length, file.name)
        self._model = _LlamaModel(file.path, on_gpu=choose_device(config.device).name != "cpu")
        self._session = ""

    def open_tokens(self) -> StreamBatch:
        return StreamBatch(self._stream)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return label_log_probabilities(self.logits, records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        self._begin(ids, "", len(ids))
        given = ids[:-1]
        for start in range(0, len(given), SCORED_CHUNK):
            chunk = given[start : start + SCORED_CHUNK]
            yield self._model.forward(chunk, keep=len(chunk))

    def _stream(self, prompt: Sequence[int], settings: GenerationConfig, session: str) -> Iterator[int]:
        cached = self._begin(prompt, session, min(len(prompt) + settings.max_tokens, self.context_length))
        yield from self._sampler.tokens(prompt, cached, settings, self._forward)

    def _forward(self, ids: Sequence[int]) -> torch.Tensor:
        for start in range(0, len(ids), CHUNK):
            logits = self._model.forward(ids[start : start + CHUNK], keep=1)
        return logits[0]

    def _begin(self, prompt: Sequence[int], session: str, length: int) -> int:
        """Make room for `length` tokens; how many of the prompt are in the cache from the session's last request."""
        same = common_prefix(self._model.cached, prompt) if session and session == self._session else 0
        self._session = session
        return self._model.rewind(same, length)


class _Library:
    """llama.cpp, quiet, and the errors it would have written to stderr. It logs to one place as long as it lives."""

    def __init__(self) -> None:
        import llama_cpp

        self.calls: Any = llama_cpp
        self._errors: list[str] = []
        self._log = llama_cpp.llama_log_callback(self._note)
        llama_cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def fault(self) -> str:
        """The first error since the last one that was asked for."""
        said, self._errors[:] = self._errors[:1], []
        return said[0] if said else "it does not say why"

    def _note(self, level: int, text: bytes, data: object) -> None:
        if level == LOG_ERROR:
            self._errors.append(text.decode("utf-8", "replace").strip())


_library = functools.cache(_Library)


class _LlamaModel:
    """Weights and one key/value cache, which holds the tokens `cached`."""

    def __init__(self, path: Path, on_gpu: bool) -> None:
        import torch

        self._library = _library()
        self._llama, self._threads = self._library.calls, torch.get_num_threads()
        parameters = self._llama.llama_model_default_params()
        parameters.n_gpu_layers = -1 if on_gpu else 0
        self._model = self._llama.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise InputError(f"llama.cpp cannot load it: {self._library.fault()}", where=str(path))
        self._batch = self._llama.llama_batch_init(CHUNK, 0, 1)
        self._vocabulary = self._llama.llama_vocab_n_tokens(self._llama.llama_model_get_vocab(self._model))
        self._context: Any = None
        self._positions = 0
        self.cached: list[int] = []
        self._held = contextlib.ExitStack()
        self._held.callback(self._llama.llama_model_free, self._model)
        self._held.callback(self._llama.llama_batch_free, self._batch)
        self._held_context = self._held.enter_context(contextlib.ExitStack())
        weakref.finalize(self, self._held.close)

    def rewind(self, length: int, room: int) -> int:
        """Forget all but the first `length` tokens, and have a cache of `room`; how many tokens are left."""
        if room > self._positions:
            self._make_context(max(room, 2 * self._positions, SMALLEST_CACHE))
            length = 0
        memory = self._llama.llama_get_memory(self._context)
        if not self._llama.llama_memory_seq_rm(memory, 0, length, -1):  # some architectures forget all or nothing
            self._llama.llama_memory_clear(memory, True)
            length = 0
        del self.cached[length:]
        return length

    def forward(self, ids: Sequence[int], *, keep: int) -> torch.Tensor:
        """Process tokens after the cached ones; logits of the last `keep`, fp32 [keep, vocabulary].

        The result is valid until the next call.

        Raises:
            MachineError: llama.cpp fails, as when memory is short.
        """
        import numpy as np
        import torch

        batch = self._batch
        batch.n_tokens = len(ids)
        for place, token in enumerate(ids):
            batch.token[place], batch.pos[place] = token, len(self.cached) + place
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
            batch.logits[place] = place >= len(ids) - keep
        if self._llama.llama_decode(self._context, batch):
            raise MachineError(f"llama.cpp cannot go on: {self._library.fault()}", where="engine")
        self.cached += ids
        shape = keep, self._vocabulary
        return torch.from_numpy(np.ctypeslib.as_array(self._llama.llama_get_logits(self._context), shape))

    def _make_context(self, positions: int) -> None:
        self._held_context.close()
        parameters = self._llama.llama_context_default_params()
        parameters.n_ctx = positions
        parameters.n_batch = parameters.n_ubatch = CHUNK
        parameters.n_threads = parameters.n_threads_batch = self._threads
        self._context = self._llama.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise MachineError(
                f"llama.cpp cannot make a cache of {positions} tokens: {self._library.fault()}", where="engine"
            )
        self._held_context.callback(self._llama.llama_free, self._context)
        self._positions, self.cached = positions, []
