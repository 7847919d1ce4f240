"""What a model is sent of a conversation: the turns that still fit, and how full the context is."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate, chain

from llmops_cli.chat.frame import Frame
from llmops_cli.chat.input import spelt_tokens
from llmops_cli.chat.tree import Turn
from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Engine, Request
from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.prompts.template import Turn as Said
from llmops_cli.prompts.template import render

STEP = 0.25
"""Share of the room for turns by which they are dropped: what is left stays the same for many turns, and so does the
beginning that a key/value cache holds."""
TOKENS_OF_A_CHARACTER, TOKENS_OF_A_TURN = 0.8, 4
"""An estimate where only a server has the tokenizer: Korean novels have 0.64 (builtin) and 0.76 (Qwen2) tokens a
character."""
PROBE = "가"


@dataclass(frozen=True)
class Prepared:
    """A request as it would be sent, and how full the context is.

    `tokens` are those of the prompt, the answer that it goes on from among them: exactly those that are sent, unless
    they are `estimated`. `limit` are those of the context and `room` those of it that a prompt may have, None where
    only a server knows.
    """

    request: Request
    frame: Frame
    turns: Sequence[Said]
    tokens: int
    estimated: bool
    limit: int | None
    room: int | None
    dropped: Sequence[Turn]
    begun: Sequence[int] = ()
    """The tokens of the prompt that are the answer so far."""

    @property
    def left(self) -> int | None:
        """Tokens that still fit before the oldest turns are dropped."""
        return None if self.room is None else self.room - self.tokens


class Window:
    """The context of an engine, of which at most `limit` tokens are used and `reserve` kept free for an answer."""

    def __init__(self, engine: Engine, limit: int | None, reserve: int | None) -> None:
        self._engine, self._tokenizer = engine, engine.tokenizer
        self.limit = min(limit or sys.maxsize, engine.context_length)
        self._reserve = reserve
        self._length = lru_cache(maxsize=10_000)(self._tokens_of_text)

    def prepare(self, frame: Frame, path: Sequence[Turn], asked: Request, begun: Turn | None = None) -> Prepared:
        """The request for an answer to the last turn of a path, or for more of the answer that has `begun`.

        Turns that do not fit are left out, oldest first, a question and its answers together.

        Args:
            frame: what stands around the turns.
            path: from the first turn to the question.
            asked: settings, session and adapter of the request.
            begun: an answer to the question that is to go on.

        Raises:
            InputError: what is never left out does not fit; by how many tokens, and which part of it is largest.
        """
        frame = self._fitted(frame, path)
        *history, question = path
        exchanges = _exchanges(history)
        room = self.limit - min(self._reserve or asked.settings.max_tokens, self.limit // 2)
        left_out = self._left_out(frame, path, begun, room)
        while True:
            kept = [*chain(*exchanges[left_out:]), question]
            request = self._request(asked, frame, kept, begun)
            if (tokens := self._tokens(request)) <= room:
                break
            if left_out == len(exchanges):
                raise self._too_long(frame, question, begun, tokens, tokens - room)
            left_out += 1
        most = min(asked.settings.max_tokens, self.limit - tokens)
        return Prepared(
            replace(request, settings=asked.settings.model_copy(update={"max_tokens": most})),
            frame,
            frame.turns(kept),
            tokens,
            estimated=self._tokenizer is None,
            limit=None if self.limit == sys.maxsize else self.limit,
            room=None if self.limit == sys.maxsize else room,
            dropped=list(chain(*exchanges[:left_out])),
            begun=self._begun_tokens(frame, begun),
        )

    def count(self, turns: Sequence[Said]) -> int:
        """Tokens of turns with what the chat template writes around them."""
        return sum(self._length(turn["content"]) + self._tokens_around for turn in turns)

    def _fitted(self, frame: Frame, path: Sequence[Turn]) -> Frame:
        """The frame as this engine wants it."""
        special = self._tokenizer.special_tokens if self._tokenizer else ()
        tokens = spelt_tokens([*frame.texts(), *(turn.text for turn in path)], special)
        return replace(frame, has_system=self._has_system, special=tokens)

    @cached_property
    def _has_system(self) -> bool:
        """Whether the chat template has a place for a system prompt."""
        if self._tokenizer is None:
            return True
        turns = [{"role": "system", "content": PROBE}, {"role": "user", "content": "?"}]
        try:
            return PROBE in render(self._tokenizer.template, turns, eos_token=self._tokenizer.eos_token)
        except InputError:
            return False

    def _request(self, asked: Request, frame: Frame, path: Sequence[Turn], begun: Turn | None) -> Request:
        turns = frame.turns(path)
        if self._tokenizer is None:
            if begun:
                raise InputError("a server cannot go on with an answer, only a model in files", hint="/regen")
            return replace(asked, turns=turns)
        before = len(turns) - len(path)
        own = {place: self._own_tokens(turn, turns[place]["content"]) for place, turn in enumerate(path, before)}
        ids = encode_prompt(self._tokenizer, turns, {place: tokens for place, tokens in own.items() if tokens})
        return replace(asked, ids=[*ids, *self._begun_tokens(frame, begun)])

    def _begun_tokens(self, frame: Frame, begun: Turn | None) -> list[int]:
        if begun is None or self._tokenizer is None:
            return []
        text = frame.text(begun.text)
        return self._own_tokens(begun, text) or self._tokenizer.encode(text)

    def _own_tokens(self, turn: Turn, sent: str) -> list[int]:
        """The tokens in which the model wrote a turn, where what is sent is what they say."""
        if turn.made is None or self._tokenizer is None:
            return []
        ids = [token for token in turn.made.token_ids if token not in self._tokenizer.stop_ids]
        return ids if self._tokenizer.decode(ids) == sent else []

    def _left_out(self, frame: Frame, path: Sequence[Turn], begun: Turn | None, room: int) -> int:
        """How many exchanges to leave out, in steps, from the tokens of each turn."""
        empty = [replace(path[-1], text="")]
        around = self._request(Request(GenerationConfig()), replace(frame, note="", prompt=""), empty, None)
        free = room - self._tokens(around)
        lengths = {turn.id: self._length(text) for turn, text in zip(path, frame.contents(path), strict=True)}
        weights = [
            sum(lengths[turn.id] + self._tokens_around for turn in exchange) for exchange in _exchanges(path[:-1])
        ]
        rest = lengths[path[-1].id] + self._length(frame.text(frame.note)) + len(self._begun_tokens(frame, begun))
        overflow = sum(weights) + rest - free
        if overflow <= 0:
            return 0
        step = max(int(STEP * free), 1)
        wanted = math.ceil(overflow / step) * step
        return next((count for count, total in enumerate(accumulate(weights), 1) if total >= wanted), len(weights))

    @cached_property
    def _tokens_around(self) -> int:
        """Tokens that the chat template writes around a turn."""
        if self._tokenizer is None:
            return TOKENS_OF_A_TURN
        question, answer = ({"role": role, "content": PROBE} for role in ("user", "assistant"))
        more = len(encode_prompt(self._tokenizer, [question, answer, question]))
        return (more - len(encode_prompt(self._tokenizer, [question]))) // 2 - self._length(PROBE)

    def _tokens(self, request: Request) -> int:
        if self._tokenizer is None:
            return sum(self._length(turn["content"]) + TOKENS_OF_A_TURN for turn in request.turns)
        return len(request.ids)

    def _tokens_of_text(self, text: str) -> int:
        if self._tokenizer is None:
            return math.ceil(TOKENS_OF_A_CHARACTER * len(text))
        return len(self._tokenizer.encode(text))

    def _too_long(self, frame: Frame, question: Turn, begun: Turn | None, tokens: int, excess: int) -> InputError:
        parts = {
            "the system prompt": (frame.system, "/system"),
            "the memory": (frame.memory, "/memory"),
            "the note": (frame.note, "/note"),
            "the template's examples": ("".join(turn["content"] for turn in frame.examples), "/template"),
            "the last turn": (frame.prompt or question.text, "shorten it"),
            "the answer so far": (begun.text if begun else "", "/regen"),
        }
        sizes = {part: self._length(frame.text(text)) for part, (text, _) in parts.items()}
        largest = max(sizes, key=lambda part: sizes[part])
        what = f"the prompt has {tokens} tokens, {excess} too many; the largest part is {largest}: {sizes[largest]}"
        return InputError(what, hint=parts[largest][1])


def _exchanges(turns: Sequence[Turn]) -> list[list[Turn]]:
    """A question and its answers, each."""
    exchanges: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(turn)
    return exchanges
