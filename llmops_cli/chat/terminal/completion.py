"""What Tab completes: names of commands, and what may stand behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from llmops_cli.chat.terminal.commands import COMMANDS, find

if TYPE_CHECKING:
    from llmops_cli.chat.terminal.screen import Screen


class Commands(Completer):
    """Completes a line that begins with `/`."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        """The words that what is typed may become."""
        typed = document.text_before_cursor
        if not typed.startswith("/") or "\n" in typed:
            return
        name, space, argument = typed.partition(" ")
        command = find(name)
        words = (
            command.choices(self._screen) if space and command else [] if space else [each.name for each in COMMANDS]
        )
        part = argument.rpartition(" ")[2] if space else name
        for word in words:
            if word.startswith(part):
                yield Completion(word, start_position=-len(part))
