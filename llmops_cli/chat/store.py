"""Conversations in one SQLite file of the workspace: every change is there as soon as it is made."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.input import clean
from llmops_cli.chat.locks import WriterLocks
from llmops_cli.chat.schema import copies, copy_store, migrate
from llmops_cli.chat.search import find
from llmops_cli.chat.sqlite_errors import is_forbidden, refusal
from llmops_cli.chat.state import State
from llmops_cli.chat.tree import Made, Tree, Turn
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.prompts.template import Turn as Said
from llmops_cli.tracking.record import now

FILE = "chats.db"
PATIENCE = 5.0
"""Seconds that a change waits for another program's."""


@dataclass(frozen=True)
class Summary:
    """A conversation in a list: `turns` in all branches together."""

    id: int
    title: str
    turns: int
    created: str
    updated: str
    model: str


@dataclass(frozen=True)
class Hit:
    """A turn that holds what was searched for: the text around it, and where in that the first word begins."""

    conversation: int
    title: str
    turn: int
    role: str
    excerpt: str
    at: int


@dataclass(frozen=True)
class Choice:
    """What the writer thought of answers to `prompt`; of a `good` one `rejected` is None, of a `bad` one `chosen`."""

    id: int
    conversation: int
    turn: int | None
    kind: str
    prompt: Sequence[Said]
    chosen: str | None
    rejected: str | None
    reason: str
    made: Mapping[str, Any]
    created: str


class Store:
    """The conversations of a workspace. Several programs may have it open; a conversation has one writer at a time.

    One thread at a time uses it. `migrated` is the copy of an older file that was brought to today's version;
    `read_only` is a store in a place where nothing can be written.

    Raises:
        InputError: the file is a newer llmops's, another program's, or broken.
        MachineError: from any method, the disk is full or another program holds the file.
    """

    def __init__(self, path: Path = Path(FILE)) -> None:
        self.path = path
        self.read_only = False
        self._locks = WriterLocks(path)
        try:
            self.migrated = self._open()
        except sqlite3.Error as error:
            if not (path.exists() and is_forbidden(error) and self._open_for_reading()):
                raise refusal(error, path) from error

    def _open(self) -> Path | None:
        self._connection = sqlite3.connect(self.path, PATIENCE, isolation_level=None, check_same_thread=False)
        copy = migrate(self._connection, self.path)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        return copy

    def _open_for_reading(self) -> bool:
        """Open a store of today's version as it is; whether that is possible."""
        for mode in ("mode=ro", "immutable=1"):  # the second where not even the files beside it can be made
            if mode == "immutable=1" and self.path.with_name(f"{self.path.name}-wal").exists():
                return False  # changes that it would not see
            with contextlib.suppress(sqlite3.Error):
                uri = f"{self.path.absolute().as_uri()}?{mode}"
                self._connection = sqlite3.connect(uri, PATIENCE, isolation_level=None, uri=True)
                self.migrated = migrate(self._connection, self.path)
                self.read_only = True
                return True
        return False

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and of the conversations that are open."""
        self._locks.release_all()
        self._connection.close()

    @contextlib.contextmanager
    def change(self, *, patient: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or nothing; not `patient`, it does not wait for another program's.

        Raises:
            MachineError: it cannot be written.
        """
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000 * patient:.0f}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # sqlite has undone it already after some errors
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise refusal(error, self.path) from error

    def new(self, title: str, state: State) -> Conversation:
        """Begin a conversation, and be its writer."""
        title = clean(title)
        with self.change() as connection:
            time = now()
            values = (title, time, time, json.dumps(state.to_json()))
            sql = "INSERT INTO conversations (title, created, updated, state) VALUES (?, ?, ?, ?)"
            number = connection.execute(sql, values).lastrowid
            assert number is not None
        return Conversation(self, number, title, Tree({}, None), state, read_only=not self._lock(number))

    def load(self, number: int) -> Conversation:
        """Open a conversation; `read_only` when another program is its writer.

        Raises:
            InputError: there is none of that number.
        """
        is_mine = self._lock(number)
        try:
            conversation = self.read(number)
        except BaseException:
            self.release(number)
            raise
        conversation.read_only = not is_mine
        return conversation

    def read(self, number: int) -> Conversation:
        """A conversation as it is now, read-only. Raises InputError when there is none of that number."""
        rows = self._read("SELECT title, head, state FROM conversations WHERE id = ?", number)
        if not rows:
            raise InputError(f"no conversation {number}", where=str(self.path), hint="llmops chat list")
        ((title, head, state),) = rows
        sql = "SELECT id, parent, role, text, created, made, name FROM turns WHERE conversation = ? ORDER BY id"
        turns = {row[0]: _turn(row) for row in self._read(sql, number)}
        state = State.from_json(json.loads(state))
        return Conversation(self, number, title, Tree(turns, head), state, read_only=True)

    def newest(self) -> int | None:
        """The conversation that was written to last."""
        rows = self._read("SELECT id FROM conversations ORDER BY updated DESC, id DESC LIMIT 1")
        return rows[0][0] if rows else None

    def summaries(self) -> list[Summary]:
        """Every conversation, the newest first."""
        sql = """
            SELECT c.id, c.title, (SELECT count(*) FROM turns WHERE conversation = c.id), c.created, c.updated,
                   json_extract(c.state, '$.model')
            FROM conversations c ORDER BY c.updated DESC, c.id DESC"""
        return [Summary(*row) for row in self._read(sql)]

    def questions(self, limit: int = 1000) -> list[str]:
        """What writers said last, the newest first."""
        sql = "SELECT text FROM turns WHERE role = 'user' ORDER BY created DESC, conversation DESC, id DESC LIMIT ?"
        return [text for (text,) in self._read(sql, limit)]

    def choices(self) -> list[Choice]:
        """Everything that was chosen, in all conversations, in the order of time."""
        found = []
        for row in self._read("SELECT * FROM choices ORDER BY id"):
            number, conversation, turn, kind, prompt, chosen, rejected, reason, made, created = row
            texts = (json.loads(prompt), chosen, rejected, reason, json.loads(made))
            found.append(Choice(number, conversation, turn, kind, *texts, created))
        return found

    def search(self, words: str, limit: int = 50) -> list[Hit]:
        """Turns that hold every one of the words, the newest first."""
        try:
            return [Hit(*row) for row in find(self._connection, words, limit)]
        except sqlite3.Error as error:
            raise refusal(error, self.path) from error

    def delete(self, *numbers: int) -> bool:
        """Delete conversations; whether their text has left the files of the store.

        It has not where another program is reading the store; it then goes when the last one closes it.

        Raises:
            InputError: there is none of a number, or another program is its writer; nothing is deleted.
        """
        try:
            for number in numbers:
                if self.load(number).read_only:
                    raise InputError(f"conversation {number} is open in another window", where=str(self.path))
            with self.change() as connection:
                connection.executemany("DELETE FROM conversations WHERE id = ?", [(number,) for number in numbers])
        finally:
            for number in numbers:
                self.release(number)
        try:
            self._connection.execute("VACUUM")
            is_busy: int = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        return not is_busy

    def forget(self, number: int) -> None:
        """Delete a conversation in which nothing was said, if that can be done at once."""
        with contextlib.suppress(MachineError), self.change(patient=False) as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (number,))

    def copies(self) -> Sequence[Path]:
        """The copies from before a migration; what is deleted stays in them."""
        return copies(self.path)

    def backup(self, target: Path) -> None:
        """Copy the store, also while others write to it.

        Raises:
            InputError: the target exists.
        """
        if target.exists():
            raise InputError("exists, and is not overwritten", where=str(target))
        try:
            copy_store(self.path, target)
        except sqlite3.Error as error:
            raise refusal(error, target) from error

    def _read(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise refusal(error, self.path) from error

    def release(self, number: int) -> None:
        """Let another program write to a conversation."""
        self._locks.release(number)

    def _lock(self, number: int) -> bool:
        return not self.read_only and self._locks.take(number)


def _turn(row: tuple[Any, ...]) -> Turn:
    number, parent, role, text, created, made, name = row
    return Turn(number, parent, role, text, created, Made.from_json(json.loads(made)) if made else None, name)
