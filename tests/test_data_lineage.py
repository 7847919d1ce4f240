"""Where a file comes from, and what has to be made again when something has changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import CONVERSATIONS, Answer, Cli, write_rows

COMMANDS = [
    ("data", "convert", "raw", "-o", "build/train.jsonl", "--set", "fix=[spaces]"),
    ("data", "mask", "build/train.jsonl", "-o", "build/masked.jsonl", "--surrogates", "--set", "seed=3"),
    ("data", "dedup", "build/masked.jsonl", "-o", "build/clean.jsonl"),
    ("data", "split", "build/clean.jsonl", "-o", "build/split", "--test", "0.25"),
]
AGAIN = [
    "llmops data convert raw -o build/train.jsonl --set 'fix=[\"spaces\"]'",
    "llmops data mask build/train.jsonl -o build/masked.jsonl --set style=surrogate --set seed=3",
    "llmops data dedup build/masked.jsonl -o build/clean.jsonl",
    "llmops data split build/clean.jsonl -o build/split --set test=0.25",
]
TRAIN = "build/split/train.jsonl"


@pytest.fixture
def chain(cli: Cli) -> None:
    """convert → mask → dedup → split of three files in two folders, with a copy and a phone number in them."""
    rows = [*CONVERSATIONS, CONVERSATIONS[0] | {"id": "copy"}]
    rows[3] = {
        "id": "r3",
        "messages": [*rows[3]["messages"][:1], {"role": "assistant", "content": "010-2345-6789로 해."}],
    }
    for name, part in {"a/1": rows[:6], "a/2": rows[6:12], "b/1": rows[12:]}.items():
        Path("raw", name).parent.mkdir(parents=True, exist_ok=True)
        write_rows(f"raw/{name}.jsonl", part)
    for command in COMMANDS:
        answer = cli(*command)
        assert answer.code == 0, answer.err


def traced(cli: Cli, *arguments: str, code: int = 0) -> dict[str, Any]:
    answer = cli("data", "lineage", *arguments, "--json")
    assert answer.code == code, answer.err
    result: dict[str, Any] = answer.json()
    return result


def files_of(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and status of every made file, the latest first."""
    yield node["path"], node["status"]
    for made in node["step"]["inputs"] if node["step"] else ():
        yield from files_of(made)


@pytest.mark.usefixtures("chain")
def test_the_chain_leads_back_to_the_raw_files(cli: Cli) -> None:
    result = traced(cli, TRAIN)
    assert (result["ok"], result["files"], result["changed"], result["missing"], result["rerun"]) == (
        True,
        7,
        [],
        [],
        [],
    )
    made = [TRAIN, "build/clean.jsonl", "build/masked.jsonl", "build/train.jsonl"]
    assert list(files_of(result["lineage"])) == [(path, "same") for path in made]
    split = result["lineage"]["step"]
    dedup = split["inputs"][0]["step"]
    mask = dedup["inputs"][0]["step"]
    convert = mask["inputs"][0]["step"]
    assert [step["job"] for step in (split, dedup, mask, convert)] == [f"data {c[1]}" for c in reversed(COMMANDS)]
    assert [step["parameters"] for step in (split, dedup)] == [{"test": 0.25}, {}]
    assert (mask["parameters"], convert["parameters"]) == ({"style": "surrogate", "seed": 3}, {"fix": ["spaces"]})
    assert (dedup["records"]["in"], dedup["records"]["out"], dedup["records"]["dropped"]) == (17, 16, {"copy": 1})
    assert sum(mask["records"]["changed"].values()) == 1
    assert convert["raw"] == [
        {"folder": "raw/a", "files": 2, "changed": [], "missing": []},
        {"folder": "raw/b", "files": 1, "changed": [], "missing": []},
    ]
    assert [step["command"] for step in (convert, mask, dedup, split)] == AGAIN
    assert not any(step["stale"] for step in (convert, mask, dedup, split))


@pytest.mark.usefixtures("chain")
def test_the_tree_shows_it(cli: Cli) -> None:
    answer = cli("data", "lineage", TRAIN)
    assert (answer.code, answer.err) == (0, "")
    lines = [line.lstrip(" │├└─") for line in answer.out.splitlines()]
    assert lines[0] == f"{TRAIN}  10 records, same"
    assert "data mask  (llmops 0.1.0)  style=surrogate, seed=3" in lines
    assert "17 records in, 16 out" in lines
    assert "dropped: copy 1" in lines
    assert lines[-3:] == ["2 files in raw/a, same", "1 file in raw/b, same", "7 files, all as they were"]


@pytest.mark.usefixtures("chain")
def test_one_changed_byte_of_a_raw_file_makes_every_step_stale(cli: Cli) -> None:
    raw = Path("raw/a/2.jsonl")
    raw.write_bytes(raw.read_bytes()[:-1] + b" ")
    result = traced(cli, TRAIN, code=1)
    assert (result["ok"], result["changed"], result["missing"]) == (False, ["raw/a/2.jsonl"], [])
    assert result["rerun"] == AGAIN
    answer = cli("data", "lineage", TRAIN)
    assert answer.code == 1
    assert "2 files in raw/a, 1 changed: 2.jsonl" in answer.out
    assert answer.out.splitlines()[-6:] == [
        "7 files: 1 changed, 0 missing",
        "to run again:",
        *(f"  {c}" for c in AGAIN),
    ]


@pytest.mark.usefixtures("chain")
def test_what_is_to_run_again_does_mend_it(cli: Cli) -> None:
    write_rows("raw/b/1.jsonl", CONVERSATIONS[12:15])
    for command in COMMANDS:
        assert cli(*command).code == 0
    assert traced(cli, TRAIN)["ok"]


@pytest.mark.usefixtures("chain")
def test_a_raw_file_that_is_gone(cli: Cli) -> None:
    shutil.rmtree("raw/b")
    result = traced(cli, TRAIN, code=1)
    assert (result["changed"], result["missing"], result["rerun"]) == ([], ["raw/b/1.jsonl"], AGAIN)
    assert "1 file in raw/b, 1 missing: 1.jsonl" in cli("data", "lineage", TRAIN).out


@pytest.mark.usefixtures("chain")
def test_a_file_that_was_edited_is_made_again_from_there_on(cli: Cli) -> None:
    with Path("build/masked.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    result = traced(cli, TRAIN, code=1)
    assert (result["changed"], result["rerun"]) == (["build/masked.jsonl"], AGAIN[1:])


@pytest.mark.usefixtures("chain")
def test_the_file_itself_was_edited(cli: Cli) -> None:
    Path(TRAIN).write_text("", encoding="utf-8")
    result = traced(cli, TRAIN, code=1)
    assert (result["lineage"]["status"], result["changed"], result["rerun"]) == ("changed", [TRAIN], AGAIN[3:])
    assert traced(cli, "build/split/heldout.jsonl")["ok"]


@pytest.mark.usefixtures("chain")
def test_a_step_that_ran_again_makes_the_later_ones_stale(cli: Cli) -> None:
    assert cli(*COMMANDS[1][:-1], "seed=4").code == 0
    result = traced(cli, TRAIN, code=1)
    assert (result["changed"], result["rerun"]) == (["build/masked.jsonl"], AGAIN[2:])
    assert dict(files_of(result["lineage"]))["build/masked.jsonl"] == "changed"


@pytest.mark.usefixtures("chain")
def test_a_file_between_that_is_gone_can_be_made_again(cli: Cli) -> None:
    Path("build/clean.jsonl").unlink()
    result = traced(cli, TRAIN, code=1)
    assert (result["missing"], result["rerun"]) == (["build/clean.jsonl"], AGAIN[2:])


@pytest.mark.usefixtures("chain")
def test_from_another_folder(
    cli: Cli, workspace: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert traced(cli, str(workspace / TRAIN))["ok"]
    (workspace / "raw/a/1.jsonl").unlink()
    result = traced(cli, str(workspace / TRAIN), code=1)
    assert result["missing"] == [str(workspace / "raw/a/1.jsonl")]
    assert result["rerun"] == [f"cd {workspace} && {command}" for command in AGAIN]
    monkeypatch.chdir(workspace / "build")
    assert traced(cli, "split/train.jsonl", code=1)["missing"] == result["missing"]


def test_files_that_were_made_in_a_circle_end(cli: Cli) -> None:
    write_rows("a.jsonl", CONVERSATIONS)
    assert cli("data", "merge", "a.jsonl", "-o", "b.jsonl").code == 0
    assert cli("data", "merge", "b.jsonl", "-o", "a.jsonl").code == 0
    node = traced(cli, "b.jsonl", code=1)["lineage"]
    assert list(files_of(node)) == [("b.jsonl", "same"), ("a.jsonl", "changed"), ("b.jsonl", "same")]
    assert "see above" in cli("data", "lineage", "b.jsonl").out


def test_a_file_that_two_steps_read_is_shown_once(cli: Cli) -> None:
    write_rows("raw.jsonl", CONVERSATIONS)
    assert cli("data", "convert", "raw.jsonl", "-o", "a.jsonl").code == 0
    for name in ("b.jsonl", "c.jsonl"):
        assert cli("data", "merge", "a.jsonl", "-o", name).code == 0
    assert cli("data", "merge", "b.jsonl", "c.jsonl", "-o", "d.jsonl").code == 0
    steps = traced(cli, "d.jsonl")["lineage"]["step"]["inputs"]
    assert [made["step"]["inputs"][0]["step"] is None for made in steps] == [False, True]
    Path("raw.jsonl").write_text("", encoding="utf-8")
    assert len(traced(cli, "d.jsonl", code=1)["rerun"]) == 4


def test_settings_come_back_as_they_must_be_typed(cli: Cli) -> None:
    Path("말 뭉치.csv").write_text("1,답\n안녕?,반가워.\n", encoding="utf-8")
    settings = ["prompt_column='1'", "completion_column=답", "names={C001: 민준}"]
    assert (
        cli("data", "convert", "말 뭉치.csv", "-o", "a.jsonl", *(w for s in settings for w in ("--set", s))).code == 0
    )
    assert traced(cli, "a.jsonl")["lineage"]["step"]["command"] == (
        "llmops data convert '말 뭉치.csv' -o a.jsonl --set 'prompt_column=\"1\"' --set 'completion_column=답' "
        '--set \'names={"C001": "민준"}\''
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.jsonl", "nowhere.jsonl: no such file"),
        (
            "raw.jsonl",
            "raw.jsonl: no manifest lies beside this file: llmops data did not make it "
            "-> llmops data convert raw.jsonl -o clean.jsonl",
        ),
    ],
)
def test_a_file_without_a_lineage(cli: Cli, name: str, said: str) -> None:
    write_rows("raw.jsonl", CONVERSATIONS)
    answer: Answer = cli("data", "lineage", name)
    assert (answer.code, answer.out, answer.errors) == (2, "", [said])


def test_a_recipe_of_data_jobs(cli: Cli) -> None:
    rows = [row for number, row in enumerate(CONVERSATIONS) for row in (row, row | {"id": f"copy{number}"})]
    write_rows("raw.jsonl", rows)
    steps = [
        {"job": "convert", "with": {"input": "raw.jsonl", "output": "build/train.jsonl"}},
        {"job": "mask", "with": {"input": "build/train.jsonl", "output": "build/masked.jsonl"}},
        {"job": "dedup", "with": {"input": "build/masked.jsonl", "output": "build/clean.jsonl"}},
        {"job": "split", "with": {"input": "build/clean.jsonl", "output": "build/split", "held_out": 0.25}},
        {"job": "merge", "with": {"input": ["build/split"], "output": "build/all.jsonl"}},
    ]
    Path("recipe.yaml").write_text(json.dumps({"name": "data", "steps": steps}), encoding="utf-8")

    def skipped() -> list[bool]:
        answer = cli("run", "recipe.yaml", "--json")
        assert answer.code == 0, answer.err
        return [step["skipped"] for step in answer.json()["steps"]]

    assert skipped() == [False] * 5
    assert len(Path("build/split/heldout.jsonl").read_text(encoding="utf-8").splitlines()) == 4
    assert len(Path("build/all.jsonl").read_text(encoding="utf-8").splitlines()) == 16
    assert skipped() == [True] * 5
    Path("build/split/heldout.jsonl").unlink()
    assert skipped() == [True, True, True, False, False]
