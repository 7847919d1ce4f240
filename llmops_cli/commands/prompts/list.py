"""`llmops prompts list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import show, visible
from llmops_cli.core.console import print_table
from llmops_cli.core.errors import Collector, raise_problems

if TYPE_CHECKING:
    from llmops_cli.prompts.prompt_template import PromptTemplate

EXAMPLES = """Examples:

  llmops prompts list

  llmops prompts list --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("list", epilog=EXAMPLES)(list_templates)


def list_templates(as_json: Json = False) -> None:
    """List the prompt templates: those in prompts/, and those shipped."""
    from llmops_cli.prompts.library import template_paths
    from llmops_cli.prompts.prompt_template import load_template

    collect = Collector()
    loaded = (collect.attempt(load_template, path) for path in template_paths().values())
    templates = [template for template in loaded if template is not None]
    show([to_json(template) for template in templates], as_json, lambda: _table(templates))
    raise_problems(collect.problems)


def to_json(template: PromptTemplate) -> dict[str, Any]:
    """What a template is, as plain data."""
    from llmops_cli.prompts.library import is_shipped

    return {
        "name": template.name,
        "version": template.config.version,
        "identity": template.identity,
        "about": template.config.about.model_dump(),
        "variables": {name: value.model_dump(exclude_none=True) for name, value in template.variables.items()},
        "path": str(template.path),
        "shipped": is_shipped(template),
    }


def _table(templates: list[PromptTemplate]) -> None:
    from llmops_cli.prompts.library import is_shipped

    rows = [
        [
            visible(template.name),
            str(template.config.version),
            visible(template.config.about.here()),
            "shipped" if is_shipped(template) else visible(str(template.path)),
        ]
        for template in templates
    ]
    print_table("", ["name", "version", "for", "from"], rows)
