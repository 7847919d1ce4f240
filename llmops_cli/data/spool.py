"""Texts put aside on disk, so that a job over a million records stays small in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


class Spool:
    """Texts by number, from 0 in the order they came, in a file of the temporary folder; in memory 8 bytes a text.

    The file has no name: it is gone with the object, and when the process is killed.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="llmops-")  # noqa: SIM115 - open as long as the object lives
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def extend(self, texts: Iterable[str]) -> None:
        """Add texts; they get the next numbers."""
        for text in texts:
            self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))

    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each text in UTF-8."""
        ends = np.array(self._ends, dtype=np.int64)
        return ends[1:] - ends[:-1]

    def read(self, numbers: Iterable[int]) -> Iterator[str]:
        """The texts with these numbers."""
        self._file.flush()
        file = self._file.fileno()
        for number in numbers:
            start, end = self._ends[number : number + 2]
            yield os.pread(file, end - start, start).decode("utf-8", "surrogatepass")
