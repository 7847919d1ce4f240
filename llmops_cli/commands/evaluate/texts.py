"""Two answers to a prompt, drawn for a person."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from llmops_cli.commands.show import visible, visible_lines

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDE = 100
"""Columns of a terminal from which answers stand beside each other and not one above the other."""


def side_by_side(title: str, prompt: str, answers: Mapping[str, str]) -> Iterator[RenderableType]:
    """The prompt, and each answer under its name."""
    from rich.table import Table
    from rich.text import Text

    yield Text.assemble("\n", (visible(title), "bold"), "\n", (visible_lines(prompt), "cyan"))
    beside = shutil.get_terminal_size().columns >= WIDE
    for names in [list(answers)] if beside else [[name] for name in answers]:
        table = Table(expand=True)
        for name in names:
            table.add_column(Text(visible(name), style="bold"), ratio=1, overflow="fold")
        table.add_row(
            *(Text(visible_lines(answers[name])) if answers[name] else Text("(empty)", "dim") for name in names)
        )
        yield table
