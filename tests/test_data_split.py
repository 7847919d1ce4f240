"""Splitting: nothing straddles, every part gets its share, and the files appear together."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from workbench import Cli, write_rows

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.data import split
from llmops_cli.data.apportion import Group, apportion
from llmops_cli.data.config import SplitConfig
from llmops_cli.data.manifest import read_manifest
from llmops_cli.data.records import Message, Record
from llmops_cli.data.strata import stratum_of

TRAIN, HELD_OUT, TEST = "out/train.jsonl", "out/heldout.jsonl", "out/test.jsonl"
NOUNS = (
    "바다",
    "산책",
    "우산",
    "시험",
    "강아지",
    "기차",
    "커피",
    "사진",
    "회의",
    "할머니",
    "노래",
    "지우개",
    "학교",
    "달력",
)


def sentence(number: int, words: int = 14) -> str:
    """A sentence that is like none with another number."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return " ".join(f"{NOUNS[byte % len(NOUNS)]}{byte}" for byte in digest[:words])


def talk(number: int, **fields: Any) -> dict[str, Any]:
    messages = [
        {"role": "user", "content": sentence(number)},
        {"role": "assistant", "content": sentence(-number - 1)},
    ]
    return {"id": f"t{number}", "messages": messages} | fields


def divided(*rows: dict[str, Any], reporter: SilentReporter | None = None, **values: Any) -> split.SplitResult:
    """The split of rows into `out`."""
    config = SplitConfig(input=[write_rows("in.jsonl", list(rows))], output="out", **values)
    return split.run(split.plan(config), reporter or SilentReporter())


def read(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def ids(path: str) -> list[str]:
    return [row["id"] for row in read(path)]


def test_the_command_writes_shares_in_reading_order(cli: Cli) -> None:
    write_rows("in.jsonl", [talk(number) for number in range(200)])
    answer = cli("data", "split", "in.jsonl", "-o", "out", "--held-out", "0.2", "--test", "0.1", "--json")
    assert answer.code == 0, answer.err
    result = answer.json()
    assert result["strata"] == {"in.jsonl": {"train": 140, "heldout": 40, "test": 20}}
    assert (result["groups"], result["leakage"]) == (200, {"shared": 0, "moved": 0})
    files = [ids(path) for path in (TRAIN, HELD_OUT, TEST)]
    assert sorted(name for names in files for name in names) == sorted(f"t{number}" for number in range(200))
    assert all(names == sorted(names, key=lambda name: int(name[1:])) for names in files)
    assert read(HELD_OUT)[0] == talk(int(ids(HELD_OUT)[0][1:])) | {"source": "in.jsonl", "metadata": {}}
    manifest = read_manifest(Path(TEST))
    assert manifest is not None
    assert (manifest.job, manifest.output.records, manifest.records["in"]) == ("data split", 20, 200)


def test_the_table_says_what_went_where(cli: Cli) -> None:
    write_rows("in.jsonl", [talk(number) for number in range(20)])
    answer = cli("data", "split", "in.jsonl", "-o", "out")
    assert (answer.code, answer.err) == (0, "")
    assert "20 groups; records that share text across files: 0" in answer.out
    (line,) = [line for line in answer.out.splitlines() if "together" in line]
    assert [word for word in line.split() if word.isdigit()] == ["18", "2"]


@pytest.mark.parametrize("key", ["work", "user"])
def test_records_with_one_value_stay_together(key: str) -> None:
    rows = [talk(number, metadata={key: f"w{number % 20}" if number % 2 else number % 20}) for number in range(100)]
    divided(*rows, group_by=key, held_out=0.3)
    sides = [{row["metadata"][key] for row in read(path)} for path in (TRAIN, HELD_OUT)]
    assert len(sides[0]) == 14
    assert len(sides[1]) == 6
    assert not sides[0] & sides[1]


def test_near_copies_and_works_are_joined_into_one_group() -> None:
    """a and b are one work, b is nearly c, c and d are one work: none of them goes without the others."""
    chain = [
        talk(0, id="a", metadata={"work": 1}),
        talk(1, id="b", metadata={"work": 1}),
        talk(1, id="c", metadata={"work": 2}),
        talk(2, id="d", metadata={"work": 2}),
    ]
    chain[2]["messages"][0]["content"] += " 끝"
    others = [talk(number) for number in range(10, 40)]
    for seed in range(6):
        result = divided(*chain, *others, seed=seed, held_out=0.5)
        assert result.groups == 31
        assert len({"a", "b", "c", "d"} & set(ids(HELD_OUT))) in (0, 4)


def test_conversations_with_the_same_long_ending_stay_together() -> None:
    ending = talk(99)["messages"]
    rows = [talk(number) for number in range(20)]
    for row in rows[:10]:
        row["messages"] += ending
    assert divided(*rows, held_out=0.3).groups == 11


def test_a_quoted_answer_is_taken_out_of_the_held_out_data() -> None:
    """A text that quotes the answer of another is not like it, so only the check of the result finds it."""
    rows = [talk(number) for number in range(10)]
    quotes = [
        {"id": f"q{number}", "text": " ".join([sentence(100 + number, 30), row["messages"][1]["content"]])}
        for number, row in enumerate(rows)
    ]
    moved = 0
    for seed in range(4):
        reporter = SilentReporter()
        result = divided(*rows, *quotes, seed=seed, held_out=0.4, reporter=reporter)
        held_out = set(ids(HELD_OUT))
        assert all(f"q{name[1:]}" in held_out for name in held_out if name.startswith("t"))
        assert len(held_out) == 8 - result.moved
        assert result.shared == 0
        assert reporter.warnings == (
            [f"{result.moved} records could not be held out: they share text with others"] if result.moved else []
        )
        moved += result.moved
    assert moved


def test_the_check_of_leakage_finds_nothing_between_the_files(cli: Cli) -> None:
    rows = [talk(number % 60, id=f"t{number}") for number in range(120)]
    for row in rows[60:]:
        row["messages"][1]["content"] += "!"
    divided(*rows, held_out=0.2, test=0.2)
    for trained, held_out in ((TRAIN, HELD_OUT), (TRAIN, TEST), (HELD_OUT, TEST)):
        assert cli("data", "validate", trained, "--against", held_out, "--set", "checks=[leakage]").code == 0


def test_every_stratum_gives_its_share_to_within_one_group() -> None:
    kinds = {"novel": (40, 5), "anime": (25, 8)}
    rows = [
        talk(
            1000 * len(kind) + work * 10 + part,
            id=f"{kind}{work}.{part}",
            metadata={"work": f"{kind}{work}", "kind": kind},
        )
        for kind, (works, parts) in kinds.items()
        for work in range(works)
        for part in range(parts)
    ]
    rows += [talk(90_000 + number, source=f"chats/{'ab'[number % 2]}/{number}.json") for number in range(100)]
    result = divided(*rows, held_out=0.1, test=0.05)
    assert {name: sum(counts) for name, counts in result.strata.items()} == {
        "anime": 200,
        "chats/a": 50,
        "chats/b": 50,
        "novel": 200,
    }
    largest = {"anime": 8, "novel": 5, "chats/a": 1, "chats/b": 1}
    for name, (_, held_out, test) in result.strata.items():
        assert abs(held_out - 0.1 * sum(result.strata[name])) <= largest[name]
        assert abs(test - 0.05 * sum(result.strata[name])) <= largest[name]


def test_one_record_a_stratum_still_gives_the_shares() -> None:
    groups = [Group(1, stratum, stratum * 7919 % 1000) for stratum in range(1000)]
    assert Counter(apportion(groups, [0.1, 0.05])) == {0: 850, 1: 100, 2: 50}


def test_a_large_group_does_not_burst_a_small_share() -> None:
    groups = [Group(100, 0, 0), *(Group(1, 0, order) for order in range(1, 101))]
    sides = apportion(groups, [0.1])
    assert sides[0] == 0
    assert sum(sides) == 20


@pytest.mark.parametrize("shares", [[0.01], [0.97], [0.01, 0.01], [0.5, 0.49]])
def test_no_side_stays_empty(shares: list[float]) -> None:
    groups = [Group(size, 0, size) for size in (50, 40, 10)]
    assert set(apportion(groups, shares)) == set(range(len(shares) + 1))


def test_what_cannot_be_split_is_said() -> None:
    with pytest.raises(InputError, match=r"want at least 2 groups .* got 1 -> --set group_by=KEY"):
        divided(*(talk(number, metadata={"work": 1}) for number in range(5)))
    with pytest.raises(InputError, match="the file is empty"):
        divided()
    assert not Path("out").exists()


def test_the_same_seed_gives_the_same_bytes_on_every_machine() -> None:
    rows = [talk(number) for number in range(60)]
    written = []
    for seed, workers in ((7, 1), (7, 2), (8, 1)):
        divided(*rows, seed=seed, workers=workers)
        written.append(Path(HELD_OUT).read_bytes())
    assert written[0] == written[1] != written[2]
    divided(*rows)
    assert ids(HELD_OUT) == ["t7", "t11", "t27", "t32", "t38", "t43"]


def test_a_key_that_no_record_has_is_told() -> None:
    reporter = SilentReporter()
    divided(*(talk(number) for number in range(9)), group_by="wrok", reporter=reporter)
    assert reporter.warnings == ["no record has 'wrok' in its metadata: nothing is grouped by it"]
    divided(*(talk(number) for number in range(9)), reporter=(silent := SilentReporter()))
    assert silent.warnings == []


def test_wrong_shares_are_refused(cli: Cli) -> None:
    with pytest.raises(ValidationError, match="leave nothing to train on"):
        SplitConfig(input=["a.jsonl"], output="out", held_out=0.6, test=0.4)
    write_rows("in.jsonl", [talk(1), talk(2)])
    assert cli("data", "split", "in.jsonl", "-o", "out", "--held-out", "1").code == 2
    assert cli("data", "split", "in.jsonl", "-o", "in.jsonl").errors == [
        f"in.jsonl/{name}.jsonl: the output lies in a file, want a folder" for name in ("train", "heldout")
    ]


def test_a_test_file_of_another_split_does_not_stay() -> None:
    rows = [talk(number) for number in range(20)]
    divided(*rows, test=0.2)
    with pytest.raises(InputError, match=r"out/test.jsonl: left from another split.* -> rm out/test.jsonl"):
        divided(*rows, seed=8)


def files_in(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def test_a_failure_while_writing_leaves_the_old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [talk(number) for number in range(20)]
    divided(*rows)
    old = files_in("out")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        divided(*rows, seed=8)
    assert {name: data for name, data in files_in("out").items() if not name.startswith(".")} == old
    assert not [path for path in Path("out").iterdir() if path.is_dir()]


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_between_the_files_leaves_no_old_one_beside_a_new_one(
    monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    rows = [talk(number) for number in range(20)]
    divided(*rows)
    old = files_in("out")
    rename = os.replace
    done: list[Path] = []

    def killed(source: Any, target: Any) -> None:
        if Path(target).parent == Path("out"):
            if len(done) == renames:
                raise KeyboardInterrupt
            done.append(target)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            divided(*rows, seed=8)
    left = {name: data for name, data in files_in("out").items() if not name.startswith(".")}
    assert len(left) == renames
    assert not {data for name, data in left.items() if old.get(name) == data}
    divided(*rows, seed=8)
    assert set(left.values()) <= set(files_in("out").values())


def test_strata() -> None:
    def stratum(source: str, **metadata: Any) -> str:
        return stratum_of(Record("a", (Message("user", "안녕"),), source=source, metadata=metadata))

    assert stratum("data/VL_novel/1.json", kind="novel") == "novel"
    assert stratum("data/daily/family/1.json") == "data/daily/family"
    assert stratum("books.zip/소설/1.txt.gz") == "books.zip/소설"
    assert stratum("data/chats.jsonl", kind="") == "data/chats.jsonl"
    assert stratum("one.json", kind=3) == "one.json"
