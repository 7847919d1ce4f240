"""`llmops chat export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.chat.opening import open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, show
from llmops_cli.core.console import print_piece, print_result
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import atomic_binary_writer

if TYPE_CHECKING:
    from llmops_cli.chat.store import Store

EXAMPLES = """Examples:

  llmops chat export 3 -o story.docx

  llmops chat export 3 --to txt | less

  llmops chat export --all -o chats.jsonl   rows for llmops data validate and llmops train

  llmops chat export --preferences -o preferences.jsonl
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(export)


def export(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID… [FILE]", help="Conversations, as llmops chat list shows them; a file as after -o."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Export every conversation.")] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="md|txt|jsonl|docx", help="By default as the file is called.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write; by default stdout.")
    ] = None,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", help="Every branch, not only the one where the writer stands.")
    ] = False,
    preferences: Annotated[
        bool, typer.Option("--preferences", help="Export what was chosen in /ab, /good and /bad, of all conversations.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write conversations to a file: Markdown, text, rows to train on, or a document.

    md quotes what the writer said, txt has the texts alone, jsonl a row {id, messages} for each branch, docx is for
    Word and Pages. Characters have their names in all of them.
    """
    from llmops_cli.chat.export import BINARY, jsonl
    from llmops_cli.chat.export import export as exported
    from llmops_cli.chat.preferences import preference_rows

    numbers, file = _split(ids or [])
    target = output or file
    to = to or ("jsonl" if preferences else target.suffix.removeprefix(".") if target else "md")
    if target is None and (as_json or to in BINARY):
        raise InputError("want a file", where="-o", hint=f"-o chats.{to}")
    with open_store() as store:
        if preferences:
            choices = [each for each in store.choices() if each.conversation in numbers or not numbers]
            rows = list(preference_rows(choices))
            content, noun, count = jsonl(rows), "preference", len(rows)
        else:
            found = [store.read(number) for number in _wanted(store, numbers, every)]
            content, noun, count = exported(found, to, all_branches=all_branches), "conversation", len(found)
    if target is None:
        print_piece(content.decode())
        return
    with atomic_binary_writer(target) as stream:
        stream.write(content)
    done = {"written": str(target), f"{noun}s": count}
    show(done, as_json, lambda: print_result(f"{target}: {counted(count, noun)}"))


def _split(words: Sequence[str]) -> tuple[list[int], Path | None]:
    """The numbers, and the file where the last word is none."""
    *first, last = words or [""]
    file = None if not last or last.isdecimal() else Path(last)
    numbers = [*first, *([last] if last.isdecimal() else [])]
    for word in numbers:
        if not word.isdecimal():
            raise InputError(f"want the number of a conversation, got {word!r}", hint="llmops chat list")
    return list(map(int, numbers)), file


def _wanted(store: Store, numbers: Sequence[int], every: bool) -> Sequence[int]:
    if bool(numbers) == every:
        raise InputError("want the number of a conversation, or --all", hint="llmops chat list")
    return numbers or sorted(each.id for each in store.summaries())
