"""`llmops data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import number, show, show_pairs
from llmops_cli.core.console import ConsoleReporter, print_result, print_table
from llmops_cli.core.errors import EXIT_NUMBERS

if TYPE_CHECKING:
    from llmops_cli.data.validate import ValidateResult

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files or folders in any supported format.")]
FINDINGS_SHOWN = 20

EXAMPLES = """Examples:

  llmops data convert data/train -o build/train.jsonl

  llmops data convert chat.csv -o chat.jsonl --set prompt_column=Q --set completion_column=A

  llmops data validate build/train.jsonl
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Convert and check data.", no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLES)
    group.command(epilog=EXAMPLES)(convert)
    group.command(epilog=EXAMPLES)(validate)
    app.add_typer(group, name="data")


def convert(
    paths: Paths,
    output: Annotated[str, typer.Option("-o", "--output", help="JSONL to write; a manifest appears beside it.")],
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Turn raw files into one JSONL of checked records."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import convert as job
    from llmops_cli.data.config import ConvertConfig

    config = resolve(ConvertConfig, None, overrides or [], values={"input": paths, "output": output}).config
    result = job.run(job.plan(config), ConsoleReporter())
    pairs = {
        "written": result.output.path,
        "records": number(result.output.records),
        "files read": number(len(result.inputs)),
        "dropped": number(sum(result.dropped.values())),
        "manifest": str(result.manifest),
    }
    show(result.to_json(), as_json, lambda: show_pairs("converted", pairs))


def validate(paths: Paths, overrides: Set = None, as_json: Json = False) -> None:
    """Find what is wrong with data, by file and line; exit 1 when there are errors."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import validate as job
    from llmops_cli.data.config import ValidateConfig

    config = resolve(ValidateConfig, None, overrides or [], values={"input": paths}).config
    result = job.run(job.plan(config), ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_validation(result))
    if not result.ok:
        raise typer.Exit(EXIT_NUMBERS)


def _show_validation(result: ValidateResult) -> None:
    rows: list[Any] = [[finding.severity, finding.check, finding.where, finding.what] for finding in result.findings]
    if rows:
        print_table("", ["severity", "check", "where", "what"], rows[:FINDINGS_SHOWN])
    if len(rows) > FINDINGS_SHOWN:
        print_result(f"… and {len(rows) - FINDINGS_SHOWN} more; --json lists all")
    print_result(
        f"{result.records:,} records in {result.files:,} files: {result.errors} errors, {result.warnings} warnings"
    )
