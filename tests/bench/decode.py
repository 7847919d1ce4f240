"""The torch engine on the shape of Qwen2-0.5B with random weights, beside transformers and beside itself.

Every figure is a ratio of two sides measured in turn; samples whose gauge is under 90 % of the best are dropped.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.gauge import gflops
from tests.bench.pairs import compare

TOKENS = 16
STORY = Path("data/train/VL_novel/novel_008.json")
SHAPE = {
    "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
    "num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
}  # fmt: skip


def run() -> None:
    """All of it takes about ten minutes; `LLMOPS_BENCH_MODEL` names a folder to use instead of writing 1 GB."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(os.environ.get("LLMOPS_BENCH_MODEL") or _model(Path(folder) / "model"))
        _loading(model)
        for precision in ("int8", "fp32"):
            engine = _engine(model, precision)
            _ceilings(engine, precision)
            if precision == "int8":
                _beside_transformers(model, engine)
                _next_turn(engine)
            _together(engine, precision)
            _drafts(engine, precision)
            del engine


def _loading(model: Path) -> None:
    """The peak of a fresh process while it loads fp32 weights, over what it held just before."""
    code = """
import sys, psutil, torch
from tests.bench.decode import _engine
from llmops_cli.core.device import peak_memory
import llmops_cli.inference.decoder.loading
torch.rand(64, 64) @ torch.rand(64, 64)
before = psutil.Process().memory_info().rss
engine = _engine(sys.argv[1], "fp32")
print(peak_memory() - before, engine._decoder.nbytes())
"""
    done = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True)
    rise, weights = map(int, done.stdout.split())
    sizes = f"{rise / 1e9:.2f} GB / {weights / 1e9:.2f} GB"
    print(f"loading fp32, rise of the peak over the weights: {sizes} = {rise / weights:.2f} (aim <= 1.2)")


def _ceilings(engine: Any, precision: str) -> None:
    """Decoding reads every weight for each token, so memory bounds it; a long prompt is bounded by arithmetic."""
    import torch

    buffer = torch.ones(1 << 28, dtype=torch.float32)
    weights = engine._decoder.nbytes()
    parameters = sum(math.prod(shape) for shape in engine._decoder.architecture.tensor_shapes().values())
    prompt = _prompt(512)

    def bandwidth() -> float:
        started = time.perf_counter()
        buffer.sum()
        return buffer.nbytes / (time.perf_counter() - started) / 1e9

    def prefill() -> float:
        started = time.perf_counter()
        _answer(engine, [prompt], 1)
        return 2 * parameters * len(prompt) / (time.perf_counter() - started) / 1e9

    with _no_drafts():
        compare(
            f"decode, GB/s of weights over the memory's, {precision}",
            "near 1",
            lambda: weights / 1e9 * _decode_rate(engine),
            lambda: max(bandwidth() for _ in range(3)),
        )
    compare(f"prompt of 512 tokens, GFLOP/s over the fp32 gauge's, {precision}", "near 1", prefill, gflops)


def _beside_transformers(model: Path, engine: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.generation import BaseStreamer

    class Clock(BaseStreamer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.times: list[float] = []

        def put(self, value: Any) -> None:
            self.times.append(time.perf_counter())

        def end(self) -> None:
            pass

    peer = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    prompt = torch.tensor([_prompt(64)])

    def theirs() -> float:
        clock = Clock()
        peer.generate(prompt, do_sample=False, min_new_tokens=TOKENS + 1, max_new_tokens=TOKENS + 1, streamer=clock)
        return _rate(clock.times[1:])

    what = "decode, one stream, tokens/s, int8 over transformers bf16"
    with _no_drafts():
        compare(what, ">= 3", lambda: _decode_rate(engine), theirs)


def _next_turn(engine: Any) -> None:
    history, more = _prompt(1000), _prompt(24, seed=1)

    def first_token(session: str) -> float:
        started = time.perf_counter()
        _answer(engine, [[*history, *more]], 1, session)
        return time.perf_counter() - started

    def warm() -> float:
        _answer(engine, [history], 1, "warm")
        return first_token("warm")

    compare(
        "seconds to the first token after 1,000 tokens of history, kept over cold",
        "<= .15",
        warm,
        lambda: first_token(""),
    )


def _together(engine: Any, precision: str) -> None:
    prompts = [_prompt(8 + 8 * number, seed=number) for number in range(8)]

    def rate(groups: Sequence[Sequence[list[int]]]) -> float:
        started = time.perf_counter()
        tokens = sum(_answer(engine, group, TOKENS) for group in groups)
        return tokens / (time.perf_counter() - started)

    with _no_drafts():
        compare(
            f"8 requests together over one after another, tokens/s, {precision}",
            ">= 2.5 in fp32, 1.8 in int8",
            lambda: rate([prompts]),
            lambda: rate([[prompt] for prompt in prompts]),
        )


def _drafts(engine: Any, precision: str) -> None:
    """The weights are random, so the answer is told: only what is computed for it counts.

    It is the prompt again with one token in 40 changed, as an edited text would be, or a story that goes on.
    """
    story = engine.tokenizer.encode(STORY.read_text(encoding="utf-8"))
    prompt, going_on = story[:300], story[300 : 300 + 8 * TOKENS]
    edited = [7 if place % 40 == 39 else token for place, token in enumerate(prompt)][: 8 * TOKENS]

    def plain(answer: list[int]) -> float:
        with _no_drafts():
            return _told_rate(engine, prompt, answer)

    for what, aim, answer in (("repeats its prompt", ">= 1.5", edited), ("does not", ">= .97", going_on)):
        compare(
            f"tokens/s with drafts over without, text that {what}, {precision}",
            aim,
            partial(_told_rate, engine, prompt, answer),
            partial(plain, answer),
        )


def _told_rate(engine: Any, prompt: list[int], answer: list[int]) -> float:
    """Tokens/s of decoding when the likeliest tokens are those of `answer`, whatever the logits say."""
    from llmops_cli.inference.decoder.batch import DecoderBatch

    likeliest = DecoderBatch._likeliest
    came, started = 0, 0.0

    def told(batch: Any, logits: Any) -> list[int]:
        likeliest(batch, logits)
        return [*answer, *prompt][came : came + len(logits)]

    DecoderBatch._likeliest = told  # type: ignore[method-assign]
    try:
        for given in _steps(engine, [prompt], len(answer)):
            started = started or time.perf_counter()
            came += len(given)
    finally:
        DecoderBatch._likeliest = likeliest  # type: ignore[method-assign]
    return (came - 1) / (time.perf_counter() - started)


def _model(folder: Path) -> Path:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from llmops_cli.models.resolve import BUILTIN_DIRECTORY
    from llmops_cli.models.tokenizer import load_tokenizer
    from llmops_cli.training.scratch import save_tokenizer

    torch.manual_seed(0)
    Qwen2ForCausalLM(Qwen2Config(**SHAPE)).to(torch.bfloat16).save_pretrained(folder)
    save_tokenizer(load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko"), folder)
    return folder


def _engine(model: Path | str, precision: Any) -> Any:
    from llmops_cli.inference.engines.torch import TorchEngine
    from llmops_cli.models.resolve import resolve_model

    return TorchEngine(resolve_model(str(model)), "cpu", precision)


def _prompt(tokens: int, seed: int = 0) -> list[int]:
    draw = random.Random(seed)
    return [draw.randrange(1000, 100_000) for _ in range(tokens)]


def _steps(engine: Any, prompts: Sequence[list[int]], tokens: int, session: str = "") -> Iterator[list[Any]]:
    """Answer all of them together, greedily."""
    from llmops_cli.inference.config import GenerationConfig

    batch = engine.open_tokens()
    for prompt in prompts:
        batch.add(prompt, GenerationConfig(temperature=0, max_tokens=tokens), session, "")
    while given := batch.step():
        yield given


def _answer(engine: Any, prompts: Sequence[list[int]], tokens: int, session: str = "") -> int:
    """Answer all of them together; the number of tokens that came."""
    return sum(map(len, _steps(engine, prompts, tokens, session)))


def _decode_rate(engine: Any) -> float:
    """Tokens/s after a prompt of 64 tokens, the first one not counted."""
    return _rate([time.perf_counter() for _ in _steps(engine, [_prompt(64)], TOKENS + 1)])


def _rate(times: Sequence[float]) -> float:
    """Tokens/s by the median time between two tokens: others use the machine now and then."""
    return 1 / statistics.median(later - earlier for earlier, later in itertools.pairwise(times))


@contextlib.contextmanager
def _no_drafts() -> Iterator[None]:
    from llmops_cli.inference.decoder.drafts import PromptLookup

    propose = PromptLookup.propose
    PromptLookup.propose = lambda self, ids, most: []  # type: ignore[method-assign]
    try:
        yield
    finally:
        PromptLookup.propose = propose  # type: ignore[method-assign]
