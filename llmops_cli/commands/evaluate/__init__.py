"""`llmops eval`."""

from __future__ import annotations

import typer

from llmops_cli.commands.evaluate import blind, compare, metrics, run, score
from llmops_cli.commands.routing import positional_group


def register(app: typer.Typer) -> None:
    """Add the command and its subcommands."""
    group = positional_group(run.evaluate, run.EXAMPLES)
    for module in (score, compare, blind, metrics):
        module.register(group)
    app.add_typer(group, name="eval")
