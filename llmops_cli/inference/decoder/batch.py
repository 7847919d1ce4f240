"""Answers to several prompts, a forward pass of the decoder at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from llmops_cli.core.errors import GateFailed, InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.decoder.cache import KeyValueCache
from llmops_cli.inference.decoder.drafts import PromptLookup
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.inference.decoder.sessions import Sessions
from llmops_cli.inference.sampling import choose, is_plain_greedy
from llmops_cli.inference.streams import common_prefix

CHUNK = 512
"""Most tokens of prompts in one forward pass."""


@dataclass
class _Answer:
    """A request: `ids` are prompt and answer so far, and those that the cache lacks still have to be computed.

    The model may end its turn once there are `earliest` ids.
    """

    ids: list[int]
    earliest: int
    left: int
    settings: GenerationConfig
    session: str
    adapter: str
    cache: KeyValueCache
    generator: torch.Generator
    lookup: PromptLookup

    @property
    def pending(self) -> int:
        return len(self.ids) - len(self.cache.ids)


@dataclass
class _Turn:
    """What an answer does in one pass: `draft` are guesses at the end of the span's tokens."""

    answer: _Answer
    span: Span
    draft: list[int]


class DecoderBatch:
    """A :class:`llmops_cli.inference.engine.TokenBatch`.

    Each pass takes the last token of every answer that has begun and pieces of the prompts that have not; a lone answer
    also drafts tokens. Every answer has a random generator of its own, so it does not depend on its companions.

    Args:
        decoder: computes.
        sessions: where caches of named sessions come from and go to.
        context_length: most tokens of a prompt and its answer.
        stop_ids: tokens that end an answer.
        breakers: called once an answer wants DRY; see `sampling.sequence_breakers`.
        where: the model's name, for errors.
    """

    def __init__(
        self,
        decoder: Decoder,
        sessions: Sessions,
        context_length: int,
        stop_ids: Sequence[int],
        breakers: Callable[[], Collection[int]],
        where: str,
    ) -> None:
        self._decoder, self._sessions, self._breakers = decoder, sessions, breakers
        self._context_length, self._stop_ids, self._where = context_length, stop_ids, where
        self._answers: dict[int, _Answer] = {}
        self._added = 0

    def add(self, prompt: Sequence[int], settings: GenerationConfig, session: str, adapter: str) -> int:
        if adapter and adapter not in self._decoder.adapters:
            known = ", ".join(sorted(self._decoder.adapters)) or "none"
            raise InputError(f"no adapter {adapter!r} is loaded (there is: {known})", where="adapter")
        cache = (self._sessions.take((session, adapter)) if session else None) or self._decoder.new_cache()
        cache.keep(common_prefix(cache.ids, prompt))
        left = min(settings.max_tokens, self._context_length - len(prompt))
        generator = torch.Generator().manual_seed(settings.seed)
        lookup = PromptLookup(self._decoder.precision)
        self._added += 1
        earliest = len(prompt) + settings.min_tokens
        self._answers[self._added] = _Answer(
            list(prompt), earliest, left, settings, session, adapter, cache, generator, lookup
        )
        return self._added

    def drop(self, number: int) -> None:
        if answer := self._answers.pop(number, None):
            self._keep(answer)

    @torch.inference_mode()
    def step(self) -> list[tuple[int, int]]:
        """As the contract says.

        Raises:
            GateFailed: the model gives nan.
        """
        given: list[tuple[int, int]] = []
        while self._answers and not given:
            turns = self._plan()
            hidden = self._decoder.forward([turn.span for turn in turns.values()])
            given = self._choose(turns, hidden)
        return given

    def _plan(self) -> dict[int, _Turn]:
        """Which tokens go through the next pass."""
        turns: dict[int, _Turn] = {}
        room = CHUNK
        for number, answer in self._answers.items():
            count = 1 if answer.pending == 1 else min(answer.pending, room)
            room -= count if count > 1 else 0
            if not count:
                continue
            draft: list[int] = []
            if len(self._answers) == 1 and answer.pending == 1:
                draft = answer.lookup.propose(answer.ids, answer.left - 1)
            start = len(answer.cache.ids)
            span = Span([*answer.ids[start : start + count], *draft], answer.cache, answer.adapter)
            turns[number] = _Turn(answer, span, draft)
        return turns

    def _choose(self, turns: dict[int, _Turn], hidden: torch.Tensor) -> list[tuple[int, int]]:
        """The tokens that follow, for the answers whose prompts are through."""
        ready: list[tuple[int, _Turn]] = []
        rows: list[int] = []
        end = 0
        for number, turn in turns.items():
            end += len(turn.span.ids)
            if turn.answer.pending <= 0:
                ready.append((number, turn))
                rows += range(end - len(turn.draft) - 1, end)
        if not ready:
            return []
        logits = self._decoder.logits(hidden if len(rows) == len(hidden) else hidden[rows])
        likeliest = self._likeliest(logits)
        given: list[tuple[int, int]] = []
        start = 0
        for number, turn in ready:
            part = slice(start, start + len(turn.draft) + 1)
            start = part.stop
            given += [(number, token) for token in self._follow(turn, logits[part], likeliest[part])]
            if turn.answer.left == 0:
                self.drop(number)
        return given

    def _likeliest(self, logits: torch.Tensor) -> list[int]:
        """The id of the highest logit of each row; argmax finds nan where there is one."""
        best = logits.argmax(-1, keepdim=True)
        found = torch.cat((best, logits.gather(-1, best).isnan().to(best.dtype)), dim=-1).tolist()
        if any(is_nan for _, is_nan in found):
            raise GateFailed("the model gives nan: its weights are broken", where=self._where)
        return [token for token, _ in found]

    def _follow(self, turn: _Turn, logits: torch.Tensor, likeliest: Sequence[int]) -> list[int]:
        """Choose after each row for as long as the draft guessed right, which changes nothing in what is chosen."""
        answer, tokens = turn.answer, list[int]()
        plain = is_plain_greedy(answer.settings)
        breakers = self._breakers() if answer.settings.dry_multiplier else ()
        for row, best, guess in zip(logits, likeliest, [*turn.draft, None], strict=True):
            banned = self._stop_ids if len(answer.ids) < answer.earliest else ()
            if plain and best not in banned:
                token = best
            else:
                token = choose(row, answer.settings, answer.generator, answer.ids, breakers, banned)
            answer.ids.append(token)
            tokens.append(token)
            answer.left = 0 if token in self._stop_ids else answer.left - 1
            if token != guess or not answer.left:
                break
        answer.lookup.settle(len(turn.draft), len(tokens) - 1)
        answer.cache.keep(len(answer.ids) - 1)
        return tokens

    def _keep(self, answer: _Answer) -> None:
        if answer.session:
            self._sessions.put((answer.session, answer.adapter), answer.cache)
