"""Files that are never half-written, and their hashes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from llmops_cli.core.errors import MachineError

STAGING_PREFIX = ".staging-"


def staging_path(target: Path) -> Path:
    """Where `target` is written before it is renamed into place: beside it, so that the rename cannot cross disks."""
    return target.parent / f"{STAGING_PREFIX}{target.name}"


def sync(path: Path) -> None:
    """Flush a file or a directory entry to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_writer(target: Path) -> Iterator[IO[str]]:
    """Open a UTF-8 text file that appears at `target` whole when the block ends, and not at all when it raises."""
    with atomic_binary_writer(target) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()


@contextlib.contextmanager
def atomic_binary_writer(target: Path) -> Iterator[IO[bytes]]:
    """As :func:`atomic_writer`, for bytes.

    Raises:
        MachineError: another process is writing this file, or its place can hold none.
        OSError: it cannot be written.
    """
    staging = staging_path(target)
    with _possible(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT, 0o666)  # not truncated: it may be another process's
    with open(descriptor, "wb") as stream:
        _lock(descriptor, target)
        if not (staging.exists() and os.path.samestat(os.fstat(descriptor), staging.stat())):
            raise _busy(target)  # it got its name, or was given up, while it was opened here
        try:
            os.ftruncate(descriptor, 0)
            yield stream
            stream.flush()
            os.fsync(descriptor)
            os.replace(staging, target)
        except BaseException:
            staging.unlink(missing_ok=True)
            raise
        sync(target.parent)


@contextlib.contextmanager
def locked_directory(path: Path) -> Iterator[None]:
    """Make a directory where there is none, and keep other processes that lock it out. A killed one holds no lock.

    Raises:
        MachineError: another process holds the lock, or no directory can be there.
    """
    with _possible(path):
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY)
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _possible(target: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:  # the folder was just made: so answers /proc
        raise MachineError("nothing can be made here", where=str(target), hint="choose another folder") from None


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(path) from None


def _busy(path: Path) -> MachineError:
    return MachineError("another process is writing this", where=str(path), hint="wait until it is done")


def write_text(target: Path, text: str) -> None:
    """Write a small text file atomically."""
    with atomic_writer(target) as stream:
        stream.write(text)


def write_json(target: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically, Hangul readable."""
    write_text(target, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


@contextlib.contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Give an empty directory that is synced and renamed to `target` when the block ends, replacing what is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = staging_path(target)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
        readable = staging.stat().st_mode & 0o666  # what the umask allows; safetensors writes files for the owner alone
        for path in sorted(staging.rglob("*")):
            if path.is_file():
                path.chmod(readable)
            sync(path)
        if target.exists():
            shutil.rmtree(target)
        os.replace(staging, target)
        sync(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """The hex SHA-256 of a file's bytes.

    Hashes of files over 8 MB are kept in the user's cache by path, size, mtime and inode, so that a model's weights
    are read for this once.
    """
    status = path.stat()
    if status.st_size < 8 * 1024 * 1024:
        return _digest(path)
    identity = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"
    entry = cache_directory() / "sha256" / hashlib.sha256(identity.encode()).hexdigest()
    with contextlib.suppress(OSError):
        return entry.read_text(encoding="ascii")
    digest = _digest(path)
    with contextlib.suppress(OSError, MachineError):  # a read-only home only costs the time to hash again
        write_text(entry, digest)
    return digest


def sha256_of_value(value: Any) -> str:
    """The hex SHA-256 of plain data: of its JSON, in which the order of keys says nothing."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_directory() -> Path:
    """The folder for what can be computed again: `$XDG_CACHE_HOME/llmops`, by default `~/.cache/llmops`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmops"
