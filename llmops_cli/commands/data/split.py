"""`llmops data split`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.data.rewriting import Paths, show_rewritten
from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import number, show
from llmops_cli.core.console import ConsoleReporter, print_result, print_table

if TYPE_CHECKING:
    from llmops_cli.data.split import SplitResult

EXAMPLES = """Examples:

  llmops data split build/clean.jsonl -o build/split

  llmops data split build/clean.jsonl -o build/split --held-out 0.05 --test 0.05

  llmops data split chats.jsonl -o split --set group_by=user --set seed=8
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(split)


def split(
    paths: Paths,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for train, heldout and test, each .jsonl.")
    ],
    held_out: Annotated[
        float | None, typer.Option("--held-out", metavar="SHARE", help="Share of the records; 0.1 by default.")
    ] = None,
    test: Annotated[
        float | None, typer.Option("--test", metavar="SHARE", help="Share for a last test; none by default.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Split records into files that share no work, no conversation, no copy and no near-copy."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import split as job
    from llmops_cli.data.config import SplitConfig

    given = {"held_out": held_out, "test": test}
    values = {"input": paths, "output": output} | {key: value for key, value in given.items() if value is not None}
    config = resolve(SplitConfig, None, overrides or [], values=values).config
    result = job.run(job.plan(config), ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_split(result))


def _show_split(result: SplitResult) -> None:
    show_rewritten("split", result.written, as_json=False)
    totals = tuple(map(sum, zip(*result.strata.values(), strict=True)))
    rows = [[name, *map(number, counts)] for name, counts in (*result.strata.items(), ("together", totals))]
    print_table("records by source", ["", *result.names], rows)
    print_result(f"{result.groups:,} groups; records that share text across files: {result.shared}")
