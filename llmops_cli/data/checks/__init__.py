"""Checks of records, one module each, found by its file name.

A module has:

- `ID`: the name of the check in reports;
- `SEVERITY`: `error` (the record would do harm) or `warning`;
- `start() -> Check`: a fresh check for one run over the data. It is called with each record in turn and gives
  one line for everything it finds there; what it must remember between records it keeps itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from llmops_cli.data.records import Record

Severity = Literal["error", "warning"]
Check = Callable[[Record], Iterator[str]]
