"""What a person sees: the result on stdout, the talk on stderr."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Protocol


class Progress(Protocol):
    """One running progress bar."""

    def update(self, done: int, note: str = "") -> None:
        """Say that `done` of the total is done; `note` stands behind the bar."""


class Reporter(Protocol):
    """What a job may say while it runs. Jobs never print."""

    def info(self, text: str) -> None:
        """Something worth knowing."""

    def warn(self, text: str) -> None:
        """Something that may go wrong later, or that the user would have wanted to know."""

    def progress(self, label: str, total: int | None, unit: str = "") -> contextlib.AbstractContextManager[Progress]:
        """A progress bar over `total` steps, or without an end when None; the unit `B` shows steps as bytes."""


class _NoProgress:
    def update(self, done: int, note: str = "") -> None:
        """Nothing to show."""


class SilentReporter:
    """A reporter that keeps what it was told, for Python callers and tests."""

    def __init__(self) -> None:
        self.infos: list[str] = []
        self.warnings: list[str] = []

    def info(self, text: str) -> None:
        self.infos.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None, unit: str = "") -> Iterator[Progress]:
        yield _NoProgress()


class _RichProgress:
    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def update(self, done: int, note: str = "") -> None:
        self._bar.update(self._task, completed=done, note=note)


class ConsoleReporter:
    """Talks on stderr; bars are drawn only where stderr is a terminal."""

    def info(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        print(f"warning: {text}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None, unit: str = "") -> Iterator[Progress]:
        if not sys.stderr.isatty():
            yield _NoProgress()
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn() if unit == "B" else MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Bar(*columns, console=Console(stderr=True)) as bar:
            yield _RichProgress(bar, bar.add_task(label, total=total, note=""))


def print_result(text: str) -> None:
    """Write the result of a command to stdout."""
    print(text)


def print_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Write a table to stdout. Columns of numbers stand right; a header of empty names is left out."""
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold", show_header=any(header))
    for index, name in enumerate(header):
        numbers = all(re.fullmatch(r"-|-?[\d,.]+", row[index]) for row in rows)
        table.add_column(name, justify="right" if numbers and any(header) else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    print_rich(table)


def print_rich(*parts: Any, wrapped: bool = True, stderr: bool = False) -> None:
    """Write what Rich draws to stdout, or to `stderr`, in colours on a terminal only. Not `wrapped`, no line is cut."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, stderr=stderr)
    with console.capture() as shown:  # Rich itself would end the program with 1 when a pipe breaks
        for part in parts:
            console.print(part, soft_wrap=not wrapped)
    print(shown.get(), end="", file=sys.stderr if stderr else sys.stdout)


def print_piece(text: str) -> None:
    """Write a piece of a streamed answer to stdout at once."""
    print(text, end="", flush=True)
