"""The line that the writer types into: Hangul, several lines, large pastes, what was said before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import BaseStyle

from llmops_cli.chat.input import clean

LONG = 10_000
"""Characters of a text that stands in the line as a label: more would make every key slow."""

REFRESH = 0.5
"""Seconds after which the status line catches up with a long text."""


class Pastes:
    """Long texts of which the line shows a label only.

    Args:
        label: says what stands for a text: its number and its length.
    """

    def __init__(self, label: Callable[[int, int], str]) -> None:
        self._label = label
        self._texts: dict[str, str] = {}

    def collapsed(self, text: str) -> str:
        """The label of a long text, or the text as it is."""
        if len(text) <= LONG:
            return text
        label = self._label(len(self._texts) + 1, len(text))
        self._texts[label] = text
        return label

    def whole(self, line: str) -> str:
        """The line with the texts that its labels stand for."""
        for label, text in self._texts.items():
            line = line.replace(label, text)
        return line

    def ending(self, line: str) -> str:
        """The label at the end of `line`, or ""."""
        return next((label for label in self._texts if line.endswith(label)), "")


class SaidBefore(History):
    """What the writer said in this workspace, newest first; `texts` reads it when it is first wanted."""

    def __init__(self, texts: Callable[[], Iterable[str]], pastes: Pastes) -> None:
        super().__init__()
        self._texts, self._pastes = texts, pastes

    def load_history_strings(self) -> Iterable[str]:
        return (self._pastes.collapsed(text) for text in self._texts())

    def store_string(self, string: str) -> None:
        """Turns are in the store already."""


class Line:
    """Asks for turns and commands, and for a text in between.

    Args:
        pastes: stands for long texts.
        history: of arrow up.
        completer: of Tab.
        toolbar: the status line, from what is typed and whether Ctrl-C would leave.
        again: what Ctrl-R is short for.
    """

    def __init__(
        self,
        pastes: Pastes,
        history: History,
        completer: Completer,
        toolbar: Callable[[str, bool], AnyFormattedText],
        again: str,
        style: BaseStyle,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._pastes, self._toolbar, self._again = pastes, toolbar, again
        self._is_leaving = False
        self._draft = ""
        shared: dict[str, Any] = {
            "multiline": True, "style": style, "input": input, "output": output, "prompt_continuation": "  ",
            "bottom_toolbar": self._status, "reserve_space_for_menu": 0, "refresh_interval": REFRESH,
        }  # fmt: skip
        self._turns: PromptSession[str] = PromptSession(
            history=history,
            completer=completer,
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            enable_history_search=False,
            key_bindings=self._bindings(of_turns=True),
            **shared,
        )
        self._texts: PromptSession[str] = PromptSession(key_bindings=self._bindings(of_turns=False), **shared)
        self._turns.default_buffer.on_text_changed += lambda _: self._stay()

    @property
    def output(self) -> Output:
        """Where it is drawn."""
        return self._turns.output

    def put_back(self, text: str) -> None:
        """Have a text in the line when it is asked for next."""
        self._draft = text

    def turn(self) -> str | None:
        """The next turn or command; None when the writer leaves."""
        draft, self._draft = self._draft, ""
        self._stay()
        try:
            return self._read(self._turns, "› ", draft)
        except KeyboardInterrupt:  # sent by another program, not typed
            return ""
        except EOFError:
            return None

    def text(self, message: str, default: str = "") -> str | None:
        """Any text, beginning with `default`; None when the writer gives it up."""
        try:
            return self._read(self._texts, message, default)
        except (KeyboardInterrupt, EOFError):
            return None

    def _read(self, session: PromptSession[str], message: str, default: str) -> str:
        line = session.prompt([("class:prompt", message)], default=self._pastes.collapsed(default))
        return clean(self._pastes.whole(line)).strip()

    def _status(self) -> AnyFormattedText:
        text = self._turns.default_buffer.text if self._turns.app.is_running else ""
        return self._toolbar(self._pastes.whole(text), self._is_leaving)

    def _stay(self) -> None:
        self._is_leaving = False

    def _bindings(self, *, of_turns: bool) -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.validate_and_handle()

        @bindings.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @bindings.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text(self._pastes.collapsed(clean(event.data)))

        def label() -> str:
            session = self._turns if of_turns else self._texts
            return self._pastes.ending(session.default_buffer.document.text_before_cursor)

        @bindings.add("backspace", filter=Condition(lambda: bool(label())))
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.delete_before_cursor(len(label()))

        if of_turns:

            @bindings.add("c-c")
            def _(event: KeyPressEvent) -> None:
                if self._is_leaving:
                    event.app.exit(exception=EOFError)
                event.current_buffer.reset()
                self._is_leaving = True

            @bindings.add("c-r")
            def _(event: KeyPressEvent) -> None:
                self._draft = self._pastes.whole(event.current_buffer.text)
                event.current_buffer.reset()
                event.app.exit(result=self._again)

        return bindings
