"""`llmops eval CONFIG|RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_cli.commands.evaluate.report import show_evaluation
from llmops_cli.commands.options import Json, RunName, Set
from llmops_cli.commands.show import show
from llmops_cli.core.console import ConsoleReporter
from llmops_cli.core.workspace import RunRequest

EXAMPLES = """Examples:

  llmops eval runs/story

  llmops eval configs/eval-tiny.yaml --set model=runs/quickstart

  llmops eval configs/eval.yaml --name before --json > before.json

  llmops eval configs/eval.yaml --set model=runs/story --gate --baseline before.json
"""


def evaluate(
    target: Annotated[
        str,
        typer.Argument(metavar="CONFIG|RUN", help="A YAML configuration; or a run, measured as the shipped one says."),
    ],
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit with 1 when a limit is missed by more than chance.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", metavar="RUN|FILE", help="Compare with this run of llmops eval, or what its --json printed."
        ),
    ] = None,
    name: RunName = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Measure a model on suites of prompts and on held-out text, and decide whether it is good enough."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.evaluation.config import EvalConfig
    from llmops_cli.evaluation.defaults import config_for

    file, given = config_for(target)
    decided: dict[str, Any] = ({"enforce": True} if gate else {}) | ({"baseline": baseline} if baseline else {})
    values = {"gate": decided} if decided else {}
    config = resolve(EvalConfig, file, [*given, *(overrides or [])], values=values).config
    from llmops_cli.evaluation import job

    request = RunRequest(name, f"eval-{Path(target).name}" if given else file.stem)
    result = job.run(job.plan(config, request), ConsoleReporter())
    show(result.report.to_json(), as_json, lambda: show_evaluation(result))
    job.raise_if_failed(result)
