"""A file of outputs that already exist: what `eval score` reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.config.layers import Layers, validate
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.data.decoding import lines_of
from llmops_cli.data.documents import parse_line
from llmops_cli.data.layout import normalised_row
from llmops_cli.data.sources import Source
from llmops_cli.evaluation.config import Constraints
from llmops_cli.evaluation.metrics import Item


class OutputRow(StrictModel):
    """A line of the file; what else stands in it is not read."""

    output: str = Field(description="the text that is scored")
    id: str | int | None = Field(None, description="name of the item; file and line where it has none")
    prompt: str | None = Field(None, description="what was asked")
    messages: list[Any] = Field([], description="the turns that were answered, as llmops generate writes them")
    text: str | None = Field(None, description="the text that was gone on from, likewise")
    reference: str | None = Field(None, description="a good answer")
    constraints: Constraints | None = Field(None, description="what a program can check of the output")
    finish_reason: str | None = Field(None, description="why it ended: stop or length")
    suite: str | None = Field(None, description="the suite of the item, in an items.jsonl of llmops eval")

    @property
    def asked(self) -> str:
        """The prompt: in a conversation the last turn of the user."""
        turns = [turn for turn in self.messages if isinstance(turn, dict) and turn.get("role") == "user"]
        return self.prompt or (str(turns[-1].get("content", "")) if turns else self.text or "")


@dataclass(frozen=True)
class OutputFile:
    """JSON lines of outputs; read anew each time it is iterated, an item at a time."""

    path: Path
    count: int
    fields: frozenset[str]
    """The fields of :class:`Item` that at least one item has."""
    several_suites: bool
    """Items are then called `suite:id`."""

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Item]:
        for where, row in _rows(self.path):
            if isinstance(row, InputError):
                raise row
            item = _item(row, where)
            yield replace(item, id=f"{row.suite}:{item.id}") if self.several_suites and row.suite else item


def read_outputs(path: Path) -> OutputFile:
    """Check every line of the file.

    Raises:
        InputError: there is no such file, nothing in it, or lines in it are no outputs: all of them are named.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    problems: list[Problem] = []
    fields: set[str] = set()
    lines: dict[tuple[str | None, str], str] = {}
    for where, row in _rows(path):
        if isinstance(row, InputError):
            problems += row.problems
            continue
        item = _item(row, where)
        first = lines.setdefault((row.suite, item.id), where)
        if first != where:
            what = f"id {item.id!r} is that of line {first.rpartition(':')[2]}"
            problems.append(Problem(what, where, "give every output its own"))
        fields |= {field for field, value in vars(item).items() if value}
    raise_problems(problems)
    if not lines:
        raise InputError("the file is empty", where=str(path))
    return OutputFile(path, len(lines), frozenset(fields), len({suite for suite, _ in lines}) > 1)


def _rows(path: Path) -> Iterator[tuple[str, OutputRow | InputError]]:
    """`file:line` and what stands in each line that is not blank, or what is wrong with it."""
    for number, line in enumerate(lines_of(Source(path), "utf-8"), 1):
        where = f"{path}:{number}"
        if isinstance(line, Problem):
            yield where, InputError([line])
        elif line.strip():
            yield where, _row(line, where)


def _row(line: str, where: str) -> OutputRow | InputError:
    try:
        row, _ = normalised_row(parse_line(line, where), where)
        if not isinstance(row, dict):
            return InputError("want one JSON object a line", where=where)
        known = {key: value for key, value in row.items() if key in OutputRow.model_fields}
        return validate(OutputRow, Layers(known), where)
    except InputError as error:
        return error


def _item(row: OutputRow, where: str) -> Item:
    return Item(
        id=Path(where).name if row.id is None else str(row.id),
        output=row.output,
        prompt=row.asked,
        reference=row.reference,
        constraints=row.constraints,
        finish_reason=row.finish_reason,
    )
