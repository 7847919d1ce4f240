"""The tokens in which Korean texts are compared, by the name that stands in brackets behind a metric.

The default of rouge-score keeps a to z and digits only, so that two Korean sentences have nothing or all in common.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple


class Tokenizer(NamedTuple):
    """Splits NFC text into tokens; rouge-score takes it for a tokenizer of its own."""

    tokenize: Callable[[str], list[str]]


def syllables(text: str) -> list[str]:
    """The characters of the text without white space, as Korean spacing is free."""
    return list("".join(text.split()))


def jamo(text: str) -> list[str]:
    """The letters of which Hangul syllables are made, and every other character, without white space."""
    return syllables(unicodedata.normalize("NFD", text))


TOKENIZERS = {"char": Tokenizer(syllables), "jamo": Tokenizer(jamo), "word": Tokenizer(str.split)}
