"""Whether sentences stand in an order: neighbours speak of the same things, and in the same way.

After lexical cohesion (Halliday and Hasan 1976; TextTiling, Hearst 1997).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmops_cli.text.register import POLITE, level_of

Rows = NDArray[np.float32]

_WORD = re.compile(r"[가-힣]{2,}")
_STEMS = 512
_OPENING = "\"'“‘「『"
_SPEECH, _LENGTH, _LEVEL = 0.2, 0.15, 0.3
_NEAR = range(1, 9)
_FAR = 16


def cohesion(sentences: Sequence[str]) -> float:
    """How far neighbours are more alike than sentences far apart, in standard errors: about 0.0 in random order."""
    count = len(sentences)
    manner = _manner(sentences)
    rows = np.zeros((count, _STEMS + manner.shape[1]), dtype=np.float32)
    _count_words(sentences, rows[:, :_STEMS])
    rows[:, _STEMS:] = manner
    strange = np.concatenate([_alike(rows, int(lag)) for lag in np.linspace(count // 6, count // 2, _FAR)])
    weights = np.array([lag**-0.5 for lag in _NEAR])
    near = np.array([_alike(rows, lag).mean() for lag in _NEAR])
    error = strange.std() * np.sqrt((weights**2 / (count - np.array(_NEAR))).sum())
    return float(weights @ (near - strange.mean()) / error) if error else 0.0


def _count_words(sentences: Sequence[str], rows: Rows) -> None:
    """Put the stems of each sentence, hashed, into its row; those that stand in few sentences weigh most."""
    stems = [_stems(sentence) for sentence in sentences]
    known = Counter(stem for each in stems for stem in each)
    shared = [(place, stem) for place, each in enumerate(stems) for stem in each if known[stem] > 1]
    weights = np.log(len(stems) / np.array([known[stem] for _, stem in shared], dtype=np.float32))
    cells = [sum(map(ord, stem)) % _STEMS for _, stem in shared]
    np.add.at(rows, (np.array([place for place, _ in shared], dtype=int), np.array(cells, dtype=int)), weights)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, norms, out=rows, where=norms > 0)


def _stems(sentence: str) -> set[str]:
    """The first two and three syllables of the words, which leave most endings out."""
    words = _WORD.findall(sentence)
    return {word[:2] for word in words} | {word[:3] for word in words}


def _manner(sentences: Sequence[str]) -> Rows:
    """Whether each sentence is speech, how long it is and how polite, all about 0."""
    levels = [level_of(sentence) for sentence in sentences]
    columns = (
        (_SPEECH, [float(sentence[0] in _OPENING) for sentence in sentences]),
        (_LENGTH, [float(np.log(len(sentence))) for sentence in sentences]),
        (_LEVEL, [float(level is None) for level in levels]),
        (_LEVEL, [float(level in POLITE) for level in levels]),
    )
    centred = [weight * (np.array(values) - np.mean(values)) for weight, values in columns]
    return np.column_stack(centred).astype(np.float32)


def _alike(rows: Rows, lag: int) -> Rows:
    """How alike each sentence and the one `lag` behind it are, [sentences - lag]."""
    alike: Rows = np.einsum("ij,ij->i", rows[:-lag], rows[lag:])
    return alike
