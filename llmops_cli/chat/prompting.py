"""From what a conversation is set to, to the request for its next answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.context import Prepared, Window
from llmops_cli.chat.frame import Frame
from llmops_cli.chat.model import Model, identity
from llmops_cli.chat.settings import settings_of
from llmops_cli.chat.state import State
from llmops_cli.chat.tree import Made, Turn
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Request
from llmops_cli.inference.open import EngineChoice
from llmops_cli.prompts.config import TEXT
from llmops_cli.prompts.library import find_template
from llmops_cli.prompts.prompt_template import PromptTemplate
from llmops_cli.prompts.template import Turn as Said

EXAMPLES = 0.25
"""Share of the context that few-shot examples may take."""

FURTHER = 8
"""Fewest tokens by which an answer goes on: after its last word the likeliest token mostly ends it again."""


@dataclass(frozen=True)
class Asked:
    """What is about to be answered, and what will be known of the answer."""

    prepared: Prepared
    made: Made


class Prompting:
    """Makes requests under one state; `choice` is the model, or the adapter beside it, that answers.

    Raises:
        InputError: from its methods, the state's template or its values are wrong, or what must be sent does not fit.
    """

    def __init__(
        self, state: State, choice: EngineChoice, model: Model, window: Window, config: ChatConfig, session: str
    ) -> None:
        self._state, self._choice, self._model, self._window = state, choice, model, window
        self._config, self._session = config, session

    @cached_property
    def template(self) -> PromptTemplate | None:
        """The prompt template, if there is one."""
        return find_template(self._state.template) if self._state.template else None

    @cached_property
    def opening(self) -> tuple[str, list[Said]]:
        """The template's system turn and examples."""
        if self.template is None:
            return "", []
        budget = int(EXAMPLES * self._window.limit)
        return self.template.opening(self._state.values, self._window.count, budget)

    @cached_property
    def settings(self) -> GenerationConfig:
        """How tokens are chosen."""
        return settings_of(self.template.generation if self.template else {}, self._state.settings)

    def check(self) -> None:
        """Raises InputError for what is wrong with the template, its values or its settings."""
        _ = self.opening, self.settings

    def ask(self, path: Sequence[Turn], seed: int | None = None, begun: Turn | None = None) -> Asked:
        """The request for an answer to the last turn of a path, or for more of one that has `begun`."""
        system, examples = self.opening
        state = self._state
        frame = Frame(
            system="\n\n".join(filter(None, (system, state.system))),
            memory=state.memory,
            examples=examples,
            note=state.note,
            prompt=self._prompt(path[-1], begun),
            names=state.names,
        )
        changes = {"seed": self.settings.seed if seed is None else seed}
        if begun:
            changes["min_tokens"] = max(self.settings.min_tokens, FURTHER)
        settings = self.settings.model_copy(update=changes)
        request = Request(settings, session=self._session, adapter=self._model.beside(self._choice))
        prepared = self._window.prepare(frame, path, request, begun)
        made = Made(
            *identity(self._choice.source),
            engine=self._choice.engine,
            template=self.template.identity if self.template else "",
            frame=prepared.frame.to_json(),
            settings=prepared.request.settings.model_dump(),
            prompt_tokens=prepared.tokens,
            dropped=tuple(turn.id for turn in prepared.dropped),
            continues=begun.id if begun else None,
        )
        return Asked(prepared, made)

    def _prompt(self, question: Turn, begun: Turn | None) -> str:
        """What the template makes of a question; an answer that goes on keeps what it was asked with."""
        if begun:
            return begun.made.frame.get("prompt", "") if begun.made else ""
        if self.template is None or not question.text.strip():
            return ""
        return self.template.render({**self._state.values, TEXT: question.text}).prompt
