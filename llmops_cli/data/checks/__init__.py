"""Checks of data, one module each, found by its file name.

A module has:

- `ID`: the name of the check in reports and configurations;
- `SEVERITY`: `error` (the record would do harm) or `warning`; a configuration may say otherwise;
- `ABOUT`: what is looked for, in one line;
- `FIX`: what to do about it, in one line: a command where there is one, in which PATH stands for the input;
- `FAST`: whether it costs no more than a few microseconds for a short record;
- `Params`, where it has parameters: a strict schema of them, with a default for each;

and one of these:

- `start(params) -> Check`: a check of one record at a time. It is called with each record and gives one line for
  everything it finds there. It runs in worker processes and remembers nothing between records. With `SAMPLE`, bytes of
  input, it sees only so much of a large input, a sample spread evenly; with `MEASURES = True` it is
  `start(params, measure)`, and left out when no model is named. `params` is None without `Params`. With `TRACE`, a
  pattern, it sees only records in whose texts the pattern is found; with `suspects(contents, params)` only those whose
  numbers that gives. Both may give too many, and never too few.
- `collect(records, params)` and the class `Judge(params)`: a check across records. `collect` runs in a worker on a
  piece of the input and returns what the judgement needs of it, small and picklable; see :class:`Judge`.
- `look(file)`: a check of a whole file, from what reading it has shown; see :class:`FileFacts`.

With `COMPARES = True` a check is left out when no held-out data is named. It may also have `repair(text) -> str`, by
which `data convert --fix ID` mends the texts it complains about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from llmops_cli.data.records import Record

Severity = Literal["error", "warning"]
Check = Callable[[Record], Iterator[str]]


class Measured(NamedTuple):
    """A record as a model sees it: tokens in all, and the place of the last token that is learned, or -1."""

    tokens: int
    last_label: int


Measure = Callable[[Record], Measured]
"""Raises InputError for a record that the model's chat template refuses."""


class FileFacts(NamedTuple):
    """A file that has been read: its name as the disk spells it, encoding, byte order mark, rows of each format."""

    name: str
    encoding: str
    marked: bool
    formats: Mapping[str, int]


class Judge(Protocol):
    """The half of a check across records that runs in one place. Records are numbered from 0 in reading order."""

    def add(self, first: int, evidence: Any, *, held_out: bool) -> None:
        """Take what `collect` gave for a piece whose first record has the number `first`.

        `held_out` pieces hold the records that a model will be measured on; they come before all others.
        """

    def findings(self, where: Callable[[int], str]) -> Iterator[tuple[int, str]]:
        """Number of a record and what is wrong with it; `where` tells `file:line` of a number."""
