"""The made-up corpus: the same bytes for a seed, files that are read to the last, the copies that it tells of."""

from __future__ import annotations

import json
from pathlib import Path

from planting.corpus import make_corpus
from workbench import Cli


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}


def test_a_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        make_corpus(Path(name), chats=30, works=8, characters_per_work=1_000, seed=seed)
    assert contents(Path("a")) == contents(Path("b"))
    assert len(contents(Path("a"))) == 38
    assert contents(Path("a")) != contents(Path("c"))


def test_every_file_is_read_and_the_copies_are_copies(cli: Cli) -> None:
    made = make_corpus(Path("corpus"), chats=200, works=20, characters_per_work=2_000)
    answer = cli("data", "convert", "corpus", "-o", "out.jsonl", "--json")
    assert (answer.code, answer.json()["records"]["dropped"]) == (0, {})
    kinds = {path.parent.name for path in Path("corpus").rglob("*.json")}
    assert kinds >= {"friends_talk", "VL_anime", "VL_movie", "VL_series", "VL_novel"}
    assert made.exact
    assert made.near
    for copies, same in ((made.exact, True), (made.near, False)):
        for copy, original in copies.items():
            rows = [json.loads(path.read_text(encoding="utf-8")) | {"id": ""} for path in (copy, original)]
            assert (rows[0] == rows[1]) is same
