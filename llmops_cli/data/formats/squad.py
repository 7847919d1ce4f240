"""SQuAD and KorQuAD: `data` of articles, their paragraphs, and questions about each.

It becomes one record for each question: the paragraph and the question, then the first answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row
from llmops_cli.data.records import Message, Record

SHAPE = "data: [{title, paragraphs: [{context, qas: [{question, answers}]}]}]"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    articles = row.get("data")
    return (
        isinstance(articles, list) and bool(articles) and isinstance(articles[0], dict) and "paragraphs" in articles[0]
    )


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    number = 0
    for article in row["data"]:
        for paragraph in _items(article, "paragraphs", place):
            for question in _items(paragraph, "qas", place):
                number += 1
                yield _record(article, paragraph, question, number, place)


def _items(owner: Any, key: str, place: Place) -> list[Any]:
    found = owner.get(key) if isinstance(owner, dict) else None
    if not isinstance(found, list):
        raise InputError(f"{key}: want a list in every article", where=place.where)
    return found


def _record(article: Any, paragraph: Any, asked: Any, number: int, place: Place) -> Record:
    context, title = paragraph.get("context"), article.get("title")
    question = asked.get("question") if isinstance(asked, dict) else None
    if not isinstance(context, str) or not isinstance(question, str):
        raise InputError(f"question {number}: want a context and a question", where=place.where)
    answers = asked.get("answers")
    first = answers[0] if isinstance(answers, list) and answers else None
    answer = first.get("text") if isinstance(first, dict) else None
    return Record(
        id=str(asked.get("id") or f"{place.stem}:{number}"),
        messages=(
            Message("user", f"{context}\n\n{question}"),
            Message("assistant", answer if isinstance(answer, str) else ""),
        ),
        source=place.source,
        metadata={"title": title} if isinstance(title, str) else {},
        where=place.where,
    )
