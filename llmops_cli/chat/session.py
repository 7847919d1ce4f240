"""What a writer does in a conversation, whatever it is done with: a screen, a pipe, a test."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmops_cli.chat.asking import Answer, OnText, Reply, answer_all
from llmops_cli.chat.choosing import Pair, Variant, keep_choice, keep_opinion
from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.context import Prepared, Window
from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.input import clean, filled, read_text
from llmops_cli.chat.model import Model
from llmops_cli.chat.naming import renamed
from llmops_cli.chat.prompting import Asked, Prompting
from llmops_cli.chat.settings import known_setting, parse_setting
from llmops_cli.chat.state import State
from llmops_cli.chat.tracing import statistics, trace
from llmops_cli.chat.tree import Tree, Turn
from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.open import EngineChoice
from llmops_cli.text.josa import substitute

AS_SET = Variant()
TITLE = 40
"""Characters of a conversation's title, which is the beginning of its first question."""


def _silent(text: str) -> None:
    """For answers that nobody watches."""


class Session:
    """A conversation and the model that answers in it. Every change is kept as it is made.

    Raises:
        InputError: from every method, what is wrong with what was asked; nothing has changed then.
    """

    def __init__(self, conversation: Conversation, model: Model, config: ChatConfig) -> None:
        self.conversation, self.model = conversation, model
        self._config = config
        self._window = Window(model.engine, config.context, config.reserve)
        self._prompting = self._prompting_for(conversation.state)

    @property
    def state(self) -> State:
        """What the conversation is set to."""
        return self.conversation.state

    @property
    def template_name(self) -> str:
        """The prompt template, or ""."""
        return self.state.template

    @property
    def settings(self) -> GenerationConfig:
        """How tokens are chosen."""
        return self._prompting.settings

    def shown(self, text: str) -> str:
        """A text as a reader sees it: names in the place of codes."""
        return substitute(text, self.state.names)

    def ask(self, text: str, on_text: OnText = _silent) -> Reply:
        """Say something and have it answered, piece by piece.

        It follows the answer where the writer stands. A question there that has no answer, or is not to have its own,
        gets a sibling.

        Raises:
            InputError: it does not fit into the context.
            GateFailed, MachineError: from the engine; what it had answered is kept.
        """
        path = self._next(filled(text))
        asked = self._prompting.ask(path)
        return self._answer(self._add(path[-1]), asked, on_text)

    def regen(self, on_text: OnText = _silent) -> Reply:
        """Answer the last question again with a new seed; an answer that was continued is continued again."""
        last = self._tree.last()
        begun = self._tree[last.made.continues] if last.made and last.made.continues else None
        return self._again(begun, on_text)

    def go_on(self, on_text: OnText = _silent) -> Reply:
        """Have the last answer go on where it ends. The longer one stands beside it."""
        begun = self._tree.last()
        if begun.role != "assistant":
            raise InputError("there is no answer to go on with", hint="/regen")
        return self._again(begun, on_text)

    def edit(self, turn: int | None, text: str) -> Turn:
        """Put a text in the place of a turn, the last one by default; what was there stays beside it.

        A question that was edited has no answer yet: :meth:`regen` gives it one.
        """
        old, text = self._turn(turn), filled(text)
        made = replace(old.made, token_ids=(), continues=None, edited=True) if old.made else None
        return self._named(self.conversation.add(old.role, text, old.parent, made))

    def undo(self) -> Turn:
        """Go back to before the last question, or to before an answer was continued; the turn that was taken back."""
        last = self._tree.last()
        if last.made and last.made.continues:
            self.conversation.go(last.made.continues)
            return last
        question = self._tree.last_question()
        self.conversation.go(question.parent)
        return question

    def branch(self, name: str) -> None:
        """Name the branch that begins with the next turn."""
        name = clean(name).strip()
        if not name or name.isdigit() or len(name.split()) > 1:
            raise InputError(f"a branch's name is one word and no number, got {name!r}", hint="/branch NAME")
        if any(turn.name == name for turn in self._tree.turns.values()):
            raise InputError(f"a branch is called {name!r} already", hint=f"/goto {name}")
        self.conversation.set(branch=name)

    def goto(self, place: str) -> Turn:
        """Stand at the turn of a number, or at the end of a branch by its name."""
        turn = self._tree.find(place.strip())
        self.conversation.go(turn if place.strip().isdigit() else self._tree.leaf(turn))
        self._set(branch="")
        return self._tree.last()

    def set(self, key: str, value: Any) -> tuple[Any, Any]:
        """Change a setting of generation, or with None go back to what it is without the writer; old and new value."""
        old = getattr(self.settings, known_setting(key))
        settings = {name: kept for name, kept in self.state.settings.items() if name != key}
        self._set(settings=settings if value is None else {**settings, key: parse_setting(key, value)})
        return old, getattr(self.settings, key)

    def note(self, text: str) -> None:
        """Set the author's note, which stands near the end of what the model sees."""
        self._set(note=clean(text).strip())

    def memory(self, text: str) -> None:
        """Set the memory, which stands at the beginning of what the model sees."""
        self._set(memory=clean(text).strip())

    def system(self, text: str) -> None:
        """Set the system prompt to a text or to that of a file."""
        self._set(system=read_text(text).strip())

    def names(self, code: str, name: str) -> None:
        """Call a character by its name wherever its code stands, for the model and for the reader; "" forgets it.

        What is kept has the code, so that the character can be called otherwise later.
        """
        self._set(names=renamed(self.state.names, clean(code), clean(name)))

    def template(self, name: str, values: Mapping[str, Any] | None = None) -> None:
        """Write with a prompt template, or without one: "".

        Raises:
            InputError: there is none of that name, or a value is missing, unknown or wrong.
        """
        chosen: dict[str, Any] = {"template": name, "values": dict(values or {})}
        self._prompting_for(replace(self.state, **chosen)).check()
        self._set(**chosen)

    def switch(self, name: str) -> bool:
        """Have another model or adapter answer; whether its weights had to be loaded.

        Raises:
            InputError, MachineError: it cannot be used; the one before goes on answering.
        """
        is_new = self.model.switch(name)
        if is_new:
            self._window = Window(self.model.engine, self._config.context, self._config.reserve)
        self._set(model=self.model.name, adapter=self.model.adapter)
        return is_new

    def prepare(self, text: str | None = None) -> Prepared:
        """What would be sent with a text, or with nothing typed yet."""
        path = self._tree.path()
        waits = text is None and path and path[-1].role == "user"
        return self._prompting.ask(path if waits else self._next(clean(text or ""))).prepared

    def ab(
        self,
        other: Variant,
        text: str | None = None,
        on_text: Callable[[int, str], None] = lambda place, piece: None,
        one: Variant = AS_SET,
    ) -> Pair:
        """Have a question, or the last one again, answered twice: as `one` and as `other` variant of what is set.

        Which of them is first is left to chance. `on_text` receives the place, 0 or 1, before each piece.

        Raises:
            InputError: also for a variant's model that is no adapter of the one that is loaded.
        """
        path = self._tree.path(self._tree.last_question().id) if text is None else self._next(filled(text))
        seeds = self._seeds(path[-1])
        # two requests of one session at a time would leave one of them without what is computed
        sessions = ("", "-other" if self.model.engine.abilities.batch else "")
        promptings = [self._varied(*each) for each in zip((one, other), sessions, strict=True)]
        asked = [
            prompting.ask(path, None if "seed" in variant.settings else next(seeds))
            for prompting, variant in zip(promptings, (one, other), strict=True)
        ]
        question = path[-1] if text is None else self._add(path[-1])
        order = random.sample((0, 1), 2)
        answers = [
            Answer(self.conversation, question, asked[which], functools.partial(on_text, place))
            for place, which in enumerate(order)
        ]
        replies = answer_all(self.model.engine, answers)
        self.conversation.go(replies[0].turn.id)
        return Pair(question, replies, order.index(1))

    def choose(self, pair: Pair, which: int, reason: str = "") -> Turn:
        """Keep which of two answers, 0 or 1, is better, and go on from it."""
        return keep_choice(self.conversation, pair, which, clean(reason).strip())

    def good(self, reason: str = "", turn: int | None = None) -> None:
        """Keep that an answer, the last one by default, is good."""
        keep_opinion(self.conversation, self._turn(turn), "good", clean(reason).strip())

    def bad(self, reason: str = "", turn: int | None = None) -> None:
        """Keep that an answer, the last one by default, is bad."""
        keep_opinion(self.conversation, self._turn(turn), "bad", clean(reason).strip())

    def why(self, turn: int | None = None) -> dict[str, Any]:
        """How an answer, the last one by default, came about; see :func:`llmops_cli.chat.tracing.trace`."""
        return trace(self._tree, self._turn(turn))

    def stats(self) -> dict[str, Any]:
        """What was written so far, in numbers; see :func:`llmops_cli.chat.tracing.statistics`."""
        return statistics(self.conversation)

    @property
    def _tree(self) -> Tree:
        return self.conversation.tree

    def _again(self, begun: Turn | None, on_text: OnText) -> Reply:
        question = self._tree.last_question()
        asked = self._prompting.ask(self._tree.path(question.id), next(self._seeds(question)), begun)
        return self._answer(question, asked, on_text, begun)

    def _answer(self, question: Turn, asked: Asked, on_text: OnText, begun: Turn | None = None) -> Reply:
        (reply,) = answer_all(self.model.engine, [Answer(self.conversation, question, asked, on_text, begun)])
        if reply.turn.id not in (question.id, begun and begun.id):
            self._named(reply.turn)
        return reply

    def _named(self, turn: Turn) -> Turn:
        """Give a turn the name of the branch that begins with it."""
        if name := self.state.branch:
            self.conversation.name(turn.id, name)
            self._set(branch="")
        return self._tree[turn.id]

    def _add(self, question: Turn) -> Turn:
        if not self.conversation.title:
            self.conversation.rename(question.text.split("\n")[0][:TITLE].strip())
        return self._named(self.conversation.add("user", question.text, question.parent))

    def _next(self, text: str) -> list[Turn]:
        """The path to a question that is not kept yet, and has no number."""
        before = self._tree.before_next()
        return [*before, Turn(0, before[-1].id if before else None, "user", text, "")]

    def _turn(self, turn: int | None) -> Turn:
        return self._tree.last() if turn is None else self._tree[turn]

    def _seeds(self, question: Turn) -> Iterator[int]:
        """Seeds that no answer to a question has, from the one that is set on."""
        answers = self._tree.children(question.id)
        used = {answer.made.settings.get("seed") for answer in answers if answer.made}
        return (seed for seed in itertools.count(self.settings.seed) if seed not in used)

    def _set(self, **changes: Any) -> None:
        self.conversation.set(**changes)
        self._prompting = self._prompting_for(self.state)

    def _prompting_for(self, state: State, choice: EngineChoice | None = None, session: str = "") -> Prompting:
        session = f"chat-{self.conversation.id}{session}"
        return Prompting(state, choice or self.model.choice, self.model, self._window, self._config, session)

    def _varied(self, other: Variant, session: str) -> Prompting:
        changed = {key: parse_setting(key, value) for key, value in other.settings.items()}
        state = replace(self.state, settings={**self.state.settings, **changed})
        if other.template is not None:
            state = replace(state, template=other.template, values=dict(other.values))
        choice = self.model.choose(other.model) if other.model else self.model.choice
        if not self.model.shares_weights(choice):
            what = f"{other.model} is no adapter of {self.model.name}: two answers come from one base"
            raise InputError(what, hint=f"/model {other.model}")
        self.model.add(choice)
        return self._prompting_for(state, choice, session)
