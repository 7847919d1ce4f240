"""How results of jobs look to a person: sizes, counts and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_cli.core.console import print_json, print_table


def size(count: float) -> str:
    """Bytes as people read them, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def number(value: Any, digits: int = 3) -> str:
    """A number as a table shows it; `-` for None."""
    if value is None:
        return "-"
    return (
        f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def counted(count: int, noun: str) -> str:
    """`1 file`, `1,234 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def visible(text: str) -> str:
    """The text with every character that a terminal does not show, or obeys, as its escape: `\\u200b`, `\\n`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def visible_lines(text: str) -> str:
    """The same, line by line."""
    return "\n".join(map(visible, text.split("\n")))


def show_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """A two-column table."""
    print_table(title, ["", ""], [[key, value] for key, value in pairs.items()])


def show(value: Any, as_json: bool, table: Any) -> None:
    """Print `value` as JSON, or call `table` to print it for a person."""
    if as_json:
        print_json(value)
    else:
        table()
