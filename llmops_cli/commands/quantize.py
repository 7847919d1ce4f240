"""`llmops quantize`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import show
from llmops_cli.core.console import ConsoleReporter, print_table

if TYPE_CHECKING:
    from llmops_cli.export.report import QuantizeResult

EXAMPLES = """Examples:

  llmops quantize runs/quickstart --to int8 -o models/story-int8

  llmops quantize runs/quickstart --to gguf-q8_0 -o models/story && ollama create story -f models/story/Modelfile

  llmops quantize configs/quantize.yaml --set model=runs/quickstart --set limits.kl_mean=0.05
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(quantize)


def quantize(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Run, folder, hub name or builtin; or a YAML configuration.")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="fp16, int8, int4, gguf-f16, gguf-q8_0, gguf-q4_0, mlx-8 or mlx-4.", show_default=False
        ),
    ] = None,
    output: Annotated[str | None, typer.Option("-o", "--output", help="Folder to make.")] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Write a model in another format, its adapter merged, and accept it only when it answers as the original."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.export.config import QuantizeConfig

    is_config = Path(model).suffix in (".yaml", ".yml")
    values = {"model": None if is_config else model, "to": to, "output": output}
    given = {key: value for key, value in values.items() if value is not None}
    config = resolve(QuantizeConfig, Path(model) if is_config else None, overrides or [], values=given).config
    from llmops_cli.export import job

    result = job.run(job.plan(config), ConsoleReporter())
    show(result.to_json(), as_json, lambda: show_quantization(result))
    ConsoleReporter().info(f"next: llmops chat {result.output} --once '안녕?'")


def show_quantization(result: QuantizeResult) -> None:
    """The table of a quantization."""
    print_table(result.title, *result.table())
