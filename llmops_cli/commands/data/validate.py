"""`llmops data validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.data.rewriting import Paths
from llmops_cli.commands.data.tokens import show_tokens, tokens_to_json
from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import counted, number, show, visible
from llmops_cli.core.console import ConsoleReporter, print_result, print_table
from llmops_cli.core.errors import EXIT_NUMBERS

if TYPE_CHECKING:
    from llmops_cli.data.verdict import ValidateResult

FINDINGS_SHOWN = 20

EXAMPLES = """Examples:

  llmops data validate data/train

  llmops data validate train.jsonl --against heldout.jsonl --html report.html

  llmops data validate train.jsonl --model builtin:tiny-ko --set parameters.length.max_length=512

  llmops data validate train.jsonl --model builtin:tiny-ko --show-tokens 3
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(validate)


def validate(
    paths: Paths,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="PATH", help="Held-out data, of which nothing may be in PATH; repeatable."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Measure lengths in the tokens of this model.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Only the cheap checks.")] = False,
    html: Annotated[str | None, typer.Option("--html", metavar="FILE", help="HTML report to write.")] = None,
    record: Annotated[
        int | None,
        typer.Option(
            "--show-tokens",
            metavar="N",
            min=1,
            help="Instead of checking, show record N as tokens, with those that are learned marked; needs --model.",
        ),
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Find what is wrong with data, by file and line; exit 1 when there are errors."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data.config import ValidateConfig
    from llmops_cli.pipeline import validating as job

    flags = {"held_out": against, "model": model, "checks": ["fast"] if fast else None, "html": html}
    values = {"input": paths} | {key: value for key, value in flags.items() if value}
    config = resolve(ValidateConfig, None, overrides or [], values=values).config
    if record is not None:
        shown = job.read_tokens(config, record)
        show(tokens_to_json(shown), as_json, lambda: show_tokens(shown))
        return
    result = job.run(job.plan(config), ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_validation(result))
    if not result.ok:
        raise typer.Exit(EXIT_NUMBERS)


def _show_validation(result: ValidateResult) -> None:
    formats = ", ".join(f"{name} {counted(rows, 'row')}" for name, rows in result.formats.items())
    read = f"{counted(result.records, 'record')} in {counted(len(result.files), 'file')} ({formats})"
    if result.held_out:
        read += f", compared with {counted(result.held_out, 'held-out record')}"
    found = [check for check in result.checks if check.count]
    if not found:
        good = f"{result.verdict} by {counted(len(result.checks), 'check')} in {read}"
        print_result(f"{'; '.join([good, *result.samples])} -> {result.next_step}")
        return
    found.sort(key=lambda check: (check.severity != "error", -check.count))
    rows = [[check.severity, check.check, number(check.count), visible(check.first)] for check in found]
    print_table("", ["severity", "check", "found", "first at"], rows)
    _show_findings(result)
    width = max(len(check.check) for check in found)
    for check in found:  # not in the table: a command that is folded cannot be copied
        print_result(f"{check.check:{width}}  {check.fix}")
    totals = f"{read}: {counted(result.errors, 'error')}, {counted(result.warnings, 'warning')}"
    for line in (totals, *result.samples, f"{result.verdict} -> {result.next_step}"):
        print_result(line)


def _show_findings(result: ValidateResult) -> None:
    findings = sorted(result.findings, key=lambda finding: finding.severity != "error")
    rows = [[finding.check, visible(finding.where), visible(finding.what)] for finding in findings[:FINDINGS_SHOWN]]
    print_table("", ["check", "where", "what"], rows)
    if (more := result.errors + result.warnings - len(rows)) > 0:
        print_result(f"… and {number(more)} more: --json lists up to 1,000 of each check")
