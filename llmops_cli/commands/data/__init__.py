"""`llmops data`."""

from __future__ import annotations

import typer

from llmops_cli.commands.data import convert, dedup, lineage, mask, merge, show, split, stats, validate

EXAMPLES = """Examples:

  llmops data validate data/train

  llmops data convert data/train -o build/train.jsonl

  llmops data mask build/train.jsonl -o build/masked.jsonl

  llmops data dedup build/masked.jsonl -o build/clean.jsonl

  llmops data split build/clean.jsonl -o build/split
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="Check, convert, clean and split data.", no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLES
    )
    for module in (validate, convert, mask, dedup, split, merge, stats, show, lineage):
        module.register(group)
    app.add_typer(group, name="data")
