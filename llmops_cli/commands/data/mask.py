"""`llmops data mask`."""

from __future__ import annotations

from typing import Annotated

import typer

from llmops_cli.commands.data.rewriting import OutputFile, Paths, show_rewritten
from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter

EXAMPLES = """Examples:

  llmops data mask train.jsonl -o masked.jsonl

  llmops data mask train.jsonl -o masked.jsonl --surrogates --report found.csv
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(mask)


def mask(
    paths: Paths,
    output: OutputFile,
    surrogates: Annotated[
        bool, typer.Option("--surrogates", help="Put made-up values in place instead of labels such as [휴대전화].")
    ] = False,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="CSV of what was found, where and why, without it.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Replace personal data: numbers, cards, accounts, e-mail and addresses. Personal names are not covered."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import mask as job
    from llmops_cli.data.config import MaskConfig

    values = {"input": paths, "output": output}
    values |= {"style": "surrogate"} if surrogates else {}
    values |= {"report": report} if report else {}
    config = resolve(MaskConfig, None, overrides or [], values=values).config
    show_rewritten("masked", job.run(job.plan(config), ConsoleReporter()), as_json)
