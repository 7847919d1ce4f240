"""Unicode normalisation: text is NFC from the file boundary on."""

from __future__ import annotations

import unicodedata


def nfc(text: str) -> str:
    """`text` in NFC: a Hangul syllable is one character, so that `==`, `len` and `[가-힣]` can be trusted."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
