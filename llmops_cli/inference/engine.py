"""The engine contract: one code path turns ids into tokens and tokens into text, whatever computes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.streaming import TextStream
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.prompts.template import Turn

FinishReason = Literal["stop", "length"]


class Engine(Protocol):
    """What computes tokens."""

    tokenizer: ModelTokenizer
    context_length: int

    def stream(self, prompt: Sequence[int], settings: GenerationConfig) -> Iterator[int]:
        """Yield generated token ids until an end-of-turn token (yielded too) or `settings.max_tokens`."""


@dataclass(frozen=True)
class Completion:
    """One answer. `token_ids` are all generated ids; `output` lacks special tokens and a broken last character."""

    output: str
    token_ids: list[int]
    finish_reason: FinishReason
    prompt_tokens: int


def complete(
    engine: Engine,
    prompt: Sequence[int],
    settings: GenerationConfig,
    on_text: Callable[[str], None] | None = None,
) -> Completion:
    """Generate one answer; `on_text` receives the text piece by piece, never half a character.

    Raises:
        InputError: the prompt leaves no room in the model's context.
    """
    if fault := no_room(engine, prompt):
        raise InputError(fault, hint="shorten it")
    text = TextStream(engine.tokenizer, settings.stop)
    ids: list[int] = []
    finish: FinishReason = "length"
    for token in engine.stream(prompt, settings):
        ids.append(token)
        if token in engine.tokenizer.stop_ids:
            finish = "stop"
            break
        piece = text.push(token)
        if piece and on_text:
            on_text(piece)
        if text.stopped:
            finish = "stop"
            break
    tail = text.finish()
    if tail and on_text:
        on_text(tail)
    return Completion(text.text, ids, finish, len(prompt))


def no_room(engine: Engine, prompt: Sequence[int]) -> str | None:
    """Why a prompt cannot be answered: it fills the model's context, or None when there is room."""
    if len(prompt) < engine.context_length:
        return None
    return f"the prompt has {len(prompt)} tokens, the model's context {engine.context_length}"


def answer(
    engine: Engine,
    turns: Sequence[Turn],
    settings: GenerationConfig,
    on_text: Callable[[str], None] | None = None,
) -> Completion:
    """Answer a conversation through the model's chat template."""
    return complete(engine, encode_prompt(engine.tokenizer, turns), settings, on_text)
