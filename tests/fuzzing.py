"""Files that somebody's program wrote and something spoiled, and what must hold for any of them."""

from __future__ import annotations

import gzip
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import fastavro
import pyarrow
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pyarrow import parquet

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.data import batches, convert
from llmops_cli.data.config import ConvertConfig, ReadOptions, WrongSetting
from llmops_cli.data.reading import read_records

SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".json.gz", ".jsonl.gz", ".zip", ".parquet", ".avro")

SYNTAX = st.text(
    st.sampled_from("a1.:-?[]{}&*!|>'\"%@`#,\n\t \\<~=_e+x가각\u1100\u1161\ufeff\x00\u2028\r\x85"), max_size=80
)
TEXT = st.one_of(st.text(max_size=80), SYNTAX)
JUNK = st.one_of(
    st.binary(max_size=6),
    TEXT.map(lambda text: text.encode("utf-8")),
    st.sampled_from([b"\n", b"\r\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\t", b"\x00", b"\xef\xbb\xbf"]),
    st.sampled_from(
        [b"\\ud800", b"\\u0000", b"1e999", b"NaN", b"null", b"<<: ", b"&a ", b"*a", b"!!int ", b"- ", b"#"]
    ),
    st.sampled_from([b"[" * 3000, b'{"a":' * 3000, b"9" * 5000]),
)

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "prompt_column": st.sampled_from(["Q", "prompt", "없음"]),
        "completion_column": st.sampled_from(["A", "completion", "id"]),
        "text_column": st.sampled_from(["Q", "text", "없음"]),
        "text_unit": st.sampled_from(["file", "paragraph", "line"]),
        "assistant_speaker": st.sampled_from(["A", "1"]),
        "names": st.just({"C001": "민준"}),
        "encoding": st.sampled_from(["utf-8", "cp949", "auto"]),
    },
)

GOOD: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "응."}], "id": "a"},
    {"messages": [{"role": "user", "content": "둘 중?"}], "chosen": "이것", "rejected": "저것", "metadata": {"n": 1}},
    {"messages": [{"speaker_id": speaker, "content": "말"} for speaker in "ABAB"], "topic": "일상"},
    {"id": "m", "title": "바다", "genre": ["극"], "text": ["C001은 갔다.", "C002가 C001을 불렀다."]},
    {"title": "산", "units": [{"storyline": "C001의 길", "story_scripts": [{"content": "C001은 걸었다."}]}], "id": 3},
    {"conversations": [{"from": "human", "value": "가"}, {"from": "gpt", "value": "나"}], "system": "다"},
    {"data": [{"paragraphs": [{"context": "가", "qas": [{"question": "나", "answers": [{"text": "다"}]}]}]}]},
    {"turns": ["가", "나"], "outputs": ["다", "라"]},
    {"instruction": "요약해", "input": "긴 글", "output": "글", "system": "짧게"},
    {"prompt": "가", "completion": "나"},
    {"prompt": [{"role": "user", "content": "가"}], "chosen": "나", "rejected": "다"},
    {"Q": "무엇?", "A": "그것.", "label": 1},
    {"text": "그냥 글", "metadata": {"n": [1, 2.5, None], "deep": {"x": "y"}}},
]


def budget(examples: int, **more: Any) -> Callable[[Any], Any]:
    """So many examples of a test that may be slow in each."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow, **more)


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """One of the files with a few places cut, doubled or overwritten."""
    raw = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 60)))
        raw = raw[:start] + draw(st.one_of(JUNK, st.just(b""), st.just(raw[start:end] * 2))) + raw[end:]
    return raw


@cache
def originals() -> dict[str, list[bytes]]:
    """Good files by what their names end in."""
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in GOOD).encode()
    table = 'Q,A,label\n안녕?,반가워.,1\n"둘, 셋","그\n래",0\n또?,응,1\n'.encode()
    text = "봄이 왔다.\n\n꽃이 폈다.\n".encode()
    documents = [json.dumps(row).encode() for row in GOOD] + [json.dumps(GOOD, ensure_ascii=False, indent=1).encode()]
    flat = [row for row in GOOD if all(isinstance(value, (str, int)) for value in row.values())]
    found = {
        ".json": documents,
        ".jsonl": [lines, b"\n".join(documents[:4])],
        ".csv": [table, table.decode().encode("cp949")],
        ".tsv": [table.replace(b",", b"\t"), "## 주석\n나\tO\n는\tO\n\n집\tB\n".encode()],
        ".txt": [text, text.decode().encode("cp949"), table.replace(b",", b"\t")],
        ".parquet": [_parquet(flat), _parquet(GOOD[:2])],
        ".avro": [_avro(flat[:3])],
        ".json.gz": [gzip.compress(document) for document in documents[-2:]],
        ".jsonl.gz": [gzip.compress(lines)],
    }
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for suffix in (".json", ".csv", ".txt", ".jsonl.gz", ".parquet"):
                archive.writestr(f"폴더/a{suffix}", found[suffix][0])
        found.setdefault(".zip", []).append(stream.getvalue())
    return found


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


def _avro(rows: list[dict[str, Any]]) -> bytes:
    names = sorted({name for row in rows for name in row})
    fields = [{"name": name, "type": ["null", "string", "long"], "default": None} for name in names]
    stream = io.BytesIO()
    fastavro.writer(stream, {"type": "record", "name": "Row", "fields": fields}, rows)
    return stream.getvalue()


@st.composite
def data_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A suffix, and a spoiled file or random bytes under it, now and then under the wrong one."""
    suffix = draw(st.sampled_from(SUFFIXES))
    raw = draw(st.one_of(mutated(originals()[suffix]), mutated(originals()[suffix]), st.binary(max_size=200)))
    return draw(st.one_of(st.just(suffix), st.just(suffix), st.sampled_from(SUFFIXES))), raw


def check_reading(raw: bytes, suffix: str, options: dict[str, Any], output: str = ".jsonl", piece: int = 0) -> None:
    """Read a file whole and in pieces, and convert it; what comes out is whole, and reads back as it was written."""
    for old in Path().glob("out*"):
        old.unlink()
    source, written = Path(f"raw{suffix}"), Path(f"out{output}")
    source.write_bytes(raw)
    problems: list[object] = []
    records = list(read_records([str(source)], ReadOptions(**options), problems.append))
    assert records or problems
    assert len({record.id for record in records}) == len(records)
    assert all(unicodedata.is_normalized("NFC", text) for record in records for text in record.contents())
    if piece:
        again: list[object] = []
        with mock.patch.multiple(batches, _SMALL=0, _PIECE=piece, _ROWS=2):
            assert list(read_records([str(source)], ReadOptions(**options), again.append)) == records
        if not any(isinstance(problem, WrongSetting) for problem in problems):  # one ends the reading of a table
            assert again == problems
    try:
        encoding = options.get("encoding", "utf-8")
        config = ConvertConfig(input=[str(source)], output=str(written), **{**options, "encoding": encoding})
        result = convert.run(convert.plan(config), SilentReporter())
    except InputError:
        assert not written.exists()
        return
    assert result.outputs[0].records <= len(records)
    # A record that is left out takes its id with it: of two with one id the second then needs no number.
    kept = iter([record.to_json() | {"id": ""} for record in records])
    back = [record.to_json() for record in read_records([str(written)], ReadOptions())]
    assert all(any(row | {"id": ""} == other for other in kept) for row in back)
    assert len({row["id"] for row in back}) == len(back) == result.outputs[0].records
