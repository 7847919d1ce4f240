"""For engines that compute each answer by itself: a batch of token generators, and the loop that samples tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llmops_cli.core.errors import GateFailed, InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    import torch

Stream = Callable[[Sequence[int], GenerationConfig, str], Iterator[int]]
"""The tokens that answer a prompt under settings, in a session; it ends after a stop token or the last one allowed."""
Forward = Callable[[Sequence[int]], "torch.Tensor"]
"""Logits [vocabulary] of the token after those given, which follow the ones given before; valid until the next call."""


class StreamBatch:
    """A :class:`llmops_cli.inference.engine.TokenBatch` of one generator for each request.

    The oldest request is answered first and the others wait, or all of them go on by a token at each step.
    """

    def __init__(self, stream: Stream, *, together: bool = False) -> None:
        self._stream, self._together = stream, together
        self._running: dict[int, Iterator[int]] = {}
        self._added = 0

    def add(self, prompt: Sequence[int], settings: GenerationConfig, session: str, adapter: str) -> int:
        if adapter:
            raise InputError(f"this engine cannot switch to the adapter {adapter!r}", hint="--set engine=torch")
        self._added += 1
        self._running[self._added] = self._stream(prompt, settings, session)
        return self._added

    def step(self) -> list[tuple[int, int]]:
        while self._running:
            numbers = list(self._running) if self._together else [next(iter(self._running))]
            tokens = [(number, next(self._running[number], None)) for number in numbers]
            for number, token in tokens:
                if token is None:
                    del self._running[number]
            if given := [(number, token) for number, token in tokens if token is not None]:
                return given
        return []

    def drop(self, number: int) -> None:
        self._running.pop(number, None)


class Sampler:
    """Chooses the tokens of answers from the logits of a model called `name`."""

    def __init__(self, tokenizer: ModelTokenizer, context_length: int, name: str) -> None:
        self._tokenizer, self._context_length, self._name = tokenizer, context_length, name

    def tokens(self, prompt: Sequence[int], cached: int, settings: GenerationConfig, forward: Forward) -> Iterator[int]:
        """Answer a prompt whose first `cached` tokens `forward` has seen already.

        Raises:
            GateFailed: the model gives nan.
        """
        import torch

        from llmops_cli.inference.sampling import choose

        generator = torch.Generator().manual_seed(settings.seed)
        breakers = self._breakers if settings.dry_multiplier else frozenset()
        past, new = list(prompt), prompt[cached:]
        for count in range(min(settings.max_tokens, self._context_length - len(prompt))):
            logits = forward(new)
            if logits.sum().isnan():  # a fiftieth of the time of looking at each
                raise GateFailed("the model gives nan: its weights are broken", where=self._name)
            banned = self._tokenizer.stop_ids if count < settings.min_tokens else ()
            token = choose(logits, settings, generator, past, breakers, banned)
            yield token
            if token in self._tokenizer.stop_ids:
                return
            past.append(token)
            new = [token]

    @cached_property
    def _breakers(self) -> frozenset[int]:
        from llmops_cli.inference.sampling import sequence_breakers

        return sequence_breakers(self._tokenizer)


def common_prefix(cached: Sequence[int], prompt: Sequence[int]) -> int:
    """How many tokens of a prompt need no new computation: those it begins with in common, at least one short of it."""
    pairs = enumerate(zip(cached, prompt[:-1], strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(cached), len(prompt) - 1))
