"""`llmops prompts show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from llmops_cli.commands.options import Json, TemplateName
from llmops_cli.commands.prompts.list import to_json
from llmops_cli.commands.show import counted, show, show_pairs, visible
from llmops_cli.core.console import print_result, print_table

if TYPE_CHECKING:
    from llmops_cli.prompts.prompt_template import PromptTemplate

EXAMPLES = """Examples:

  llmops prompts show scene

  llmops prompts show prompts/letter.yaml --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("show", epilog=EXAMPLES)(show_template)


def show_template(name: TemplateName, as_json: Json = False) -> None:
    """Say what a template takes, what it makes of it, and with which settings."""
    from llmops_cli.prompts.library import find_template

    template = find_template(name)
    shown = template.config.model_dump(exclude_none=True) | to_json(template) | {"sha256": template.sha256}
    show(shown, as_json, lambda: _print(template))


def _print(template: PromptTemplate) -> None:
    from llmops_cli.prompts.values import describe

    config = template.config
    settings = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in config.generation.items())
    pairs = {
        "for": config.about.here(),
        "file": str(template.path),
        "sha256": template.sha256,
        "examples": f"{counted(len(config.examples), 'turn')} with an answer" if config.examples else "none",
        "generation": settings or "as everywhere",
    }
    show_pairs(template.identity, {key: visible(value) for key, value in pairs.items()})
    rows = [
        [name, describe(value), _as_text(value.default), visible(value.about.here())]
        for name, value in template.variables.items()
    ]
    print_table("variables", ["name", "takes", "default", "what"], rows)
    for role, body in (("system", config.system), ("user", config.prompt)):
        print_result(f"\n[{role}]\n{body.strip()}")


def _as_text(default: object) -> str:
    if default is None:
        return "has to be given"
    return default if isinstance(default, str) and default else json.dumps(default, ensure_ascii=False)
