"""The conversation store: what is kept, whatever ends the program, and what is gone after it was deleted."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.chat import schema, store
from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.locks import WriterLocks
from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store
from llmops_cli.chat.tree import Made
from llmops_cli.core.errors import InputError, MachineError

FILE = Path("chats.db")
HOLDER = """
import sys
from llmops_cli.chat.store import Store
conversation = Store().load(int(sys.argv[1]))
print(conversation.read_only, flush=True)
sys.stdin.read()
"""
"""A program that opens a conversation, says whether it may only read it, and ends with its stdin."""


@pytest.fixture
def chats() -> Iterator[Store]:
    with Store() as opened:
        yield opened


def told(chats: Store, *texts: str, title: str = "밤") -> Conversation:
    """A conversation of turns in one branch."""
    conversation = chats.new(title, State(model="fake:words"))
    for number, text in enumerate(texts):
        conversation.add("assistant" if number % 2 else "user", text, conversation.tree.head)
    return conversation


def reread(number: int) -> Conversation:
    """What another program reads of a conversation."""
    with Store() as other:
        return other.read(number)


def holder(number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def answered(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_every_change_is_there_at_once(chats: Store) -> None:
    conversation = chats.new("겨울", State())
    first = conversation.add("user", "눈이 온다.", None)
    answer = conversation.add("assistant", "창을", first.id)
    made = Made("fake:words", settings={"seed": 7}, token_ids=(1, 2), dropped=(1,))
    conversation.write(answer.id, "창을 열었다.", made)
    conversation.name(answer.id, "창가")
    conversation.set(note="짧게", names={"C001": "지우"})
    conversation.choose("good", answer.id, [{"role": "user", "content": "눈이 온다."}], "창을 열었다.", None, "담백해")
    conversation.rename("겨울밤")
    conversation.go(first.id)
    seen = reread(conversation.id)
    assert (seen.title, seen.state.note, seen.state.names) == ("겨울밤", "짧게", {"C001": "지우"})
    assert seen.tree.turns == conversation.tree.turns
    assert seen.tree[answer.id].made == made
    assert seen.tree.path() == [first]
    (choice,) = chats.choices()
    assert (choice.kind, choice.chosen, choice.rejected, choice.reason) == ("good", "창을 열었다.", None, "담백해")


def test_a_conversation_has_one_writer_until_that_ends(chats: Store) -> None:
    number = told(chats, "하나").id
    second = holder(number)
    assert answered(second) == "True"
    second.communicate("")
    chats.release(number)
    writer = holder(number)
    assert answered(writer) == "False"
    refused = chats.load(number)
    changes: list[Any] = [
        lambda: refused.add("user", "둘", 1),
        lambda: refused.write(1, "둘", None),
        lambda: refused.go(None),
        lambda: refused.set(note="둘"),
        lambda: refused.rename("둘"),
        lambda: refused.choose("bad", 1, [], None, "둘"),
    ]
    for change in changes:
        with pytest.raises(InputError, match="open in another window"):
            change()
    assert [turn.text for turn in refused.tree.path()] == ["하나"]
    with pytest.raises(InputError, match="open in another window"):
        chats.delete(number)
    writer.kill()
    writer.communicate()
    assert Path(f"chats.db-{number}.lock").exists()
    mine = chats.load(number)
    assert not mine.read_only
    mine.close()
    assert not Path(f"chats.db-{number}.lock").exists()


def test_a_lock_on_a_deleted_file_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lets go, and deletes its file, after the second opened that and before it locks it."""
    first, second, third = (WriterLocks(FILE) for _ in range(3))
    assert first.take(1)
    lock = fcntl.flock

    def late(file: int, operation: int) -> None:
        first.release(1)
        lock(file, operation)

    with monkeypatch.context() as context:
        context.setattr(fcntl, "flock", late)
        assert second.take(1)
    assert not third.take(1)
    second.release_all()
    assert third.take(1)
    third.release_all()
    assert list(Path().glob("*.lock")) == []


def test_a_store_that_is_held_is_waited_for_once(chats: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.3)
    conversation = told(chats, "하나")
    other = sqlite3.connect(FILE)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    answer = conversation.add("assistant", "", 1)
    waited = time.monotonic() - started
    assert conversation.unsaved.startswith("chats.db: another program holds the conversations")
    for length in range(1, 100):
        conversation.write(answer.id, "가" * length, None)
    assert waited > 0.25
    assert time.monotonic() - started < waited + 0.25
    assert not conversation.save()
    assert len(reread(conversation.id).tree.turns) == 1
    other.rollback()
    conversation.go(1)
    assert conversation.unsaved == ""
    seen = reread(conversation.id)
    assert (seen.tree.head, seen.tree[2].text) == (1, "가" * 99)


def test_what_a_full_disk_refuses_stays_and_is_tried_again(chats: Store) -> None:
    conversation = told(chats, "하나")
    with chats.change() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    turn = conversation.add("assistant", "가" * 50_000, 1)
    conversation.choose("good", turn.id, [], "가", None)
    assert conversation.unsaved == "chats.db: no space left on the disk -> free space"
    assert conversation.tree.path()[-1] == turn
    assert list(reread(conversation.id).tree.turns) == [1]
    with pytest.raises(MachineError, match="no space left"):
        chats.new("긴 제목" * 20_000, State())
    with chats.change() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    assert conversation.save()
    assert conversation.unsaved == ""
    assert reread(conversation.id).tree[2] == turn
    assert len(chats.choices()) == 1


def test_what_could_not_be_written_is_tried_at_the_end(chats: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.01)
    conversation = told(chats, "하나")
    other = sqlite3.connect(FILE)
    other.execute("BEGIN IMMEDIATE")
    conversation.rename("둘")
    assert conversation.unsaved
    other.rollback()
    conversation.close()
    assert reread(conversation.id).title == "둘"


@pytest.mark.parametrize(
    "text", ["\ud55c", "반쪽\ud83d", "\udc00", "널\0널", "\x1b[2J지움", unicodedata.normalize("NFD", "한글")]
)
def test_texts_that_no_file_holds_are_kept_clean(chats: Store, text: str) -> None:
    conversation = told(chats, text, title=text)
    conversation.choose("bad", 1, [{"role": "user", "content": text}], None, text, text, {"template": text})
    conversation.set(memory=text, names={"C001": text})
    assert conversation.unsaved == ""
    kept = conversation.tree[1].text
    assert kept == unicodedata.normalize("NFC", kept)
    assert not set(kept) & set("\0\x1b\ud83d\udc00")
    seen = reread(conversation.id)
    assert (seen.tree[1].text, seen.state) == (kept, conversation.state)


def version_1(path: Path) -> bytes:
    """A store as the first version wrote it."""
    with sqlite3.connect(path) as connection:
        for statement in schema.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO conversations VALUES (4, '옛', 't', 't', 1, '{\"model\": \"m\", \"gone\": 1}')")
        connection.execute("INSERT INTO turns VALUES (4, 1, NULL, 'user', '옛이야기', 't', NULL)")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    return path.read_bytes()


def test_an_older_store_is_copied_and_brought_to_today(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_1(FILE)
    steps = (schema.MIGRATIONS[0], (*schema.MIGRATIONS[1][:-1], "CREATE nonsense"))
    with monkeypatch.context() as context:
        context.setattr(schema, "MIGRATIONS", steps)
        with pytest.raises(MachineError):
            Store()
    with sqlite3.connect(FILE) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert "choices" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())
    connection.close()
    with Store() as chats:
        assert chats.migrated == Path("chats.db.version1")
        assert chats.copies() == [chats.migrated]
        conversation = chats.load(4)
        assert (conversation.title, conversation.state.model) == ("옛", "m")
        conversation.name(1, "처음")
    with sqlite3.connect("chats.db.version1") as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT text FROM turns").fetchone() == ("옛이야기",)
    copy.close()
    assert len(before) == Path("chats.db.version1").stat().st_size
    with Store() as chats:
        assert chats.migrated is None


def test_a_newer_store_is_refused_and_left_alone(chats: Store) -> None:
    told(chats, "하나")
    chats.close()
    with sqlite3.connect(FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = FILE.read_bytes()
    with pytest.raises(InputError, match=r"chats.db: a newer llmops wrote these conversations \(version 99"):
        Store()
    assert FILE.read_bytes() == before


@pytest.mark.parametrize("version", [0, 1, 2])
def test_another_programs_database_is_refused(version: int) -> None:
    with sqlite3.connect(FILE) as connection:
        connection.execute("CREATE TABLE runs (id)")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = FILE.read_bytes()
    with pytest.raises(InputError, match="another program's database"):
        Store()
    assert FILE.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_a_broken_file_is_refused(content: bytes) -> None:
    FILE.write_bytes(content)
    with pytest.raises(InputError, match="broken, or no store of conversations"):
        Store()
    assert FILE.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.chdir(folder)
        with Store() as chats:
            number = told(chats, "하나").id
        Path(folder).chmod(0o555)
        is_root = os.geteuid() == 0
        try:
            if is_root:
                os.seteuid(65534)
            with Store() as chats:
                conversation = chats.load(number)
                assert (conversation.tree[1].text, conversation.read_only) == ("하나", True)
                assert chats.search("하나")
                with pytest.raises(MachineError, match="cannot be written here"):
                    chats.new("둘", State())
            with pytest.raises(MachineError, match="cannot be written here"):
                Store(Path("other.db"))
        finally:
            if is_root:
                os.seteuid(0)
            Path(folder).chmod(0o755)


def holding(text: str) -> list[str]:
    """The files of the store in which a text stands."""
    return sorted(path.name for path in Path().glob("chats.db*") if text.encode() in path.read_bytes())


def test_what_is_deleted_is_in_no_file(chats: Store) -> None:
    conversation = chats.new("비밀 제목", State(memory="비밀 기억"))
    for number in range(60):
        turn = conversation.add("user", f"비밀 {number} " * 40, conversation.tree.head)
        for length in range(0, 200, 40):
            conversation.write(turn.id, "자라는 비밀 " * length, None)
    conversation.choose("bad", 1, [], None, "비밀", "비밀")
    conversation.close()
    kept = told(chats, *(f"남는 것 {number} " * 30 for number in range(20)))
    assert holding("비밀")
    assert chats.delete(conversation.id)
    assert holding("비밀") == []
    assert chats.choices() == []
    assert reread(kept.id).tree.turns == kept.tree.turns
    with pytest.raises(InputError, match=f"no conversation {conversation.id}"):
        chats.delete(kept.id, conversation.id)
    assert [each.id for each in chats.summaries()] == [kept.id]


def test_what_a_reader_still_sees_goes_when_it_ends(chats: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = told(chats, *["비밀 " * 100] * 30)
    chats._connection.execute("PRAGMA busy_timeout = 50")
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    reader = sqlite3.connect(FILE)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    assert not chats.delete(conversation.id)
    assert "chats.db-wal" in holding("비밀")
    reader.close()
    chats.close()
    assert holding("비밀") == []


def test_a_backup_is_whole_while_somebody_writes(chats: Store) -> None:
    conversation = told(chats, "하나", "둘")
    chats.backup(Path("backups/copy.db"))
    conversation.add("user", "셋", 2)
    assert [path.name for path in Path("backups").iterdir()] == ["copy.db"]
    with Store(Path("backups/copy.db")) as copy:
        assert [turn.text for turn in copy.read(conversation.id).tree.path()] == ["하나", "둘"]
    with pytest.raises(InputError, match="exists, and is not overwritten"):
        chats.backup(Path("backups/copy.db"))


def test_words_are_found_inside_of_words(chats: Store) -> None:
    first = told(chats, "밤산책에서 돌아온 100% 뒤", "Coffee 한 잔_을 마셨다.", title="첫째")
    told(chats, "산책은 아침에, 커피는 밤에", title="둘째")
    assert {hit.title for hit in chats.search("산책")} == {"첫째", "둘째"}
    (hit,) = chats.search(unicodedata.normalize("NFD", "산책에서"))
    assert (hit.conversation, hit.turn, hit.role, hit.at) == (first.id, 1, "user", 1)
    assert hit.excerpt == "밤산책에서 돌아온 100% 뒤"
    assert [hit.turn for hit in chats.search("coffee")] == [2]
    assert [hit.title for hit in chats.search("밤에 산책")] == ["둘째"]
    assert [hit.title for hit in chats.search("0% 뒤")] == ["첫째"]
    assert [hit.turn for hit in chats.search("잔_을")] == [2]
    assert chats.search("없는말") == chats.search(" ") == chats.search("%산책") == []
    told(chats, "앞말 " * 100 + "과녁" + " 뒷말" * 100)
    (hit,) = chats.search("과녁")
    assert hit.excerpt[hit.at :].startswith("과녁")
    assert (hit.excerpt[0], hit.excerpt[-1]) == ("…", "…")
    assert len(chats.search("앞말 뒷말", limit=1)) == 1


def test_a_conversation_without_any_word_is_forgotten(chats: Store) -> None:
    chats.new("", State(model="fake:words")).close()
    told(chats, "하나").close()
    assert [each.turns for each in chats.summaries()] == [1]
    assert chats.questions() == ["하나"]
