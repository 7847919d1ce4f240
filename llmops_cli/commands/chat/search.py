"""`llmops chat search`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.chat.opening import open_store
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import show, visible
from llmops_cli.core.console import ConsoleReporter, print_result, print_rich

if TYPE_CHECKING:
    from llmops_cli.chat.store import Hit

EXAMPLES = """Examples:

  llmops chat search 산책   finds 밤산책에서 too

  llmops chat search 겨울 바다 --limit 5   turns that hold both

  llmops chat search 산책 --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(search)


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words, or parts of words, that a turn holds.")],
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Show at most N turns.")] = 20,
    as_json: Json = False,
) -> None:
    """Search the turns of all conversations, the newest first."""
    wanted = " ".join(words)
    with open_store() as store:
        hits = store.search(wanted, limit)
    show([asdict(hit) for hit in hits], as_json, lambda: _show_hits(hits, wanted, limit))


def _show_hits(hits: Sequence[Hit], wanted: str, limit: int) -> None:
    from rich.text import Text

    from llmops_cli.text.normalize import nfc

    if not hits:
        print_result(f"no turn holds {visible(wanted)}")
        return
    pattern = re.compile("|".join(map(re.escape, nfc(wanted).split())), re.IGNORECASE)
    for hit in hits:
        where = Text.assemble(
            (f"{hit.conversation}", "bold"), f" {visible(hit.title)}", (f"  {hit.turn} {hit.role}", "dim")
        )
        excerpt = Text(f"  {visible(hit.excerpt)}")
        excerpt.highlight_regex(pattern, "bold reverse")
        print_rich(where, excerpt)
    print_result(f"llmops chat show {hits[0].conversation} --turn {hits[0].turn} shows the first one whole")
    if len(hits) == limit:
        ConsoleReporter().info(f"the newest {limit}; --limit {2 * limit} shows more")
