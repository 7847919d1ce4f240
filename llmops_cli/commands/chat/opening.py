"""The store of this workspace, for commands that look into it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.core.console import ConsoleReporter
from llmops_cli.core.errors import InputError

if TYPE_CHECKING:
    from llmops_cli.chat.store import Store

Number = Annotated[int, typer.Argument(metavar="ID", help="A conversation, as llmops chat list shows it.")]


@contextlib.contextmanager
def open_store() -> Iterator[Store]:
    """The conversations of this workspace. Raises InputError when there are none."""
    from llmops_cli.chat.store import FILE, Store

    if not Path(FILE).exists():
        raise InputError("no conversations here", where=FILE, hint="llmops chat begins one")
    with Store() as store:
        if store.migrated:
            ConsoleReporter().info(f"{FILE} is of today's version now; {store.migrated} is the copy from before")
        yield store
