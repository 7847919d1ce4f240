"""One question, one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llmops_cli.chat.config import ChatConfig
from llmops_cli.core.console import Reporter
from llmops_cli.core.workspace import runs_directory
from llmops_cli.inference.engine import Completion, Request, complete
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine

DEFAULT_MODEL = "builtin:tiny-ko"


@dataclass(frozen=True)
class ChatPlan:
    """A question that can be asked."""

    config: ChatConfig
    choice: EngineChoice


def newest_model() -> str:
    """The newest run of this workspace that has a finished model, else the builtin one."""
    results = [*runs_directory().glob("*/adapter"), *runs_directory().glob("*/model")]
    newest = max(results, key=lambda path: path.stat().st_mtime, default=None)
    return str(newest.parent) if newest else DEFAULT_MODEL


def plan(config: ChatConfig) -> ChatPlan:
    """Choose the engine. Raises as :func:`llmops_cli.inference.open.choose_engine`."""
    return ChatPlan(config, choose_engine(config))


def run(plan: ChatPlan, reporter: Reporter, on_text: Callable[[str], None] | None = None) -> Completion:
    """Ask; `on_text` receives the answer piece by piece. Raises as :func:`llmops_cli.inference.open.load_engine`."""
    with reporter.progress(f"loading {plan.config.model}", None):
        engine = load_engine(plan.choice, plan.config)
    request = Request(plan.config.generation, [{"role": "user", "content": plan.config.prompt}])
    return complete(engine, request, on_text)
