"""`llmops data show`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.data.rewriting import Paths
from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import visible
from llmops_cli.core.console import ConsoleReporter, print_json, print_rich

if TYPE_CHECKING:
    from rich.console import RenderableType

    from llmops_cli.core.errors import Problem
    from llmops_cli.data.config import ShowConfig
    from llmops_cli.data.records import Record

EXAMPLES = """Examples:

  llmops data show build/train.jsonl

  llmops data show data/train/daily_json -n 10 --start 500

  llmops data show build/train.jsonl --id family_01234 --json
"""

_TOLD = 10  # rows that cannot be read
_STYLES = {"system": "bold magenta", "user": "bold cyan", "chosen": "bold green", "rejected": "bold red"}


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(show)


def show(
    paths: Paths,
    count: Annotated[int | None, typer.Option("-n", "--count", help="Records to show; 3 by default.")] = None,
    start: Annotated[int | None, typer.Option("--start", metavar="N", help="Begin with the N-th record.")] = None,
    name: Annotated[str | None, typer.Option("--id", metavar="ID", help="Show the record with this id.")] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Show records as they are read: who says what, from which line of which file."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data.config import ShowConfig

    given = {"count": count, "start": start, "id": name}
    values: dict[str, Any] = {"input": paths} | {key: value for key, value in given.items() if value is not None}
    config = resolve(ShowConfig, None, overrides or [], values=values).config
    records = _chosen(config)
    if as_json:
        print_json([record.to_json() for record in records])
        return
    wrapped = sys.stdout.isatty()
    for record in records:
        print_rich(*_drawn(record, wrapped), wrapped=wrapped)


def _chosen(config: ShowConfig) -> list[Record]:
    """The records that are asked for; what cannot be read before them is told. Raises InputError for none."""
    from llmops_cli.core.errors import InputError
    from llmops_cli.data.reading import read_records

    problems: list[Problem] = []
    read = read_records(config.input, config, problems.append)
    if config.id is None:
        records = list(islice(read, config.start - 1, config.start - 1 + config.count))
    else:
        records = list(islice((record for record in read if record.id == config.id), 1))
    if not records and problems:
        raise InputError(problems[:_TOLD])
    if not records:
        asked = f"record {config.start}" if config.id is None else f"record with the id {config.id!r}"
        raise InputError(f"no {asked}", where=config.input[0], hint=f"llmops data stats {config.input[0]}")
    for problem in problems[:_TOLD]:
        ConsoleReporter().warn(str(problem))
    return records


def _drawn(record: Record, wrapped: bool) -> Iterator[RenderableType]:
    """The record: where it is, its turns, its metadata. `wrapped`, a turn stands in a column of its own."""
    from rich.table import Column, Table
    from rich.text import Text

    yield Text.assemble((visible(record.id), "bold"), "  ", (visible(record.where), "dim"))
    turns = [*record.messages, ("text", record.text), ("chosen", record.chosen), ("rejected", record.rejected)]
    for role, content in turns:
        if content is None:
            continue
        lines = [visible(line) for line in content.split("\n")]
        name = Text(role, style=_STYLES.get(role, "bold"))
        if wrapped:
            grid = Table.grid("role", Column(overflow="fold"), padding=(0, 2))
            grid.add_row(name, Text("\n".join(lines)))
            yield grid
        else:
            yield Text.assemble(name, "  ", f"\n{' ' * (len(role) + 2)}".join(lines))
    if record.metadata:
        yield Text(visible(json.dumps(dict(record.metadata), ensure_ascii=False)), style="dim")
    yield Text()
