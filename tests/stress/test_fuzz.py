"""Whatever stands in a configuration or a data file: it is read, or refused with an InputError. About two minutes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llmops_cli.app import main
from llmops_cli.config.yaml import parse_value, parse_yaml
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.workspace import shipped_root
from llmops_cli.data import convert, validate
from llmops_cli.data.config import ConvertConfig, ReadOptions, ValidateConfig
from llmops_cli.data.reading import read_records

ROOT = shipped_root()


def budget(examples: int) -> Callable[[Any], Any]:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


def shipped(pattern: str, most: int = 8) -> list[bytes]:
    found = sorted(ROOT.glob(pattern), key=lambda path: path.stat().st_size)[:most]
    assert found
    return [path.read_bytes()[:4000] for path in found]


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


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """One of the files with a few places cut, doubled or overwritten."""
    raw = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 60)))
        raw = raw[:start] + draw(st.one_of(JUNK, st.just(b""), st.just(raw[start:end] * 2))) + raw[end:]
    return raw


@budget(4000)
@given(TEXT)
@example("a: !!timestamp x")
@example("a: &a {<<: *a}")
def test_yaml_text(text: str) -> None:
    for parse in (parse_yaml, parse_value):
        with contextlib.suppress(InputError):
            parse(text, "a.yaml")


def ended(*arguments: str) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        return main(arguments), said.getvalue()


@budget(900)
@given(mutated(shipped("configs/*.yaml") + shipped("recipes/*.yaml")))
def test_configuration_files(raw: bytes) -> None:
    Path("a.yaml").write_bytes(raw)
    for command in ("check", "show"):
        code, said = ended("config", command, "a.yaml")
        assert code in (0, 2), said
        assert all(line.startswith("error: ") for line in said.splitlines()), said


KEYS = st.sampled_from(
    ["train", "data", "lora", "seed", "targets", "train.seed", "data.names", "steps.0.job", "tracking"]
)


@budget(800)
@given(st.lists(st.tuples(st.one_of(KEYS, SYNTAX), TEXT), min_size=1, max_size=3))
def test_overrides(pairs: list[tuple[str, str]]) -> None:
    Path("a.yaml").write_text("data: {train: a.jsonl}\nlora: {rank: 2}\n", encoding="utf-8")
    words = [word for key, value in pairs for word in ("--set", f"{key}={value}")]
    code, said = ended("config", "show", "a.yaml", "--job", "train", *words)
    assert code in (0, 2), said


SOME_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "prompt_column": st.sampled_from(["Q", "prompt", "없음"]),
        "completion_column": st.sampled_from(["A", "completion", "id"]),
        "assistant_speaker": st.sampled_from(["A", "1"]),
        "names": st.just({"C001": "민준"}),
        "encoding": st.sampled_from(["utf-8", "cp949"]),
    },
)
OPTIONS = st.one_of(st.builds(dict), st.builds(dict), SOME_OPTIONS)
SUFFIXES = st.sampled_from([".json", ".jsonl", ".csv", ".tsv"])


def check_reading(raw: bytes, suffix: str, options: dict[str, Any]) -> None:
    """Read, validate and convert one file; what comes out is whole, and reads back as it was written."""
    source, output = Path(f"raw{suffix}"), Path("out/clean.jsonl")
    source.write_bytes(raw)
    output.unlink(missing_ok=True)
    problems: list[object] = []
    records = []
    with contextlib.suppress(InputError):
        records = list(read_records([str(source)], ReadOptions(**options), problems.append))
        assert records or problems
    assert len({record.id for record in records}) == len(records)
    assert all(unicodedata.is_normalized("NFC", text) for record in records for text in record.contents())
    with contextlib.suppress(InputError):
        result = validate.run(validate.plan(ValidateConfig(input=[str(source)], **options)), SilentReporter())
        assert result.records == len(records)
        json.dumps(result.to_json()).encode()
    try:
        config = ConvertConfig(input=[str(source)], output=str(output), **options)
        written = convert.run(convert.plan(config), SilentReporter())
    except InputError:
        assert not output.exists()
        return
    assert written.output.records <= len(records)
    lines = output.read_text(encoding="utf-8").split("\n")[:-1]
    back = [record.to_json() for record in read_records([str(output)], ReadOptions())]
    assert [json.loads(line) for line in lines] == back


TABLE = 'Q,A,label\n안녕?,반가워.,1\n"둘, 셋","그\n래",0\n또?,응,1\n'.encode()
SAMPLES = [
    (".json", shipped("data/*/daily_json/*/*.json", 4) + shipped("data/*/VL_*/*.json", 6)),
    (".csv", [TABLE, TABLE.decode().encode("cp949")]),
    (".tsv", [TABLE.replace(b",", b"\t")]),
    (".jsonl", [b'{"prompt": "a", "completion": "b"}\n{"messages": [{"role": "user", "content": "c"}]}\n' * 2]),
]


@budget(2000)
@given(st.data(), st.sampled_from(SAMPLES), OPTIONS)
def test_data_files(data: st.DataObject, sample: tuple[str, list[bytes]], options: dict[str, Any]) -> None:
    suffix = data.draw(st.one_of(st.just(sample[0]), SUFFIXES))
    check_reading(data.draw(mutated(sample[1])), suffix, options)


NAMES = ["id", "messages", "role", "content", "speaker_id", "name", "text", "units", "title", "genre", "characters"]
NAMES += ["prompt", "completion", "chosen", "rejected", "question", "answer", "Q", "A", "질문", "source", "metadata"]
NAMES += ["instruction", "input", "output", "system"]
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
    ),
    max_leaves=14,
)
GOOD = [
    {"messages": [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "응."}], "id": "a"},
    {"messages": [{"role": "user", "content": "둘 중?"}], "chosen": "이것", "rejected": "저것", "metadata": {"n": 1}},
    {"messages": [{"speaker_id": speaker, "content": "말"} for speaker in "ABAB"], "topic": "일상"},
    {
        "id": "m",
        "title": "바다",
        "genre": ["극"],
        "text": ["C001은 갔다.", "C002가 C001을 불렀다."],
        "characters": ["C001"],
    },
    {"title": "산", "units": [{"storyline": "C001의 길", "story_scripts": [{"content": "C001은 걸었다."}]}], "id": 3},
    {"instruction": "요약해", "input": "긴 글", "output": "글", "system": "짧게"},
    {"prompt": "가", "completion": "나"},
    {"Q": "무엇?", "A": "그것.", "label": 1},
    {"text": "그냥 글"},
]


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


ROWS = st.lists(st.one_of(spoiled(), spoiled(), VALUES), max_size=5)


@budget(2000)
@given(ROWS, st.booleans(), OPTIONS)
def test_rows_of_any_shape(rows: list[Any], array: bool, options: dict[str, Any]) -> None:
    options.pop("encoding", None)
    lines = json.dumps(rows) if array else "".join(json.dumps(row) + "\n" for row in rows)
    check_reading(lines.encode(), ".json" if array else ".jsonl", options)


@budget(600)
@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(",\t;"), OPTIONS)
def test_tables(cells: list[list[str]], delimiter: str, options: dict[str, Any]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, escapechar="\\")
    writer.writerow(["Q", "A"])
    writer.writerows(cells)
    check_reading(stream.getvalue().encode(), ".tsv" if delimiter == "\t" else ".csv", options)
