"""`llmops chat backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops_cli.commands.chat.opening import open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, show, size
from llmops_cli.core.console import print_result

EXAMPLES = """Examples:

  llmops chat backup ~/backups/chats-2026-11.db

  rm -f chats.db-* && cp ~/backups/chats-2026-11.db chats.db   brings it back, while no chat is open
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(backup)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; one that exists is not overwritten.")],
    as_json: Json = False,
) -> None:
    """Copy all conversations into one file, also while somebody writes."""
    with open_store() as store:
        store.backup(file)
        count = len(store.summaries())
    bytes_ = file.stat().st_size
    text = f"{file}: {counted(count, 'conversation')}, {size(bytes_)}"
    show({"written": str(file), "conversations": count, "bytes": bytes_}, as_json, lambda: print_result(text))
