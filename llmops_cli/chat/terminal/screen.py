"""The screen of a conversation: asks for a turn, shows the answer, carries out commands."""

from __future__ import annotations

import contextlib
import termios
from collections.abc import Callable, Iterator

from prompt_toolkit import print_formatted_text
from prompt_toolkit.formatted_text import AnyFormattedText, FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from llmops_cli.chat.asking import Reply
from llmops_cli.chat.messages import Words
from llmops_cli.chat.session import Session
from llmops_cli.chat.store import Store
from llmops_cli.chat.terminal.commands import AGAIN, carry_out
from llmops_cli.chat.terminal.completion import Commands
from llmops_cli.chat.terminal.drawing import cut, ranges, visible
from llmops_cli.chat.terminal.line import Line, Pastes, SaidBefore
from llmops_cli.chat.terminal.status import Status, model_name
from llmops_cli.chat.tree import Turn
from llmops_cli.core.errors import LlmopsError
from llmops_cli.core.interrupt import Interrupted

STYLE = Style.from_dict(
    {
        "prompt": "bold ansigreen",
        "path": "bold",
        "quiet": "ansibrightblack",
        "warning": "ansiyellow",
        "error": "ansired",
        "bottom-toolbar": "noreverse ansibrightblack",
        "bottom-toolbar.text": "",
    }
)
SHOWN = 4
"""Turns that are shown of a conversation that goes on."""
AGAIN_KEYS = ("r", "ㄱ")
"""What stands alone for `AGAIN` behind an answer that degenerates; the same key, with and without Hangul."""


class Screen:
    """What a writer sees and types.

    Args:
        session: does the work.
        store: the conversations of this workspace.
        words: the language.
        input, output: the terminal's, unless others are given.
    """

    def __init__(
        self, session: Session, store: Store, words: Words, input: Input | None = None, output: Output | None = None
    ) -> None:
        self.session, self.store, self.words = session, store, words
        self.is_over = False
        self._input = input
        self._pastes = Pastes(lambda number, length: words("pasted", number=number, characters=f"{length:,}"))
        self._status = Status(session, words)
        self._line = Line(
            self._pastes, SaidBefore(store.questions, self._pastes), Commands(self), self._toolbar, AGAIN, STYLE,
            input, output,
        )  # fmt: skip
        self._output = self._line.output
        self._dropped: tuple[int, ...] = ()
        self._is_degenerate = False

    @property
    def columns(self) -> int:
        """Width of the terminal."""
        return self._output.get_size().columns

    @property
    def model(self) -> str:
        """The model, with its adapter."""
        return model_name(self.session)

    def turn(self, place: str) -> Turn:
        """The turn of a number or a branch, by default the last one. Raises InputError when there is none."""
        tree = self.session.conversation.tree
        if place or tree.head is None:
            return tree[tree.find(place)]
        return tree[tree.head]

    def run(self) -> None:
        """Talk until the writer leaves. Raises Interrupted when SIGTERM ends an answer."""
        self._greet()
        while not self.is_over and (line := self._line.turn()) is not None:
            if line:
                self._take(line)
            self._save()
            self._status.forget()
        self.say(self.words("bye", id=self.session.conversation.id), "quiet")

    def say(self, text: str, style: str = "", end: str = "\n") -> None:
        """Show words of ours or of a text, harmless."""
        parts = FormattedText([(f"class:{style}" if style else "", visible(text))])
        print_formatted_text(parts, style=STYLE, output=self._output, end=end, flush=True)

    def say_all(self, lines: Iterator[str]) -> None:
        """Show lines."""
        for line in lines:
            self.say(line)

    def ask(self, message: str, default: str = "") -> str | None:
        """Ask for a text, beginning with `default`; None when the writer gives it up."""
        return self._line.text(message, default)

    def put_back(self, text: str) -> None:
        """Have a text in the line when it is asked for next."""
        self._line.put_back(text)

    def show_turn(self, turn: Turn) -> None:
        """Show a turn as it looked when it was said."""
        if turn.role == "user":
            self.say("› ", "prompt", end="")
        self.say(self.session.shown(turn.text))

    def stream(self, generate: Callable[[Callable[[str], None]], Reply]) -> None:
        """Show an answer as it comes, and what is to be said of it."""
        with self.answering():
            reply = generate(lambda piece: self.say(piece, end=""))
        self.say("\n" if reply.turn.made else "")
        self.judge(reply)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Keys that are pressed meanwhile are not shown; they wait for the next line."""
        try:
            terminal = self._input.fileno() if self._input else 0
            before = termios.tcgetattr(terminal)
        except (termios.error, OSError, NotImplementedError):  # no terminal
            yield
            return
        silent = [*before[:3], before[3] & ~termios.ECHO | termios.NOFLSH, *before[4:]]
        termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
        try:
            yield
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def judge(self, reply: Reply) -> None:
        """Say how an answer ended, what it did not see, and whether it is broken."""
        if reply.interrupted:
            self.say(self.words("stopped"), "quiet")
        elif reply.completion.finish_reason == "length":
            self.say(self.words("cut"), "quiet")
        dropped = tuple(turn.id for turn in reply.dropped)
        if dropped and dropped != self._dropped:
            self.say(self.words("dropped", turns=ranges(dropped), count=len(dropped)), "warning")
        self._dropped = dropped
        if reply.degenerate and not reply.interrupted:
            reasons = "; ".join(map(self._defect, reply.degenerate))
            self.say(self.words("degenerate", reasons=reasons), "warning")
            self._is_degenerate = True

    def _greet(self) -> None:
        conversation = self.session.conversation
        turns = len(conversation.tree.turns)
        values = {"id": conversation.id, "title": cut(conversation.title, 40), "turns": turns}
        self.say(self.words("resumed" if turns else "begun", **values), "quiet")
        if conversation.read_only:
            self.say(self.words("read_only", id=conversation.id), "warning")
        path = conversation.tree.path()
        if len(path) > SHOWN:
            self.say(self.words("resumed.earlier", count=len(path) - SHOWN), "quiet")
        for turn in path[-SHOWN:]:
            self.show_turn(turn)

    def _take(self, line: str) -> None:
        if self._is_degenerate and line in AGAIN_KEYS:
            line = AGAIN
        self._is_degenerate = False
        turns = len(self.session.conversation.tree.turns)
        try:
            if line.startswith("/"):
                carry_out(self, line)
            else:
                self.stream(lambda on_text: self.session.ask(line, on_text))
        except Interrupted:
            raise
        except LlmopsError as error:
            for problem in error.problems:
                self.say(self.words("error", problem=problem), "error")
            if not line.startswith("/") and len(self.session.conversation.tree.turns) == turns:
                self._line.put_back(line)
        except KeyboardInterrupt:
            self.say(self.words("gave_up"), "quiet")

    def _defect(self, found: str) -> str:
        part, mark, where = found.partition(": ")
        return self.words(f"defect.{part}") + mark + cut(where, 40)

    def _save(self) -> None:
        conversation = self.session.conversation
        was_unsaved = bool(conversation.unsaved)
        if conversation.save():
            if was_unsaved:
                self.say(self.words("saved_again"), "quiet")
        else:
            self.say(self.words("unsaved", why=conversation.unsaved), "warning")

    def _toolbar(self, draft: str, is_leaving: bool) -> AnyFormattedText:
        if is_leaving:
            return FormattedText([("class:warning", cut(self.words("status.leave"), self.columns))])
        return FormattedText(self._status.line("" if draft.startswith("/") else draft, self.columns))
