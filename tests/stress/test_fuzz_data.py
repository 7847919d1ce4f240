"""Whatever stands in a data file: it is read, or refused with a line; what was written is read again. Ten minutes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
from typing import Any

import pytest
from fuzzing import GOOD, OPTIONS, TEXT, budget, check_reading, data_files
from hypothesis import given
from hypothesis import strategies as st

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.data import batches, validate
from llmops_cli.data.config import ReadOptions, ValidateConfig
from llmops_cli.data.reading import read_records

OUTPUTS = st.sampled_from([".jsonl", ".parquet", ".avro"])
PIECES = st.sampled_from([0, 1, 40])
NAMES = sorted({"speaker_id", "from", "value", "name", "source", "질문", "답변", "role", "content"}.union(*GOOD))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT, st.sampled_from(["user", "assistant"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
        st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "x"]), "content": inner}),
        st.fixed_dictionaries({"speaker_id": st.sampled_from(["A", "B", 3, None]), "content": inner}),
        st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "x", 1]), "value": inner}),
    ),
    max_leaves=14,
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A good row with up to two of its values replaced."""
    row = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    for _ in range(draw(st.integers(0, 2))):
        place = row
        while True:
            key = draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                place[key] = draw(VALUES)
                break
            place = place[key]
    return row


@budget(12_000)
@given(data_files(), OPTIONS, OUTPUTS, PIECES)
def test_spoiled_files(file: tuple[str, bytes], options: dict[str, Any], output: str, piece: int) -> None:
    suffix, raw = file
    check_reading(raw, suffix, options, output, piece)


@budget(3000)
@given(st.lists(st.one_of(spoiled(), spoiled(), VALUES), max_size=5), st.booleans(), OPTIONS, OUTPUTS, PIECES)
def test_rows_of_any_shape(rows: list[Any], array: bool, options: dict[str, Any], output: str, piece: int) -> None:
    options.pop("encoding", None)
    lines = json.dumps(rows) if array else "".join(json.dumps(row) + "\n" for row in rows)
    check_reading(lines.encode(), ".json" if array else ".jsonl", options, output, piece)


@budget(1500)
@given(
    st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(",\t;"), OPTIONS, PIECES
)
def test_tables(cells: list[list[str]], delimiter: str, options: dict[str, Any], piece: int) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, escapechar="\\")
    writer.writerow(["Q", "A"])
    writer.writerows(cells)
    check_reading(stream.getvalue().encode(), ".tsv" if delimiter == "\t" else ".csv", options, piece=piece)


@budget(1500)
@given(data_files(), OPTIONS)
def test_validation_of_spoiled_files(file: tuple[str, bytes], options: dict[str, Any]) -> None:
    source = f"raw{file[0]}"
    with open(source, "wb") as stream:
        stream.write(file[1])
    with contextlib.suppress(InputError):
        result = validate.run(validate.plan(ValidateConfig(input=[source], **options)), SilentReporter())
        json.dumps(result.to_json()).encode()


def test_a_quarter_of_a_million_rows_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every length around the size of a piece, against the same rows read line by line."""
    dice = random.Random(7)
    with open("a.jsonl", "w", encoding="utf-8") as stream:
        for number in range(250_000):
            text = "가" * dice.choice((1, 10, 100)) + str(number)
            stream.write(
                json.dumps({"text": text}, ensure_ascii=bool(number % 2)) + dice.choice(("\n", "\r\n", "\n\n"))
            )
    monkeypatch.setattr(batches, "_PIECE", 9_999)
    with open("a.jsonl", "rb") as lines:
        want = [(f"a.jsonl:{n}", json.loads(line)["text"]) for n, line in enumerate(lines, 1) if line.strip()]
    assert [(record.where, record.text) for record in read_records(["a.jsonl"], ReadOptions())] == want
