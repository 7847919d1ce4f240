"""`llmops eval`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from llmops_cli.commands.options import ConfigFile, Json, RunName, Set
from llmops_cli.commands.show import number, show
from llmops_cli.core.console import ConsoleReporter, print_table
from llmops_cli.core.workspace import RunRequest

if TYPE_CHECKING:
    from llmops_cli.evaluation.job import EvalResult

EXAMPLES = """Examples:

  llmops eval configs/eval-tiny.yaml --set model=runs/quickstart

  llmops eval configs/eval-tiny.yaml --json > report.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval", epilog=EXAMPLES)(evaluate)


def evaluate(config: ConfigFile, name: RunName = None, overrides: Set = None, as_json: Json = False) -> None:
    """Measure loss, perplexity and bits per character on held-out text, beside the base and a character trigram."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.evaluation.config import EvalConfig

    resolved = resolve(EvalConfig, config, overrides or [])
    from llmops_cli.evaluation import job

    result = job.run(job.plan(resolved.config, RunRequest(name, config.stem)), ConsoleReporter())
    show(result.to_json(), as_json, lambda: show_evaluation(result))


def show_evaluation(result: EvalResult) -> None:
    """The table of an evaluation."""
    title = f"{result.model} on {result.records} held-out records, {result.characters:,} characters"
    header = ["", "bits per character", "perplexity per token", "loss (nats)"]
    rows = [
        [row.name, number(row.bits_per_character), number(row.perplexity, 1), number(row.loss)] for row in result.rows
    ]
    print_table(title, header, rows)
