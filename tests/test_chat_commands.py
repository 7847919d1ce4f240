"""`llmops chat list | show | search | export | backup | delete`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli

from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store

PROMPT = [{"role": "user", "content": "지우는 어디에 있어?"}]


@pytest.fixture(autouse=True)
def _stories(workspace: Path) -> None:
    """Two conversations, the first with another ending and what was chosen in it."""
    with Store() as chats:
        first = chats.new("겨울 바다", State(model="builtin:tiny-ko", names={"C001": "지우"}))
        first.add("user", "C001는 어디에 있어?", None)
        first.add("assistant", "C001은 밤산책에서 돌아왔다.", 1)
        first.add("assistant", "아직 바닷가에 있다.", 1)
        first.choose("ab", 3, PROMPT, "아직 바닷가에 있다.", "지우은 밤산책에서 돌아왔다.", "담백하다")
        first.choose("good", 3, PROMPT, "아직 바닷가에 있다.", None)
        first.choose("bad", 2, PROMPT, None, "지우은 밤산책에서 돌아왔다.", "지우은")
        second = chats.new("저녁\x1b[31m거리", State(model="fake:words"))
        second.add("user", "산책 갈래?", None)


def test_list(cli: Cli) -> None:
    shown = cli("chat", "list")
    lines = shown.out.splitlines()
    assert shown.code == 0
    assert "겨울 바다" in shown.out
    assert "\x1b" not in shown.out
    assert shown.out.index("저녁") < shown.out.index("겨울")
    edges = {len(line.encode("euc-kr", "replace")) for line in lines if line.startswith("│")}
    assert len(edges) == 1, shown.out
    listed = cli("chat", "list", "--json").json()
    assert [(each["id"], each["turns"], each["model"]) for each in listed] == [
        (2, 1, "fake:words"), (1, 3, "builtin:tiny-ko"),
    ]  # fmt: skip


def test_show(cli: Cli) -> None:
    shown = cli("chat", "show", 1).out
    assert shown.splitlines() == [
        "겨울 바다", "", "1 user", "지우는 어디에 있어?", "", "3 assistant", "아직 바닷가에 있다.",
        "", "1 turn in other branches",
    ]  # fmt: skip
    assert "지우는 밤산책에서 돌아왔다." in cli("chat", "show", 1, "--turn", 2).out
    whole = cli("chat", "show", 1, "--json").json()
    assert (whole["path"], whole["head"], len(whole["turns"])) == ([1, 3], 3, 3)
    assert whole["turns"][1]["text"] == "C001은 밤산책에서 돌아왔다."


def test_search(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = cli("chat", "search", "산책").out.splitlines()
    assert lines[lines.index("1 겨울 바다  2 assistant") + 1] == "  C001은 밤산책에서 돌아왔다."
    assert len(lines) == 5
    assert lines[-1].startswith("llmops chat show ")
    limited = cli("chat", "search", "산책", "--limit", 1)
    assert limited.err == "the newest 1; --limit 2 shows more\n"
    assert cli("chat", "search", "없는", "말").out == "no turn holds 없는 말\n"
    (hit,) = cli("chat", "search", "산책", "밤", "--json").json()
    assert (hit["conversation"], hit["turn"], hit["excerpt"][hit["at"] :][:2]) == (1, 2, "산책")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;7m산책\x1b[0m" in cli("chat", "search", "산책").out


def test_export(cli: Cli) -> None:
    done = cli("chat", "export", 1, "-o", "out/a.md")
    assert (done.code, done.out) == (0, "out/a.md: 1 conversation\n")
    text = Path("out/a.md").read_text(encoding="utf-8")
    assert text == "# 겨울 바다\n\n> 지우는 어디에 있어?\n\n아직 바닷가에 있다.\n"
    assert cli("chat", "export", 1).out == text
    assert (
        cli("chat", "export", 2, 1, "--to", "txt").out == "산책 갈래?\n\n지우는 어디에 있어?\n\n아직 바닷가에 있다.\n"
    )
    everything = cli("chat", "export", "--all", "--all-branches", "-o", "a.jsonl", "--json").json()
    assert everything == {"written": "a.jsonl", "conversations": 2}
    assert len(Path("a.jsonl").read_bytes().splitlines()) == 2
    assert cli("chat", "export", 1, "--to", "docx", "-o", "a.bin").code == 0
    assert Path("a.bin").read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("arguments", [["OUT.jsonl"], ["-o", "OUT.jsonl"], ["-o", "OUT.jsonl", 1]])
def test_export_of_preferences(cli: Cli, arguments: list[Any]) -> None:
    done = cli("chat", "export", "--preferences", *arguments)
    assert (done.code, done.out) == (0, "OUT.jsonl: 2 preferences\n"), done.err
    compared, judged = map(json.loads, Path("OUT.jsonl").read_text(encoding="utf-8").splitlines())
    assert (compared["prompt"], compared["chosen"][0]["content"]) == (PROMPT, "아직 바닷가에 있다.")
    assert judged["rejected"] == [{"role": "assistant", "content": "지우은 밤산책에서 돌아왔다."}]
    assert (compared["reason"], judged["reason"]) == ("담백하다", "지우은")
    assert cli("data", "validate", "OUT.jsonl").code == 0


def test_backup(cli: Cli) -> None:
    written = cli("chat", "backup", "safe/chats.db", "--json").json()
    assert (written["written"], written["conversations"]) == ("safe/chats.db", 2)
    assert written["bytes"] == Path("safe/chats.db").stat().st_size
    again = cli("chat", "backup", "safe/chats.db")
    assert (again.code, again.errors) == (2, ["safe/chats.db: exists, and is not overwritten"])


def test_delete(cli: Cli) -> None:
    Path("chats.db.version1").write_bytes(b"")
    unasked = cli("chat", "delete", 2)
    assert (unasked.code, unasked.errors) == (2, ["stdin: nobody is there to ask -> add --yes"])
    done = cli("chat", "delete", 1, 1, "--yes")
    assert (done.code, done.out) == (0, "deleted 1 conversation\n")
    assert done.err.startswith("warning: chats.db.version1, a copy from before an update, keeps what it holds")
    assert "밤산책".encode() not in b"".join(path.read_bytes() for path in Path().glob("chats.db*"))
    assert cli("chat", "delete", 2, "--yes", "--json").json() == {"deleted": [2]}
    assert cli("chat", "list", "--json").json() == []


@pytest.mark.parametrize(("key", "left"), [("y\n", 1), ("n\n", 2)])
def test_delete_asks(cli: Cli, monkeypatch: pytest.MonkeyPatch, key: str, left: int) -> None:
    import io

    asked = io.StringIO(key)
    monkeypatch.setattr(asked, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", asked)
    answer = cli("chat", "delete", 1)
    assert answer.code == 0
    assert "1 겨울 바다: 3 turns" in answer.err
    assert len(cli("chat", "list", "--json").json()) == left


def test_delete_says_what_a_reader_keeps(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_cli.chat.store.PATIENCE", 0.05)
    reader = sqlite3.connect("chats.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    answer = cli("chat", "delete", 1, "--yes")
    reader.close()
    assert (answer.code, answer.out) == (3, "deleted 1 conversation\n")
    assert answer.errors[0].startswith("chats.db-wal: the text is still in the file")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("show", 7), "chats.db: no conversation 7 -> llmops chat list"),
        (("show", 1, "--turn", 9), "no turn 9 in this conversation"),
        (("delete", 1, 7, "--yes"), "chats.db: no conversation 7"),
        (("export",), "want the number of a conversation, or --all"),
        (("export", 1, "--all"), "want the number of a conversation, or --all"),
        (("export", "겨울", 1), "want the number of a conversation, got '겨울'"),
        (("export", 1, "--to", "docx"), "-o: want a file"),
        (("export", 1, "-o", "a.odt"), "no format 'odt'"),
        (("export", 1, "--json"), "-o: want a file"),
        (("serach", "산책"), "Got unexpected extra argument"),
    ],
)
def test_what_cannot_be_done(cli: Cli, arguments: tuple[object, ...], line: str) -> None:
    answer = cli("chat", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.errors[0].startswith(line)
    assert len(answer.errors) == 1
    assert len(cli("chat", "list", "--json").json()) == 2


def test_without_a_store_nothing_is_made(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir("empty")
    assert cli("chat", "list").out == "no conversations here: llmops chat begins one\n"
    assert cli("chat", "list", "--json").json() == []
    for arguments in (("show", 1), ("search", "산책"), ("backup", "a.db"), ("delete", 1, "--yes"), ("export", "--all")):
        assert cli("chat", *arguments).errors == ["chats.db: no conversations here -> llmops chat begins one"]
    assert list(Path().iterdir()) == []
