"""Files cut into pieces, in one process and in two, come to the same records, ids and problems."""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import write_file

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import Problem
from llmops_cli.data import batches, convert
from llmops_cli.data.config import ConvertConfig, ReadOptions
from llmops_cli.data.reading import Tally, UniqueIds, read_records, scan
from llmops_cli.data.records import Record
from llmops_cli.data.sources import expand

Found = tuple[list[Record], list[Problem]]


def mixed_lines(count: int, end: str, seed: int) -> str:
    """Rows good and bad, short and long, blank lines, escapes, NFD and numbers beyond 64 bits."""
    dice = random.Random(seed)
    kinds = [
        lambda n: json.dumps({"text": f"{n}번 글"}, ensure_ascii=False),
        lambda n: json.dumps({"text": f"{n}번 글"}),
        lambda n: json.dumps({"id": n % 7, "text": "긴 글 " * dice.randrange(200)}, ensure_ascii=False),
        lambda n: unicodedata.normalize("NFD", json.dumps({"text": f"{n}번 한글"}, ensure_ascii=False)),
        lambda n: json.dumps({"text": "수", "metadata": {"n": [1, 10**30 + n]}}, ensure_ascii=False),
        lambda n: "",
        lambda n: "{broken",
        lambda n: json.dumps({"messages": n}),
    ]
    return end.join(dice.choice(kinds)(number) for number in range(count)) + end * dice.randrange(2)


@pytest.fixture
def corpus() -> list[Path]:
    """Files of every layout, some of them empty or broken."""
    write_file("d/a.jsonl", mixed_lines(300, "\n", 1))
    write_file("d/b.jsonl", "\ufeff" + mixed_lines(300, "\r\n", 2))
    write_file("d/c.csv", "Q,A\r\n" + "".join(f'{n}번 "물음,"\n여러\r\n줄",답\r\n{n},"응\n응"\r\n' for n in range(60)))
    write_file("d/d.json", json.dumps([{"text": f"{number}번"} for number in range(200)], indent=1)[:-40])
    write_file("d/e.tsv", "문장\t등급\n" + "가\t1\n" * 100)
    write_file("d/f.jsonl", "")
    write_file("d/g.csv", ("Q,A\n" + "하나,둘\n" * 100).encode("cp949"))
    write_file("d/h.jsonl.gz", gzip.compress(mixed_lines(200, "\n", 3).encode()))
    write_file("d/i.txt", "한 줄\n\n두 줄\n" * 100)
    write_file("d/j.jsonl", " \n" * 500)
    write_file("d/k.csv", "Q,A\n".encode("utf-16") * 100)
    write_file("d/l.jsonl", '{"text": "마지막"}')
    return expand(["d"])


def scanned(files: list[Path], options: ReadOptions, workers: int | None = None) -> tuple[Found, dict[str, Tally]]:
    """What `scan` finds, with the ids as a job makes them unique."""
    found: Found = [], []
    ids = UniqueIds()
    tallies: dict[str, Tally] = {}
    for outcome in scan(files, options, list, workers):
        found[0].extend(record._replace(id=ids.unique(record.id)) for record in outcome.value)
        found[1].extend(outcome.problems)
        for name, tally in outcome.tallies.items():
            tallies.setdefault(name, Tally(tally.file, tally.layout)).add(tally)
    return found, tallies


@pytest.mark.parametrize("encoding", ["utf-8", "auto"])
@pytest.mark.parametrize(("piece", "rows"), [(1, 1), (100, 7), (2_000, 50)])
def test_small_pieces_are_the_same_as_whole_files(
    corpus: list[Path], monkeypatch: pytest.MonkeyPatch, encoding: str, piece: int, rows: int
) -> None:
    options = ReadOptions(encoding=encoding, text_unit="paragraph")
    whole, counted = scanned(corpus, options)
    monkeypatch.setattr(batches, "_SMALL", 0)
    monkeypatch.setattr(batches, "_PIECE", piece)
    monkeypatch.setattr(batches, "_ROWS", rows)
    (records, problems), cut = scanned(corpus, options)
    assert len(records) > 900
    assert records == whole[0]
    assert problems_by_file(problems) == problems_by_file(whole[1])
    assert cut == counted
    told: list[Problem] = []
    assert list(read_records(["d"], options, told.append)) == records
    assert told == problems


def problems_by_file(problems: list[Problem]) -> dict[str, list[Problem]]:
    """Problems in their order within each file: that a file is empty is known at the end of its group."""
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.where.partition(":")[0], []).append(problem)
    return found


def test_two_processes_are_the_same_as_one(corpus: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SMALL", 1_000)
    monkeypatch.setattr(batches, "_PIECE", 5_000)
    options = ReadOptions(text_unit="line")
    assert scanned(corpus, options, 2) == scanned(corpus, options, 1)


def test_lines_keep_their_numbers_and_ids_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SMALL", 0)
    monkeypatch.setattr(batches, "_PIECE", 50)
    lines = [f'{{"text": "{"가" * (number % 90)}"}}' if number % 3 else "" for number in range(1, 500)]
    path = Path(write_file("a.jsonl", "\r\n".join(lines)))
    (records, problems), _ = scanned([path], ReadOptions())
    assert problems == []
    assert [(record.where, record.id) for record in records] == [
        (f"a.jsonl:{number}", f"a:{number}") for number in range(1, 500) if number % 3
    ]


def test_a_limit_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SMALL", 0)
    monkeypatch.setattr(batches, "_PIECE", 50)
    seen: list[int] = []
    pieces = batches.pieces_of

    def counted(files: list[Path], options: ReadOptions) -> Iterator[batches.Piece]:
        for piece in pieces(files, options):
            seen.append(piece.size)
            yield piece

    monkeypatch.setattr("llmops_cli.data.reading.pieces_of", counted)
    config = ConvertConfig(input=[write_file("a.jsonl", '{"text": "글"}\n' * 1_000)], output="b.jsonl", limit=10)
    assert convert.run(convert.plan(config), SilentReporter()).outputs[0].records == 10
    assert len(seen) < 10
