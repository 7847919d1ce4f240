"""Text out of a stream of tokens: whole characters only, and stop sequences found across token borders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tokenizers.decoders import DecodeStream

from llmops_cli.core.errors import InputError
from llmops_cli.inference.engine import Event, Request, TakesAdapters, TokenEngine
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import Encoded, encode_prompt
from llmops_cli.text.normalize import nfc

if TYPE_CHECKING:
    import torch


class TextStream:
    """Collects tokens and gives out text as soon as it is certain.

    A quarter of the tokens of Korean text are parts of a character, so a token alone has no text; and the beginning
    of a stop sequence is held back until it is clear that the rest does not follow.
    """

    def __init__(self, tokenizer: ModelTokenizer, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._stop = [text for text in stop if text]
        self._held = ""
        self._ids: list[int] = []
        self.text = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Add a token; the text that became certain, possibly empty."""
        self._ids.append(token)
        self._held += self._decoder.step(self._tokenizer.backend, token) or ""
        found = [index for index in map(self._held.find, self._stop) if index >= 0]
        if found:
            self.stopped = True
            return self._give(min(found))
        return self._give(len(self._held) - self._longest_beginning_of_a_stop())

    def finish(self) -> str:
        """The rest of the text when generation ended; a character cut in the middle is dropped."""
        if self.stopped:
            return ""
        whole = self._tokenizer.decode(self._ids).rstrip("\ufffd")
        self._held = whole[len(self.text) :]
        return self._give(len(self._held))

    def _give(self, length: int) -> str:
        piece, self._held = self._held[:length], self._held[length:]
        self.text += piece
        return piece

    def _longest_beginning_of_a_stop(self) -> int:
        lengths = range(min(len(self._held), max(map(len, self._stop), default=0)), 0, -1)
        return next((n for n in lengths if any(stop.startswith(self._held[-n:]) for stop in self._stop)), 0)


class TextEngine:
    """An :class:`llmops_cli.inference.engine.Engine` over one that computes tokens."""

    def __init__(self, tokens: TokenEngine) -> None:
        self._tokens = tokens
        self.name, self.abilities, self.context_length = tokens.name, tokens.abilities, tokens.context_length
        self.tokenizer = tokens.tokenizer

    def open(self) -> TextBatch:
        return TextBatch(self._tokens)

    def prompt_tokens(self, request: Request) -> int:
        return len(prompt_ids(self.tokenizer, request))

    def add_adapter(self, name: str, files: ModelFiles) -> None:
        if not (self.abilities.adapters and isinstance(self._tokens, TakesAdapters)):
            raise InputError("this engine cannot switch adapters on what it has loaded", where=name)
        self._tokens.add_adapter(name, files)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return self._tokens.log_probabilities(records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        return self._tokens.logits(ids)


class TextBatch:
    """Requests as text over a batch of token ids."""

    def __init__(self, engine: TokenEngine) -> None:
        self._engine, self._tokens = engine, engine.open_tokens()
        self._streams: dict[int, tuple[TextStream, Request, int]] = {}

    def add(self, request: Request) -> int:
        ids = prompt_ids(self._engine.tokenizer, request)
        if len(ids) >= self._engine.context_length:
            what = f"the prompt has {len(ids)} tokens, the model's context {self._engine.context_length}"
            raise InputError(what, hint="shorten it")
        number = self._tokens.add(ids, request.settings, request.session, request.adapter)
        most = min(request.settings.max_tokens, self._engine.context_length - len(ids))
        self._streams[number] = TextStream(self._engine.tokenizer, request.settings.stop), request, most
        return number

    def step(self) -> list[Event]:
        events = []
        for number, token in self._tokens.step():
            if number in self._streams:
                events.append(self._event(number, token))
        return events

    def drop(self, number: int) -> None:
        self._streams.pop(number, None)
        self._tokens.drop(number)

    def _event(self, number: int, token: int) -> Event:
        text, request, left = self._streams[number]
        self._streams[number] = text, request, left - 1
        if token in self._engine.tokenizer.stop_ids:
            del self._streams[number]
            return Event(number, text.finish(), (token,), "stop")
        piece = text.push(token)
        if text.stopped:
            self.drop(number)
            return Event(number, piece, (token,), "stop")
        if left == 1:
            del self._streams[number]
            return Event(number, piece + text.finish(), (token,), "length")
        return Event(number, piece, (token,))


def prompt_ids(tokenizer: ModelTokenizer, request: Request) -> list[int]:
    """The token ids of a request's prompt."""
    if request.ids:
        return list(request.ids)
    if request.text is not None:
        return tokenizer.encode(nfc(request.text))
    return encode_prompt(tokenizer, [{**turn, "content": nfc(turn["content"])} for turn in request.turns])
