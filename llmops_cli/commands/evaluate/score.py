"""`llmops eval score`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import counted, show
from llmops_cli.core.console import ConsoleReporter, print_table

if TYPE_CHECKING:
    from llmops_cli.evaluation.score import ScorePlan, ScoreResult

EXAMPLES = """Examples:

  llmops eval score answers.jsonl

  llmops eval score answers.jsonl --metrics rouge_l[jamo],chrf,rep_4

  llmops eval score answers.jsonl --metrics bertscore --set params.bertscore.model=models/encoder --json

  llmops eval metrics   shows which metrics there are
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(score)


def score(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="JSON lines with `output`, and where known `id`, `prompt`, `reference`, `constraints`."
        ),
    ],
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            metavar="A,B",
            help="Metrics, as llmops eval metrics lists them; may be given again. By default all that load nothing.",
        ),
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Score outputs that already exist, without a model."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.evaluation import score as job
    from llmops_cli.evaluation.config import ScoreConfig

    given = [name for text in names or () for name in _split(text)]
    config = resolve(ScoreConfig, None, overrides or [], values={"metrics": given} if given else {}).config
    plan = job.plan(file, config.metrics, config.params)
    result = job.run(plan, ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_scores(plan, result))


def _split(text: str) -> list[str]:
    """The names between commas; one inside brackets belongs to a name."""
    return [name.strip() for name in re.split(r",(?![^\[\]]*\])", text) if name.strip()]


def _show_scores(plan: ScorePlan, result: ScoreResult) -> None:
    from llmops_cli.reporting.scores import ARROWS, figure

    scores = result.scores
    rows = []
    for metric in plan.metrics:
        found = sorted(value for item in scores.items if (value := item.scores[metric.name]) is not None)
        ends = (found[0], found[-1]) if found else (None, None)
        summary = figure(scores.summary[metric.name])
        rows.append([f"{metric.name} {ARROWS[metric.better]}".rstrip(), summary, *map(figure, ends), str(len(found))])
    title = counted(len(scores.items), "item")
    print_table(title, ["metric", "score", "least", "greatest", "items"], rows)
