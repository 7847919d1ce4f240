"""Characters by their names: codes such as C001 in what is kept, names in what a model and a reader see."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from llmops_cli.core.errors import InputError
from llmops_cli.text.josa import substitute

LAST_WORD = re.compile(r"\S*$")


def renamed(names: Mapping[str, str], code: str, name: str) -> dict[str, str]:
    """Names of characters with one more, or with "" without it.

    Raises:
        InputError: the code is not one word.
    """
    if len(code.split()) != 1:
        raise InputError(f"a code is one word, got {code!r}", hint="/names C001 지우")
    others = {known: called for known, called in names.items() if known != code.strip()}
    return {**others, code.strip(): " ".join(name.split())} if name.strip() else others


class NamedStream:
    """Hands on a growing text with names in the place of codes.

    A word in which a code stands, or may begin, is held back until it is whole: the josa behind the code takes its
    form from the name.
    """

    def __init__(self, names: Mapping[str, str], on_text: Callable[[str], None]) -> None:
        self._names, self._on_text = names, on_text
        self._text = ""
        self._given = 0

    def push(self, piece: str) -> None:
        """Add text."""
        self._text += piece
        word = LAST_WORD.search(self._text)
        assert word is not None
        self._give(self._text[: word.start()] if self._may_change(word.group()) else self._text)

    def finish(self) -> None:
        """Hand on what was held back."""
        self._give(self._text)

    def _give(self, text: str) -> None:
        named = substitute(text, self._names)
        if piece := named[self._given :]:
            self._given = len(named)
            self._on_text(piece)

    def _may_change(self, word: str) -> bool:
        beginnings = (code[:length] for code in self._names for length in range(1, len(code)))
        return any(code in word for code in self._names) or word.endswith(tuple(beginnings))
