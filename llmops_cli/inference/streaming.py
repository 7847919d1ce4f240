"""Text out of a stream of tokens: whole characters only, and stop sequences found across token borders."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers.decoders import DecodeStream

from llmops_cli.models.tokenizer import ModelTokenizer


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
