"""One question, one answer; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.context import Window
from llmops_cli.chat.frame import Frame
from llmops_cli.chat.input import clean, read_text
from llmops_cli.chat.tree import Turn
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Completion, Request, complete
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine
from llmops_cli.prompts.config import TEXT
from llmops_cli.prompts.library import find_template


@dataclass(frozen=True)
class ChatPlan:
    """A question that can be asked."""

    config: ChatConfig
    choice: EngineChoice
    frame: Frame
    settings: GenerationConfig


def plan(config: ChatConfig) -> ChatPlan:
    """Choose the engine and make the prompt. A template's settings lie under those of the configuration.

    Raises:
        InputError, MachineError: as :func:`llmops_cli.inference.open.choose_engine`, :func:`read_text` and
            :func:`find_template`; there is no question.
    """
    if config.prompt is None:
        raise InputError("is missing", where="prompt", hint="prompt: '안녕?'")
    frame, settings = Frame(system=read_text(config.system)), config.generation
    if config.template:
        template = find_template(config.template)
        rendered = template.render({**config.values, TEXT: config.prompt})
        system = "\n\n".join(filter(None, (rendered.system, frame.system)))
        frame = Frame(system=system, examples=rendered.turns, prompt=rendered.prompt)
        named = config.generation.model_dump(include=set(config.generation.model_fields_set))
        settings = template.settings(GenerationConfig).model_copy(update=named)
    return ChatPlan(config, choose_engine(config), frame, settings)


def run(plan: ChatPlan, reporter: Reporter, on_text: Callable[[str], None] | None = None) -> Completion:
    """Ask; `on_text` receives the answer piece by piece. Raises as :func:`llmops_cli.inference.open.load_engine`."""
    config = plan.config
    with reporter.progress(f"loading {config.model}", None):
        engine = load_engine(plan.choice, config)
    question = Turn(1, None, "user", clean(config.prompt or ""), "")
    prepared = Window(engine, config.context, config.reserve or 1).prepare(
        plan.frame, [question], Request(plan.settings)
    )
    return complete(engine, prepared.request, on_text)
