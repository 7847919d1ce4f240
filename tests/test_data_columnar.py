"""Parquet and Avro: tables of any making are read, our records come back as they were written."""

from __future__ import annotations

import gzip
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import fastavro
import pyarrow
import pytest
from pyarrow import parquet
from workbench import read, refused, turns, write_file

from llmops_cli.core.console import SilentReporter
from llmops_cli.data import convert
from llmops_cli.data.config import ConvertConfig


def columnar(name: str, rows: list[dict[str, Any]], version: int | None) -> str:
    """Write rows as `.parquet` or `.avro`, with the version of our record schema if it is to have one."""
    if name.endswith(".parquet"):
        table = pyarrow.Table.from_pylist(rows)
        keys = {"llmops.record_schema": str(version)} if version else {}
        parquet.write_table(table.replace_schema_metadata(keys), name)
        return name
    kinds: dict[type, Any] = {str: "string", int: "long", list: {"type": "array", "items": TURN}}
    fields = [{"name": key, "type": kinds[type(value)]} for key, value in rows[0].items()]
    with Path(name).open("wb") as stream:
        keys = {"llmops.record_schema": str(version)} if version else None
        fastavro.writer(stream, {"type": "record", "name": "Row", "fields": fields}, rows, metadata=keys)
    return name


TURN = {"type": "record", "name": "Turn", "fields": [{"name": name, "type": "string"} for name in ("role", "content")]}
SAID = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "응"}]


@pytest.mark.parametrize("suffix", ["parquet", "avro"])
def test_columns_of_a_foreign_schema(suffix: str) -> None:
    rows = [{"질문": f"{number}?", "답변": unicodedata.normalize("NFD", "응"), "label": number} for number in range(3)]
    write_file(f"b.{suffix}.gz", gzip.compress(Path(columnar(f"a.{suffix}", rows, None)).read_bytes()))
    with zipfile.ZipFile("c.zip", "w") as archive:
        archive.write(f"a.{suffix}")
    for path in (f"a.{suffix}", f"b.{suffix}.gz", "c.zip"):
        records = read(path)
        assert [turns(record) for record in records] == [[("user", f"{n}?"), ("assistant", "응")] for n in range(3)]
        assert (records[2].metadata, records[2].denormalised) == ({"label": 2}, True)
        assert records[2].id.endswith(":3")


@pytest.mark.parametrize("suffix", ["parquet", "avro"])
def test_our_record_schema_in_older_and_newer_versions(suffix: str) -> None:
    first = {"id": "a", "messages": SAID, "source": "raw.json", "metadata": '{"work": "w", "n": [1]}'}
    for version, row in ((1, first), (2, first | {"chosen": "응", "rejected": "아니"})):
        (record,) = read(columnar(f"{version}.{suffix}", [row], version))
        assert record.to_json() == row | {"metadata": {"work": "w", "n": [1]}}
    problem = refused(columnar(f"3.{suffix}", [first], 3))
    assert problem.what == "record schema 3; this program knows up to 2"
    assert problem.hint == "pip install --upgrade llmops-cli"
    assert "broken JSON" in refused(columnar(f"4.{suffix}", [first | {"metadata": "{"}], 2)).what


def test_values_that_json_has_not() -> None:
    metadata = pyarrow.array([{"day": 0, "raw": b"\xff", "text": "글".encode(), "n": float("nan")}], pyarrow.struct(
        {"day": pyarrow.date32(), "raw": pyarrow.binary(), "text": pyarrow.binary(), "n": pyarrow.float64()}
    ))  # fmt: skip
    table = pyarrow.table(
        {"text": pyarrow.array(["가".encode()], pyarrow.binary()), "metadata": metadata, "x": [float("inf")]}
    )
    parquet.write_table(table, "a.parquet")
    (record,) = read("a.parquet")
    assert record.text == "가"
    assert record.metadata == {"day": "1970-01-01", "raw": None, "text": "글", "n": None}


def test_broken_columnar_files() -> None:
    text = pyarrow.Array.from_buffers(
        pyarrow.string(), 1, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0"), pyarrow.py_buffer(b"\xff\xfe")]
    )
    parquet.write_table(pyarrow.table({"text": text}), "a.parquet")
    parquet.write_table(
        pyarrow.table({"text": ["가"], "t": pyarrow.array([2**62], pyarrow.timestamp("us"))}), "b.parquet"
    )
    write_file("c.parquet", b"PAR1")
    write_file("d.avro", b"Obj\x01")
    whole = Path(columnar("e.avro", [{"text": "가나다"}] * 50, None)).read_bytes()
    write_file("e.avro", whole[:-40])
    with Path("f.avro").open("wb") as stream:
        fastavro.writer(stream, "string", ["가"])
    whats = [refused(name).what for name in ("a.parquet", "b.parquet", "c.parquet", "d.avro", "e.avro", "f.avro")]
    assert [what.partition(":")[0] for what in whats] == [
        *["the Parquet file is broken"] * 2, "this is no Parquet file",
        "this is no Avro file", "the Avro file is broken", "want named columns",
    ]  # fmt: skip


OURS: list[dict[str, Any]] = [
    {"id": "a", "messages": SAID, "source": "a.json", "metadata": {"n": [1, 10**30], "deep": {"x": None, "f": 0.1}}},
    {"id": "b", "messages": SAID[:1], "chosen": "응", "rejected": "아니", "source": "a.json", "metadata": {}},
    {"id": "c", "text": "글\u2028\n끝 👩\u200d🚀 \x00", "source": "가/나.txt", "metadata": {"genre": ["극"]}},
]


@pytest.mark.parametrize("suffix", ["parquet", "avro"])
def test_our_records_come_back_as_they_were_written(suffix: str) -> None:
    rows = [row | {"id": f"{row['id']}{number}"} for number in range(1_000) for row in OURS]
    path = write_file("a.jsonl", rows)
    for output in (f"b.{suffix}", "c.jsonl", f"d.{suffix}"):
        config = ConvertConfig(input=[path], output=output)
        convert.run(convert.plan(config), SilentReporter())
        assert [record.to_json() for record in read(output)] == rows
        path = output
    assert Path(f"b.{suffix}").read_bytes() == Path(f"d.{suffix}").read_bytes()
    assert Path(f"b.{suffix}").stat().st_size < Path("a.jsonl").stat().st_size
