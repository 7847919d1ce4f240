"""What models have computed, kept by what it depends on, so that nothing is computed twice."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from llmops_cli.core.errors import MachineError
from llmops_cli.core.workspace import runs_directory

VERSION = 1
PATIENCE = 60.0
"""Seconds that a write waits for that of another evaluation."""
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def cache_file() -> Path:
    """The cache of this workspace; it can be deleted at any time."""
    return runs_directory() / ".cache" / "evaluation.sqlite"


class Cache:
    """Plain data by key in one SQLite file, which several evaluations may use at once; each entry is safe when put.

    A file that is broken, or that a newer llmops wrote, is put aside and another one begun.

    Raises:
        MachineError: from any method, the disk is full or the file cannot be used.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path, self._warn = path, warn
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def __contains__(self, key: str) -> bool:
        return bool(self._run("SELECT 1 FROM entries WHERE key = ?", key))

    def get(self, key: str) -> Any:
        """The value that was put under a key, or None."""
        rows = self._run("SELECT value FROM entries WHERE key = ?", key)
        return json.loads(rows[0][0]) if rows else None

    def put(self, key: str, value: Any) -> None:
        """Keep plain data, instead of what was under the key."""
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?)", key, json.dumps(value, ensure_ascii=False))

    def _run(self, statement: str, *values: str) -> list[Any]:
        try:
            try:
                return self._connection().execute(statement, values).fetchall()
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BROKEN:
                    raise
                self._put_aside("is broken")
                return self._connection().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
            (version,) = self._opened.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                self._put_aside("was written by a newer llmops")
                return self._connection()
            self._opened.execute("PRAGMA journal_mode = WAL")
            self._opened.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing
            self._opened.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            self._opened.execute(f"PRAGMA user_version = {VERSION}")
        return self._opened

    def _put_aside(self, why: str) -> None:
        self._close()
        aside = self._path.with_suffix(".aside")
        self._warn(f"{self._path} {why}: put aside as {aside.name}, and what it held is computed again")
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):  # another evaluation was faster
                os.replace(f"{self._path}{ending}", f"{aside}{ending}")

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _refusal(self, error: sqlite3.Error) -> MachineError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            what, hint = "no space left on the disk; what was kept before still is", "free space and run it again"
        else:
            what, hint = f"cannot be used: {error}", f"rm -r {self._path.parent}"
        return MachineError(what, where=str(self._path), hint=hint)
