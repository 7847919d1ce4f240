"""`llmops chat delete`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.chat.opening import open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, show, visible
from llmops_cli.core.console import ConsoleReporter, print_result
from llmops_cli.core.errors import InputError, MachineError

if TYPE_CHECKING:
    from llmops_cli.chat.store import Store

EXAMPLES = """Examples:

  llmops chat delete 3

  llmops chat delete 3 5 8 --yes
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(delete)


def delete(
    numbers: Annotated[list[int], typer.Argument(metavar="ID…", help="Conversations, as llmops chat list shows them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete conversations, with what was chosen in them, from the disk.

    Copies of the store (llmops chat backup) and exported files keep what is in them.
    """
    numbers = list(dict.fromkeys(numbers))
    with open_store() as store:
        if not yes and not _is_sure(store, numbers):
            show({"deleted": []}, as_json, lambda: print_result("nothing deleted"))
            return
        is_gone = store.delete(*numbers)
        for copy in store.copies():
            ConsoleReporter().warn(f"{copy}, a copy from before an update, keeps what it holds -> rm {copy}")
    show({"deleted": numbers}, as_json, lambda: print_result(f"deleted {counted(len(numbers), 'conversation')}"))
    if not is_gone:
        raise MachineError(
            "the text is still in the file: another program is reading it",
            where=f"{store.path}-wal",
            hint="close the other program, and it goes",
        )


def _is_sure(store: Store, numbers: Sequence[int]) -> bool:
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask", where="stdin", hint="add --yes")
    for number in numbers:
        found = store.read(number)
        ConsoleReporter().info(f"{number} {visible(found.title)}: {counted(len(found.tree.turns), 'turn')}")
    return typer.confirm("delete from the disk?", err=True)
