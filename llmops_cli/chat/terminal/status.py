"""The line below everything: what answers, how full its context is, and whether all is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prompt_toolkit.utils import get_cwidth

from llmops_cli.chat.messages import Words
from llmops_cli.chat.session import Session
from llmops_cli.chat.terminal.drawing import cut
from llmops_cli.core.errors import InputError

Part = tuple[str, str]
"""A style class and a text."""
BETWEEN = " · "
PAUSE = 10
"""Times as long as counting took, until the next count."""


class Status:
    """Counts tokens of each text that is typed; of a very long one, only as often as it leaves time for keys."""

    def __init__(self, session: Session, words: Words) -> None:
        self._session, self._words = session, words
        self._counted: tuple[str, Part, Part] | None = None
        self._rests_until = 0.0

    def forget(self) -> None:
        """Count anew: the conversation has changed."""
        self._counted = None

    def line(self, draft: str, columns: int) -> list[Part]:
        """The parts that there is room for, the important ones first to stay."""
        _, long, short = self._tokens(draft)
        kept, model, template = (
            self._kept(),
            ("", model_name(self._session)),
            ("", self._session.template_name.partition(":")[0]),
        )
        for parts in ((model, template, long, kept), (model, long, kept), (long, kept), (short, kept), (short,)):
            shown = [part for part in parts if part[1]]
            if sum(get_cwidth(text) for _, text in shown) + len(BETWEEN) * (len(shown) - 1) <= columns:
                return joined(shown)
        return [(short[0], cut(short[1], columns))]

    def _kept(self) -> Part:
        conversation = self._session.conversation
        if conversation.read_only:
            return "class:warning", self._words("status.read_only")
        if conversation.unsaved:
            return "class:error", self._words("status.unsaved")
        return "", self._words("status.saved")

    def _tokens(self, draft: str) -> tuple[str, Part, Part]:
        start = time.monotonic()
        if self._counted is None or (self._counted[0] != draft and start >= self._rests_until):
            self._counted = (draft, *self._count(draft))
            self._rests_until = start + PAUSE * (time.monotonic() - start)
        return self._counted

    def _count(self, draft: str) -> tuple[Part, Part]:
        try:
            prepared = self._session.prepare(draft or None)
        except InputError:
            return ("class:error", self._words("status.too_long")), ("class:error", self._words("status.too_long"))
        used = f"{'~' if prepared.estimated else ''}{prepared.tokens:,}"
        if prepared.room is None or prepared.left is None:
            text = self._words("status.tokens_open", used=used)
            return ("", text), ("", text)
        values = {"used": used, "room": f"{prepared.room:,}", "left": f"{prepared.left:,}"}
        style = "class:warning" if prepared.dropped else ""
        return (style, self._words("status.tokens", **values)), (style, self._words("status.tokens_short", **values))


def model_name(session: Session) -> str:
    """The model, with its adapter."""
    model = session.model
    return f"{model.name} + {model.adapter}" if model.adapter else model.name


def joined(parts: Sequence[Part]) -> list[Part]:
    """Parts with something between them."""
    found: list[Part] = []
    for part in parts:
        found += [("", BETWEEN), part] if found else [part]
    return found
