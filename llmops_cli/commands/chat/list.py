"""`llmops chat list`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llmops_cli.commands.chat.opening import open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import number, show, visible
from llmops_cli.core.console import print_result, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmops_cli.chat.store import Summary

EXAMPLES = """Examples:

  llmops chat list

  llmops chat list --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("list", epilog=EXAMPLES)(list_conversations)


def list_conversations(as_json: Json = False) -> None:
    """List the conversations of this folder, the newest first."""
    from llmops_cli.chat.store import FILE

    found: Sequence[Summary] = []
    if Path(FILE).exists():
        with open_store() as store:
            found = store.summaries()
    show([asdict(each) for each in found], as_json, lambda: _show_list(found))


def _show_list(found: Sequence[Summary]) -> None:
    if not found:
        print_result("no conversations here: llmops chat begins one")
        return
    rows = [[str(each.id), visible(each.title), number(each.turns), _time(each.updated), each.model] for each in found]
    print_table("", ["id", "title", "turns", "changed", "model"], rows)


def _time(stamp: str) -> str:
    return stamp[:16].replace("T", " ")
