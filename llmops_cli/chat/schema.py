"""The tables of the conversation store, and how an older file becomes one of today."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import staging_path, sync

MIGRATIONS = (
    (
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL,
            head INTEGER,
            state TEXT NOT NULL
        )""",
        """
        CREATE TABLE turns (
            conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
            id INTEGER NOT NULL,
            parent INTEGER,
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            created TEXT NOT NULL,
            made TEXT,
            PRIMARY KEY (conversation, id)
        ) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE turns ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE choices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
            turn INTEGER,
            kind TEXT NOT NULL,
            prompt TEXT NOT NULL,
            chosen TEXT,
            rejected TEXT,
            reason TEXT NOT NULL,
            made TEXT NOT NULL,
            created TEXT NOT NULL
        )""",
        "CREATE INDEX choices_of ON choices (conversation)",
    ),
)
"""What each version adds to the one before; `PRAGMA user_version` tells how many were run."""
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Bring a file to today's version; a copy of an older one is kept beside it and its path returned.

    Raises:
        InputError: a newer llmops wrote the file, or it is no store of conversations; it is left as it is.
    """
    if _version(connection, path) == VERSION:
        return None
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)  # another program may have been first
        copy = path.with_name(f"{path.name}.version{version}") if 0 < version < VERSION else None
        if copy:
            copy_store(path, copy)
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return copy


def copies(path: Path) -> list[Path]:
    """The copies of older versions that stand beside a store."""
    return sorted(path.parent.glob(f"{path.name}.version*"))


def copy_store(path: Path, target: Path) -> None:
    """Copy a store, also while others write to it. The copy is one file, and appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = staging_path(target)
    staging.unlink(missing_ok=True)
    try:
        source, copy = sqlite3.connect(path), sqlite3.connect(staging)
        with contextlib.closing(source), contextlib.closing(copy):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        sync(staging)
        os.replace(staging, target)
        sync(target.parent)
    finally:
        staging.unlink(missing_ok=True)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            f"a newer llmops wrote these conversations (version {version}, this one knows {VERSION})",
            where=str(path),
            hint="pip install -U llmops-cli",
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= {"conversations", "turns"} if version else tables:
        raise InputError("another program's database, no store of conversations", where=str(path))
    return version
