"""Parquet and Avro: any table of them is read, and records are written in a schema with a version.

Version 1 had `id, messages, text, source, metadata`; version 2 adds `chosen` and `rejected`. A file of an older version
reads as one whose other columns are empty; one of a newer version is refused.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Protocol

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.data.documents import parse_line
from llmops_cli.data.sources import Source

COLUMNAR = (".parquet", ".avro")
SCHEMA_VERSION = 2
_VERSION_KEY = "llmops.record_schema"
_ROWS = 2_000  # read or written at a time
_SYNC_MARKER = b"llmops avro sync"  # 16 bytes between blocks; random by default, and then no two files are equal


def read_columnar(source: Source) -> Iterator[dict[str, Any]]:
    """The rows of a file of any schema as JSON has them, without columns that are null.

    Metadata of our records is unpacked.

    Raises:
        InputError: the file is broken, or its record schema is newer than this program's.
        MachineError: the library for Avro is not installed.
    """
    stream = source.path.open("rb") if source.on_disk else io.BytesIO(source.open().read())
    with stream:
        version, rows = (_open_parquet if source.suffix == ".parquet" else _open_avro)(stream, source)
        if version > SCHEMA_VERSION:
            what = f"record schema {version}; this program knows up to {SCHEMA_VERSION}"
            raise InputError(what, where=source.name, hint="pip install --upgrade llmops-cli")
        for number, row in enumerate(rows, 1):
            where = f"{source.name}:{number}"
            if not isinstance(row, dict):
                raise InputError("want named columns", where=where)
            known = {key: plain for key, value in row.items() if (plain := _as_json(value)) is not None}
            if version and isinstance(known.get("metadata"), str):
                known["metadata"] = parse_line(known["metadata"], where)
            yield known


def _as_json(value: Any) -> Any:
    """`value` as JSON can hold it: dates and decimals become text, and so do bytes that are UTF-8; others are null."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    return None if value is None else str(value)


def _open_parquet(stream: IO[bytes], source: Source) -> tuple[int, Iterator[dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    def rows() -> Iterator[dict[str, Any]]:
        try:
            for batch in file.iter_batches(batch_size=_ROWS):
                yield from batch.to_pylist()
        except Exception as error:  # what the values meet on their way to Python: no UTF-8, a year beyond 9999
            raise InputError(f"the Parquet file is broken: {error}", where=source.name) from None

    try:
        file = parquet.ParquetFile(stream)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"this is no Parquet file: {error}", where=source.name) from None
    return _version(file.schema_arrow.metadata or {}), rows()


def _open_avro(stream: IO[bytes], source: Source) -> tuple[int, Iterator[Any]]:
    fastavro = _fastavro()

    def rows() -> Iterator[Any]:
        try:
            yield from reader
        except Exception as error:  # fastavro lets whatever its decoding meets through
            raise InputError(f"the Avro file is broken: {error}", where=source.name) from None

    try:
        reader = fastavro.reader(stream)
    except Exception as error:  # as above
        raise InputError(f"this is no Avro file: {error}", where=source.name) from None
    return _version({key.encode(): value.encode() for key, value in reader.metadata.items()}), rows()


def _version(metadata: Mapping[bytes, bytes]) -> int:
    """The version of our record schema, or 0 for a table of another making."""
    text = metadata.get(_VERSION_KEY.encode(), b"0")
    return int(text[:9]) if text.isdigit() else 0


def _fastavro() -> Any:
    try:
        import fastavro
    except ImportError:
        raise MachineError("Avro needs fastavro", hint="pip install 'llmops-cli[avro]'") from None
    return fastavro


class RowWriter(Protocol):
    """Writes rows of our JSONL to a binary stream in another shape."""

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what is held back, and the end of the file."""


def columnar_writer(stream: IO[bytes], suffix: str) -> RowWriter:
    """A writer of `.parquet` or `.avro`. Raises MachineError when its library is not installed."""
    return _ParquetWriter(stream) if suffix == ".parquet" else _AvroWriter(stream)


def _packed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "metadata": json.dumps(row["metadata"], ensure_ascii=False)}


class _ParquetWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        import pyarrow
        from pyarrow import parquet

        text = pyarrow.string()
        turn = pyarrow.struct({"role": text, "content": text})
        columns = {"id": text, "messages": pyarrow.list_(turn)}
        columns |= dict.fromkeys(("text", "chosen", "rejected", "source", "metadata"), text)
        self._schema = pyarrow.schema(columns, metadata={_VERSION_KEY: str(SCHEMA_VERSION)})
        self._table = pyarrow.Table
        self._writer = parquet.ParquetWriter(stream, self._schema, compression="zstd")

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._writer.write_table(self._table.from_pylist([_packed(row) for row in rows], schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _AvroWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        optional = ["null", "string"]
        turn = {
            "type": "record",
            "name": "Message",
            "fields": [{"name": name, "type": "string"} for name in ("role", "content")],
        }
        fields = [{"name": name, "type": optional, "default": None} for name in ("text", "chosen", "rejected")]
        schema = {
            "type": "record",
            "name": "Record",
            "fields": [
                {"name": "id", "type": "string"},
                {"name": "messages", "type": ["null", {"type": "array", "items": turn}], "default": None},
                *fields,
                {"name": "source", "type": "string"},
                {"name": "metadata", "type": "string"},
            ],
        }
        self._writer = _fastavro().write.Writer(
            stream,
            schema,
            codec="deflate",
            metadata={_VERSION_KEY: str(SCHEMA_VERSION)},
            sync_marker=_SYNC_MARKER,
        )

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self._writer.write(_packed(row))

    def close(self) -> None:
        self._writer.flush()
