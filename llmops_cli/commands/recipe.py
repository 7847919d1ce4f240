"""`llmops run`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.evaluate.report import show_evaluation
from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter, print_json, print_result

if TYPE_CHECKING:
    from llmops_cli.pipeline.runner import StepResult

EXAMPLES = """Examples:

  llmops run recipes/quickstart.yaml

  llmops run recipes/quickstart.yaml --force
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(run)


def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe in YAML.")],
    force: Annotated[bool, typer.Option("--force", help="Run every step, also those that did not change.")] = False,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Run the jobs of a recipe in order; those that did not change are skipped."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.pipeline import runner
    from llmops_cli.pipeline.config import RecipeConfig

    plan = runner.plan(resolve(RecipeConfig, recipe, overrides or []).config, recipe)
    results = runner.run(plan, ConsoleReporter(), force=force, on_step=None if as_json else _show_step)
    if as_json:
        print_json({"recipe": plan.name, "steps": [_plain(result) for result in results]})


def _plain(step: StepResult) -> dict[str, Any]:
    result = None
    if step.result is not None:
        result = step.result.to_json() if hasattr(step.result, "to_json") else asdict(step.result)
    return {"step": step.label, "job": step.job, "skipped": step.skipped, "result": result}


def _show_step(step: StepResult) -> None:
    if step.skipped:
        return
    if step.job == "eval":
        show_evaluation(step.result)
    elif step.job == "chat":
        print_result(f"{step.label}: {step.result.output}")
