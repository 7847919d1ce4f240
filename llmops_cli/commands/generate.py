"""`llmops generate`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import number, show, show_pairs
from llmops_cli.core.console import ConsoleReporter

EXAMPLES = """Examples:

  llmops generate prompts.jsonl -o answers.jsonl --model runs/quickstart

  llmops generate prompts.jsonl -o answers.jsonl --model builtin:tiny-ko --set generation.temperature=0

  llmops generate prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#qwen --set at_once=16
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(generate)


def generate(
    prompts: Annotated[
        Path,
        typer.Argument(metavar="PROMPTS.jsonl", help="Prompts, or a YAML configuration that names them."),
    ],
    output: Annotated[str | None, typer.Option("-o", "--output", help="JSONL to write.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Hub name, folder, run, builtin:tiny-ko, .gguf file or URL.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Answer every prompt of a file with a model."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.inference.config import GenerateConfig

    is_config = prompts.suffix in (".yaml", ".yml")
    values = {"input": None if is_config else str(prompts), "output": output, "model": model}
    given = {key: value for key, value in values.items() if value is not None}
    resolved = resolve(GenerateConfig, prompts if is_config else None, overrides or [], values=given)
    from llmops_cli.inference import generate as job

    result = job.run(job.plan(resolved.config), ConsoleReporter())
    pairs = {
        "written": result.output,
        "engine": f"{result.engine}: {result.engine_reason}",
        "answers": number(result.answers),
        "kept from before": number(result.kept),
        "tokens": number(result.tokens),
        "tokens/s": number(result.tokens_per_second, 1),
    }
    show(asdict(result), as_json, lambda: show_pairs("generated", pairs))
