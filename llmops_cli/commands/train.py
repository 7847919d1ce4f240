"""`llmops train`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from llmops_cli.commands.options import ConfigFile, Json, RunName, Set
from llmops_cli.commands.show import number, show, show_pairs, size
from llmops_cli.core.console import ConsoleReporter
from llmops_cli.core.workspace import RunRequest

EXAMPLES = """Examples:

  llmops train configs/tiny.yaml --name first

  llmops train configs/lora.yaml --set train.learning_rate=1e-4 --dry-run

  llmops train configs/tiny.yaml --name first --resume --set train.max_steps=400
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(train)


def train(
    config: ConfigFile,
    name: RunName = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's newest checkpoint.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, train nothing.")] = False,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a model: an adapter, its run record and an MLflow run come out in runs/NAME."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.training.config import TrainConfig

    resolved = resolve(TrainConfig, config, overrides or [])
    from llmops_cli.training import job

    plan = job.plan(resolved.config, RunRequest(name, config.stem, resume, can_resume=True))
    if dry_run:
        summary = plan.summary()
        shown = {
            key: size(value) if key in ("estimated_peak_memory", "disk") else number(value)
            for key, value in summary.items()
            if key != "warnings"
        }
        show(summary, as_json, lambda: show_pairs("plan", shown))
        for line in plan.warnings:
            ConsoleReporter().warn(line)
        return
    result = job.run(plan, ConsoleReporter())
    pairs = {
        "run": result.run,
        "result": result.result,
        "steps": f"{result.steps}, step {result.chosen_step} became the result",
        "training loss": number(result.train_loss),
        "held-out loss": number(result.held_out_loss),
        "tokens/s": number(result.tokens_per_second, 0),
        "peak memory": size(result.peak_memory),
    }
    show(asdict(result), as_json, lambda: show_pairs("trained", pairs))
    ConsoleReporter().info(f"next: llmops chat {result.run} --once '안녕?'")
