"""The fake engine answers the same for ever, through the same code as real ones."""

from __future__ import annotations

import math
import time

import pytest
from workbench import Cli, log_probabilities

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Completion, Request, complete
from llmops_cli.inference.open import open_engine

SPOKEN = ("user", "첫 번째"), ("assistant", "응"), ("user", "비 🙂\n와?")
TURNS = [{"role": role, "content": content} for role, content in SPOKEN]


def answered(name: str, text: str = "", **settings: object) -> Completion:
    engine = open_engine(EngineConfig(model=name))
    return complete(engine, Request(GenerationConfig(**settings), TURNS, text or None))  # type: ignore[arg-type]


def test_an_echo_is_the_last_turn() -> None:
    assert answered("fake:echo").output == "비 🙂\n와?"
    assert answered("fake:echo", "그냥 글").output == "그냥 글"
    assert answered("fake:echo", max_tokens=3).finish_reason == "length"
    assert answered("fake:echo", stop=["와"]).output == "비 🙂\n"


def test_words_depend_on_the_prompt_and_the_seed_alone() -> None:
    said = answered("fake:words").output
    assert said == answered("fake:words", seed=7).output
    assert len(said.split()) == 12
    assert len({said, answered("fake:words", seed=8).output, answered("fake:words", "비").output}) == 3
    assert answered("fake:words", temperature=0).output == answered("fake:words", temperature=0, seed=9).output
    assert len(answered("fake:words?length=3").output.split()) == 3


def test_a_delay_and_a_context_are_kept() -> None:
    start = time.monotonic()
    tokens = len(answered("fake:echo?delay=0.01").token_ids)
    assert 0.01 * tokens <= time.monotonic() - start < 0.01 * tokens + 1
    with pytest.raises(InputError, match="the model's context 9"):
        answered("fake:words?context=9")


def test_every_token_is_as_likely_as_the_others(cli: Cli) -> None:
    engine = open_engine(EngineConfig(model="fake:words"))
    assert engine.tokenizer is not None
    assert log_probabilities(engine, [5, 6, 7]) == [-math.log(engine.tokenizer.size)] * 2
    (chunk,) = engine.logits([5, 6, 7])
    assert chunk.shape == (2, engine.tokenizer.size)
    assert cli("chat", "fake:echo", "--once", "안녕").out == "안녕\n"
