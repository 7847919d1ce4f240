"""Files in CP949 (EUC-KR), or with a byte order mark: they can be read here, other programs stumble."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.checks import FileFacts

ID = "file_encoding"
SEVERITY = "warning"
ABOUT = "files in CP949 (EUC-KR), or with a byte order mark"
FIX = "llmops data convert PATH -o OUT.jsonl writes UTF-8"
FAST = True


def look(file: FileFacts) -> Iterator[str]:
    """Encoding and mark of the file."""
    if file.encoding != "utf-8":
        yield f"the file is {file.encoding.upper()} (EUC-KR), not UTF-8"
    if file.marked:
        yield "the file starts with a byte order mark"
