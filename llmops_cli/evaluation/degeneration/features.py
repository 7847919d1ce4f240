"""What is looked at of a word (eojeol) and of its neighbour, as rows of a hashed table of weights.

Hashing makes a table of fixed size out of features that nobody lists (Weinberger et al. 2009, feature hashing).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]
"""A hash for each word."""

WORD = re.compile(r"\S+")
_EDGES = " .,!?…~\"'“”‘’「」『』《》()[]-―—:;·"
_STOPS = frozenset(".!?…。")
_QUOTES = frozenset("\"'“”‘’「」『』《》")
_HANGUL, _RIMES, _CODAS = 0xAC00, 588, 28
_LONGEST = 7
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(29)


class Word(NamedTuple):
    """Numbers of one word: its syllables from either end, and its punctuation."""

    last: int
    last_2: int
    last_3: int
    rime: int
    coda: int
    stop: int
    first: int
    first_2: int
    first_3: int
    opening: int
    length: int


NOTHING = Word(*(0,) * len(Word._fields))
"""Stands before the first word of a line."""


@lru_cache(maxsize=1 << 15)
def word(eojeol: str) -> Word:
    """The numbers of a word; `last_2` stands for the last two syllables, `rime` for the last without its initial."""
    core = eojeol.strip(_EDGES)
    if not core:
        return NOTHING._replace(stop=_stop(eojeol), length=1)
    start = eojeol.index(core)
    tail, head = core[:-4:-1].ljust(3, "\0"), core[:3].ljust(3, "\0")
    syllable = ord(core[-1]) - _HANGUL
    rime = syllable % _RIMES + 1 if 0 <= syllable < 11172 else 0
    last, last_2, last_3 = (_hash_of(tail[:size]) for size in (1, 2, 3))
    first, first_2, first_3 = (_hash_of(head[:size]) for size in (1, 2, 3))
    return Word(
        *(last, last_2, last_3, rime, rime and (rime - 1) % _CODAS + 1, _stop(eojeol[start + len(core) :])),
        *(first, first_2, first_3, _opening(eojeol[:start]), min(len(core), _LONGEST)),
    )


def _hash_of(characters: str) -> int:
    """One number for a few characters: their code points side by side."""
    number = 0
    for character in characters:
        number = number << 21 | ord(character)
    return number


def _stop(after: str) -> int:
    """Nothing, a comma, speech that ends, a closing quotation mark, a full stop, or what else follows a word."""
    if not after:
        return 0
    if after[0] == ",":
        return 1
    stops = not _STOPS.isdisjoint(after)
    if not _QUOTES.isdisjoint(after):
        return 2 if stops else 3
    return 4 if stops else 5


def _opening(before: str) -> int:
    if not before:
        return 0
    return 2 if _QUOTES.isdisjoint(before) else 1


def columns(words: Sequence[Word]) -> dict[str, Codes]:
    """The numbers of all words, field by field."""
    table = np.array(words, dtype=np.uint64).reshape(-1, len(Word._fields))
    return dict(zip(Word._fields, table.T, strict=True))


def mixed(seed: int, fields: Sequence[Codes], size: int) -> Codes:
    """One hash for each row of several columns of `size` rows; `seed` tells features apart."""
    hashes = np.full(size, seed, dtype=np.uint64)
    for field in fields:
        hashes = (hashes ^ field) * _PRIME
        hashes ^= hashes >> _FOLD
    return hashes


def buckets(hashes: Codes, bits: int) -> NDArray[np.int64]:
    """Rows of a table of 2 ** `bits` weights, by the first bits of hashes."""
    return (hashes >> np.uint64(64 - bits)).view(np.int64)
