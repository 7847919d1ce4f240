"""`llmops chat show`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.chat.opening import Number, open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, show, visible, visible_lines
from llmops_cli.core.console import print_result, print_rich

if TYPE_CHECKING:
    from llmops_cli.chat.conversation import Conversation
    from llmops_cli.chat.tree import Turn

EXAMPLES = """Examples:

  llmops chat show 3

  llmops chat show 3 --turn 14   shows another branch, the one through that turn

  llmops chat show 3 --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("show", epilog=EXAMPLES)(show_conversation)


def show_conversation(
    conversation: Number,
    turn: Annotated[
        int | None, typer.Option("--turn", metavar="TURN", help="Show the branch through this turn.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a conversation as far as its writer stands; with --json all of its turns."""
    with open_store() as store:
        found = store.read(conversation)
    tree = found.tree
    path = tree.path() if turn is None else tree.path(tree.leaf(tree[turn].id))
    show(_to_json(found, path), as_json, lambda: _show(found, path))


def _to_json(found: Conversation, path: list[Turn]) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "state": found.state.to_json(),
        "head": found.tree.head,
        "path": [turn.id for turn in path],
        "turns": [asdict(turn) for turn in found.tree.turns.values()],
    }


def _show(found: Conversation, path: list[Turn]) -> None:
    from rich.text import Text

    from llmops_cli.text.josa import substitute

    print_rich(Text(visible(found.title), "bold"))
    for turn in path:
        name = f" {visible(turn.name)}" if turn.name else ""
        text = visible_lines(substitute(turn.text, found.state.names))
        print_rich(Text(f"\n{turn.id} {turn.role}{name}", "dim"), Text(text, "cyan" if turn.role == "user" else ""))
    if elsewhere := len(found.tree.turns) - len(path):
        print_result(f"\n{counted(elsewhere, 'turn')} in other branches")
