"""`llmops data merge`."""

from __future__ import annotations

import typer

from llmops_cli.commands.data.rewriting import OutputFile, Paths, show_rewritten
from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter

EXAMPLES = """Examples:

  llmops data merge chats.jsonl stories.jsonl -o train.jsonl
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(merge)


def merge(paths: Paths, output: OutputFile, overrides: Set = None, as_json: Json = False) -> None:
    """Put several data files into one, in the order they are named; an id that comes again gets a number."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import merge as job
    from llmops_cli.data.config import MergeConfig

    config = resolve(MergeConfig, None, overrides or [], values={"input": paths, "output": output}).config
    show_rewritten("merged", job.run(job.plan(config), ConsoleReporter()), as_json)
