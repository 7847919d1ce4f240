"""The llamacpp engine beside llama.cpp called directly, on the same GGUF file, threads and tokens."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.decode import _model, _prompt
from tests.bench.pairs import compare

PROMPT, ANSWER = 256, 32


def run() -> None:
    """Both kinds of GGUF; takes about three minutes. `LLMOPS_BENCH_MODEL` as in the benchmark `decode`."""
    if not importlib.util.find_spec("llama_cpp") or not importlib.util.find_spec("gguf"):
        print("left out: .bench-venv/bin/pip install 'llmops-cli[gguf]' (llama.cpp is compiled, ten minutes)")
        return
    with tempfile.TemporaryDirectory() as folder:
        model = Path(os.environ.get("LLMOPS_BENCH_MODEL") or _model(Path(folder) / "model"))
        for kind in ("gguf-q8_0", "gguf-q4_0"):
            path = _written(model, kind, Path(folder) / kind)
            ours, direct = _Ours(path), _Direct(path)
            compare(f"{kind}, prompt tokens/s, over llama.cpp", ">= .95", ours.prefill, direct.prefill)
            compare(f"{kind}, decoded tokens/s, over llama.cpp", ">= .95", ours.decode, direct.decode)


def _written(model: Path, kind: str, folder: Path) -> Path:
    from llmops_cli.core.console import SilentReporter
    from llmops_cli.export.formats import gguf
    from llmops_cli.export.merging import MergedModel
    from llmops_cli.models.resolve import resolve_model
    from llmops_cli.models.tokenizer import load_tokenizer

    files = resolve_model(str(model))
    folder.mkdir()
    with SilentReporter().progress(kind, None) as bar:
        gguf.write(MergedModel(files), load_tokenizer(files.tokenizer), kind, folder, bar)
    return folder / gguf.FILE


class _Ours:
    def __init__(self, path: Path) -> None:
        from llmops_cli.inference.config import EngineConfig, GenerationConfig
        from llmops_cli.inference.engines.llamacpp import LlamaCppEngine
        from llmops_cli.models.gguf import GgufFile

        self._engine = LlamaCppEngine(GgufFile(str(path), path), EngineConfig(model=str(path), device="cpu"))
        self._settings = GenerationConfig(temperature=0, max_tokens=ANSWER)

    def prefill(self) -> float:
        return self._rates()[0]

    def decode(self) -> float:
        return self._rates()[1]

    def _rates(self) -> tuple[float, float]:
        batch = self._engine.open_tokens()
        batch.add(_prompt(PROMPT), self._settings, "", "")
        started = time.perf_counter()
        batch.step()
        first = time.perf_counter()
        count = sum(1 for _ in iter(batch.step, []))
        return PROMPT / (first - started), count / (time.perf_counter() - first)


class _Direct:
    """The calls that a program of llama.cpp's own examples makes, with its greedy sampler."""

    def __init__(self, path: Path) -> None:
        import llama_cpp
        import torch

        self._calls: Any = llama_cpp
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = 2048
        settings.n_threads = settings.n_threads_batch = torch.get_num_threads()
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        self._sampler = llama_cpp.llama_sampler_init_greedy()

    def prefill(self) -> float:
        return self._rates()[0]

    def decode(self) -> float:
        return self._rates()[1]

    def _rates(self) -> tuple[float, float]:
        calls = self._calls
        calls.llama_memory_clear(calls.llama_get_memory(self._context), True)
        prompt = (calls.llama_token * PROMPT)(*_prompt(PROMPT))
        started = time.perf_counter()
        calls.llama_decode(self._context, calls.llama_batch_get_one(prompt, PROMPT))
        one = (calls.llama_token * 1)(calls.llama_sampler_sample(self._sampler, self._context, -1))
        first = time.perf_counter()
        for _ in range(ANSWER - 1):
            calls.llama_decode(self._context, calls.llama_batch_get_one(one, 1))
            one[0] = calls.llama_sampler_sample(self._sampler, self._context, -1)
        return PROMPT / (first - started), (ANSWER - 1) / (time.perf_counter() - first)
