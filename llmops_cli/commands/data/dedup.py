"""`llmops data dedup`."""

from __future__ import annotations

from typing import Annotated

import typer

from llmops_cli.commands.data.rewriting import OutputFile, Paths, show_rewritten
from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter

EXAMPLES = """Examples:

  llmops data dedup train.jsonl -o clean.jsonl

  llmops data dedup train.jsonl -o clean.jsonl --report clusters.jsonl --set threshold=0.9 --set keep=longest
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(dedup)


def dedup(
    paths: Paths,
    output: OutputFile,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="JSONL of the clusters: which record stayed for which."),
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Keep one record of each cluster of copies and near-copies (Jaccard similarity of character 5-grams)."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import dedup as job
    from llmops_cli.data.config import DedupConfig

    values = {"input": paths, "output": output} | ({"report": report} if report else {})
    config = resolve(DedupConfig, None, overrides or [], values=values).config
    show_rewritten("deduplicated", job.run(job.plan(config), ConsoleReporter()), as_json)
