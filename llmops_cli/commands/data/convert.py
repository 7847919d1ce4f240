"""`llmops data convert`."""

from __future__ import annotations

from typing import Annotated

import typer

from llmops_cli.commands.data.rewriting import OutputFile, Paths, show_rewritten
from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter

EXAMPLES = """Examples:

  llmops data convert data/train -o build/train.jsonl

  llmops data convert ChatbotData.csv -o chat.jsonl --set prompt_column=Q --set completion_column=A

  llmops data convert raw -o clean.jsonl --fix all

  llmops data convert build/train.jsonl -o build/train.parquet
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(convert)


def convert(
    paths: Paths,
    output: OutputFile,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="jsonl, parquet or avro, put behind the output's name.")
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="CHECK", help="Repair what this check finds; `all` for every one."),
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Turn raw files of any known format into one file of checked records."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import convert as job
    from llmops_cli.data.config import ConvertConfig

    values = {"input": paths, "output": f"{output.removesuffix(f'.{to}')}.{to}" if to else output}
    if fix:
        values["fix"] = fix
    config = resolve(ConvertConfig, None, overrides or [], values=values).config
    show_rewritten("converted", job.run(job.plan(config), ConsoleReporter()), as_json)
