"""What SQLite says when it cannot, in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from llmops_cli.core.errors import InputError, MachineError


def refusal(error: sqlite3.Error, path: Path) -> InputError | MachineError:
    """The error of an operation on the file, in words."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return MachineError("another program holds the conversations", where=str(path), hint="close it")
    if code == sqlite3.SQLITE_FULL:
        return MachineError("no space left on the disk", where=str(path), hint="free space")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return InputError("broken, or no store of conversations", where=str(path), hint="put a backup in its place")
    if is_forbidden(error):
        return MachineError("cannot be written here", where=str(path), hint="change permissions, or the folder")
    return MachineError(f"cannot be used: {error}", where=str(path))


def is_forbidden(error: sqlite3.Error) -> bool:
    """Whether the file, or its folder, cannot be written."""
    return _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
