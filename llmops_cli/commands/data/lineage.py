"""`llmops data lineage`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, number, show
from llmops_cli.core.console import ConsoleReporter, print_result, print_rich
from llmops_cli.core.errors import EXIT_NUMBERS

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from llmops_cli.data.lineage import Lineage, MadeFile, RawFiles, Step

EXAMPLES = """Examples:

  llmops data lineage build/split/train.jsonl

  llmops data lineage build/split/train.jsonl --json
"""

_NAMED = 10
_STYLES = {"same": "green", "changed": "bold red", "missing": "bold red"}


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(lineage)


def lineage(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that a command of llmops data has written.")],
    as_json: Json = False,
) -> None:
    """Show what a file was made from, back to the raw files, and what has changed since; exit 1 when something has."""
    from llmops_cli.data.lineage import trace

    result = trace(file, ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_lineage(result))
    if not result.ok:
        raise typer.Exit(EXIT_NUMBERS)


def _show_lineage(result: Lineage) -> None:
    from rich.tree import Tree

    tree = Tree(_about_file(result.file))
    _grow(tree, result.file)
    print_rich(tree, wrapped=sys.stdout.isatty())
    if result.ok:
        print_result(f"{counted(result.files, 'file')}, all as they were")
    else:
        print_result(f"{counted(result.files, 'file')}: {len(result.changed)} changed, {len(result.missing)} missing")
        print_result("\n".join(["to run again:", *(f"  {command}" for command in result.rerun)]))


def _grow(tree: Tree, file: MadeFile) -> None:
    if file.step is None:
        return
    branch = tree.add(_about_step(file.step))
    for made in file.step.made:
        _grow(branch.add(_about_file(made)), made)
    for raw in file.step.raw:
        branch.add(_about_raw(raw))


def _about_file(file: MadeFile) -> Text:
    from rich.text import Text

    above = "" if file.step else ", see above"
    return Text.assemble(
        (file.path, "bold"), f"  {number(file.records)} records, ", (file.status, _STYLES[file.status]), above
    )


def _about_step(step: Step) -> Text:
    from rich.text import Text

    records = step.records
    counts = [f"{number(records['in'])} records in, {number(records['out'])} out"]
    counts += [_reasons(kind, records[kind]) for kind in ("dropped", "changed") if records[kind]]
    settings = ", ".join(f"{name}={value}" for name, value in step.parameters.items())
    again = "  to run again" if step.stale else ""
    lines = [f"  (llmops {step.tool_version})  {settings}".rstrip(), *counts]
    return Text.assemble((step.job, "bold cyan"), "\n".join(lines), (again, "bold red"))


def _reasons(kind: str, reasons: Mapping[str, Any]) -> str:
    return f"{kind}: " + ", ".join(f"{reason} {number(count)}" for reason, count in reasons.items())


def _about_raw(raw: RawFiles) -> Text:
    from rich.text import Text

    text = Text(f"{counted(raw.files, 'file')} in {raw.folder}, ")
    if not raw.changed and not raw.missing:
        return text.append("same", style=_STYLES["same"])
    parts = [(kind, names) for kind, names in (("changed", raw.changed), ("missing", raw.missing)) if names]
    for index, (kind, names) in enumerate(parts):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        text.append(f"{'; ' if index else ''}{len(names)} {kind}: ", style=_STYLES[kind])
        text.append(", ".join(names[:_NAMED]) + more)
    return text
