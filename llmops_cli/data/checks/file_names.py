"""File names in decomposed Hangul (NFD), as macOS archives hold them: nothing that is typed matches them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from llmops_cli.data.checks import FileFacts

ID = "file_names"
SEVERITY = "warning"
ABOUT = "file names in decomposed Hangul (NFD)"
FIX = "rename the file: convmv -f utf8 -t utf8 --nfc --notest FILE"
FAST = True


def look(file: FileFacts) -> Iterator[str]:
    """The form of the name."""
    if not unicodedata.is_normalized("NFC", file.name):
        yield "the file name is decomposed (NFD)"
