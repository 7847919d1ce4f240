"""Rows of different shapes in one file: often two exports in one, or a column that is missing in some rows."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.checks import FileFacts

ID = "mixed_formats"
SEVERITY = "warning"
ABOUT = "rows of different formats in one file"
FIX = "llmops data convert PATH -o OUT.jsonl writes all of them as records"
FAST = True


def look(file: FileFacts) -> Iterator[str]:
    """The formats of the rows, the commonest first."""
    if len(file.formats) > 1:
        ranked = sorted(file.formats.items(), key=lambda item: (-item[1], item[0]))
        yield "rows of different formats: " + ", ".join(f"{name} {count:,}" for name, count in ranked)
