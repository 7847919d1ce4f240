"""Two columns that the options name: `prompt_column` and `completion_column`."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.formats import Place, Row, question_and_answer, words
from llmops_cli.data.formats.question_answer import NAMES
from llmops_cli.data.records import Record

SHAPE = "columns named by prompt_column and completion_column"
ORDER = 0


def matches(row: Row, options: ReadOptions) -> bool:
    """True for every row once a column is named, except those that are a conversation or a story already."""
    named = options.prompt_column is not None or options.completion_column is not None
    return named and not any(isinstance(row.get(key), list) for key in ("messages", "text", "units"))


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    usual = next((pair for pair in NAMES if pair[0] in row and pair[1] in row), (None, None))
    question = options.prompt_column or usual[0]
    answer = options.completion_column or usual[1]
    missing = [
        WrongSetting(
            f"no column {column!r}: there are {', '.join(row)}" if column else f"{option} is not set",
            place.where,
            f"--set {option}=NAME",
        )
        for option, column in (("prompt_column", question), ("completion_column", answer))
        if column is None or column not in row
    ]
    if missing or question is None or answer is None:
        raise InputError(missing)
    yield question_and_answer(row, place, words(row, question, place), words(row, answer, place), (question, answer))
