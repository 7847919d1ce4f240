"""One question, one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llmops_cli.chat.config import ChatConfig
from llmops_cli.core.console import Reporter
from llmops_cli.core.workspace import runs_directory
from llmops_cli.inference.engine import Completion, answer
from llmops_cli.inference.open import open_engine
from llmops_cli.models.resolve import ModelFiles, resolve_model
from llmops_cli.text.normalize import nfc

DEFAULT_MODEL = "builtin:tiny-ko"


@dataclass(frozen=True)
class ChatPlan:
    """A question that can be asked."""

    config: ChatConfig
    files: ModelFiles


def newest_model() -> str:
    """The newest run of this workspace that has a finished model, else the builtin one."""
    results = [*runs_directory().glob("*/adapter"), *runs_directory().glob("*/model")]
    newest = max(results, key=lambda path: path.stat().st_mtime, default=None)
    return str(newest.parent) if newest else DEFAULT_MODEL


def plan(config: ChatConfig) -> ChatPlan:
    """Find the model. Raises as :func:`llmops_cli.models.resolve.resolve_model`."""
    return ChatPlan(config, resolve_model(config.model))


def run(plan: ChatPlan, reporter: Reporter, on_text: Callable[[str], None] | None = None) -> Completion:
    """Ask; `on_text` receives the answer piece by piece. Raises as :func:`llmops_cli.inference.open.open_engine`."""
    with reporter.progress(f"loading {plan.config.model}", None):
        engine = open_engine(plan.config.model, plan.config.device)
    turns = [{"role": "user", "content": nfc(plan.config.prompt)}]
    return answer(engine, turns, plan.config.generation, on_text)
