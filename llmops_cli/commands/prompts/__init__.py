"""`llmops prompts`."""

from __future__ import annotations

import typer

from llmops_cli.commands.prompts import list, render, show, test

EXAMPLES = """Examples:

  llmops prompts list

  llmops prompts show scene

  llmops prompts render dialogue '저녁값을 누가 낼지' --var first=서윤 --var second=할머니

  llmops prompts test

Templates of your own are prompts/NAME.yaml; one of these stands in for a shipped one of its name.
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="Prompt templates: list, show, render and test them.",
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=EXAMPLES,
    )
    for module in (list, show, render, test):
        module.register(group)
    app.add_typer(group, name="prompts")
