"""The answers of a running `generate`: kept one by one beside the output, so that a killed run loses none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from llmops_cli.core.files import staging_path


class KeptAnswers:
    """Finished answers by the place of their prompt, in `.staging-OUT.answers` until the output is there.

    The first line of that file is the fingerprint of what they answer: those of other prompts, of another model or
    under other settings are not taken over, and the first answer that is kept replaces them.
    """

    def __init__(self, output: Path, fingerprint: str) -> None:
        self._path = staging_path(output.with_name(f"{output.name}.answers"))
        self._fingerprint = fingerprint
        self.found: dict[int, dict[str, Any]] = {}
        """Those of an earlier run."""
        self.of_something_else = False
        """Whether an earlier run left answers that are not taken over."""
        if self._path.is_file():
            self._read()
        self._is_open = bool(self.found)

    def _read(self) -> None:
        with self._path.open("rb") as stream:
            header = stream.readline()
            if header != f"{self._fingerprint}\n".encode():
                self.of_something_else = True
                return
            end = len(header)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                place, answer = json.loads(line)
                self.found[place] = answer
                end += len(line)
        os.truncate(self._path, end)  # a line that was being written when the run was killed

    def keep(self, place: int, answer: dict[str, Any]) -> None:
        """Write an answer to disk."""
        if not self._is_open:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(f"{self._fingerprint}\n", encoding="ascii")
            self._is_open = True
        with self._path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps([place, answer], ensure_ascii=False) + "\n")

    def discard(self) -> None:
        """Delete the file: the output is there."""
        self._path.unlink(missing_ok=True)
