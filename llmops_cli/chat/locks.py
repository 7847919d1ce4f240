"""Who writes to a conversation: a lock beside the store that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class WriterLocks:
    """The conversations of which this program is the writer.

    Each has a file `chats.db-ID.lock` while it has a writer. What counts is the lock on it: a file that a killed
    program left is nobody's.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._files: dict[int, int] = {}

    def take(self, number: int) -> bool:
        """Become the writer of a conversation; False where another program is."""
        if number in self._files:
            return True
        path = self._path(number)
        while True:
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), path.stat()):
                    self._files[number] = file
                    return True
            os.close(file)  # its writer let go of it, and deleted it, after it was opened here

    def release(self, number: int) -> None:
        """Let another program be the writer."""
        if (file := self._files.pop(number, None)) is not None:
            self._path(number).unlink(missing_ok=True)
            os.close(file)

    def release_all(self) -> None:
        """Let other programs be the writers."""
        for number in list(self._files):
            self.release(number)

    def _path(self, number: int) -> Path:
        return self._store.with_name(f"{self._store.name}-{number}.lock")
