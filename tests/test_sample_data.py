"""The sample data: enough of it, nothing stamped, and no work on both sides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops_cli.core.workspace import shipped_root
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.data.records import Record

KINDS = {"daily_json", "VL_anime", "VL_movie", "VL_series", "VL_novel"}


def _records(part: str) -> list[Record]:
    return list(read_records([str(shipped_root() / "data" / part)], ReadOptions()))


def _sentences(text: str) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.!?…~])\s+|\n", text):
        letters = re.sub(r"[^0-9A-Za-z가-힣ㄱ-ㅣ]", "", sentence)
        if letters:
            yield letters


@pytest.mark.parametrize("part", ["train", "heldout"])
def test_every_kind_is_on_both_sides(part: str) -> None:
    assert {path.name for path in (shipped_root() / "data" / part).iterdir()} == KINDS


def test_there_is_enough_text_and_most_of_it_is_hangul() -> None:
    text = "".join(message.content for record in _records("train") for message in record.messages)
    assert len(text) >= 60_000
    assert sum("가" <= character <= "힣" for character in text) / len(text) > 0.6


def test_no_sentence_stands_more_than_twice() -> None:
    """Answers only: a scene stands again in the prompt that asks for the next one."""
    counts: Counter[str] = Counter()
    for path in sorted(Path(shipped_root() / "data").rglob("*.json")):
        texts = {}
        for record in read_records([str(path)], ReadOptions()):
            roles = ("assistant",) if "work" in record.metadata else ("user", "assistant")
            texts |= {message.content: None for message in record.messages if message.role in roles}
        for text in texts:
            counts.update(_sentences(text))
    assert len(counts) > 10_000
    assert [sentence for sentence, count in counts.items() if count > 2] == []


def test_held_out_works_and_chats_were_never_trained_on() -> None:
    train, held_out = _records("train"), _records("heldout")

    def works(records: list[Record]) -> set[str]:
        return {record.metadata["work"] for record in records if "work" in record.metadata}

    assert len(works(held_out)) >= 8
    assert not works(train) & works(held_out)
    known = {message.content for record in train for message in record.messages if len(message.content) > 20}
    assert not [1 for record in held_out for message in record.messages if message.content in known]
