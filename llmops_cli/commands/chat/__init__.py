"""`llmops chat`."""

from __future__ import annotations

import typer

from llmops_cli.commands.chat import backup, delete, export, list, search, show, talk
from llmops_cli.commands.routing import positional_group


def register(app: typer.Typer) -> None:
    """Add the command and its subcommands."""
    group = positional_group(talk.talk, talk.EPILOG)
    for module in (list, show, search, export, backup, delete):
        module.register(group)
    app.add_typer(group, name="chat")
