"""Questions of a benchmark, several turns of one side: `questions` or `turns`, with `outputs` where it was answered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, id_of, other_columns
from llmops_cli.data.records import Message, Record

SHAPE = "questions (or turns): [text, …], outputs: [text, …]"
ORDER = 1

_QUESTIONS = ("questions", "turns")


def matches(row: Row, options: ReadOptions) -> bool:
    return any(_is_texts(row.get(key)) for key in _QUESTIONS)


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    key = next(key for key in _QUESTIONS if _is_texts(row.get(key)))
    questions, outputs = row[key], row.get("outputs") or []
    if not isinstance(outputs, list) or not all(isinstance(text, (str, type(None))) for text in outputs):
        raise InputError("outputs: want a list of texts", where=place.where)
    if len(outputs) > len(questions):
        raise InputError(f"{len(outputs)} outputs for {len(questions)} {key}", where=place.where)
    messages: list[Message] = []
    for question, output in zip_longest(questions, outputs[: len(questions)], fillvalue=None):
        messages.append(Message("user", question or ""))
        if outputs:
            messages.append(Message("assistant", output or ""))
    yield Record(
        id=id_of({"id": row.get("id", row.get("question_id"))}, place),
        messages=tuple(messages),
        source=place.source,
        metadata=other_columns(row, ("id", key, "outputs")),
        where=place.where,
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
