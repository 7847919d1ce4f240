"""Loops: letters, words, sentences or paragraphs that come again and again, also with small changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llmops_cli.evaluation.degeneration.finding import Finding, saturated, surest, worst_stretch
from llmops_cli.text.scripts import script_classes
from llmops_cli.text.shingles import code_points, window_hashes

Letters = NDArray[np.uint32]

_ANYWHERE = 1 << 30
_PASSAGE = ((1, _ANYWHERE, 0.5), (2, _ANYWHERE, 0.5), (3, _ANYWHERE, 0.5))
_FRAME = ((2, 120, 0.4), (4, 240, 0.6))
_WINDOWS = {10: _PASSAGE, 6: _FRAME}
"""How much it weighs that a window of so many letters stood there so often before, within so many letters.

Names and set phrases are shorter than a passage; a frame is what stays of a sentence that comes again with a change.
"""
_NEW = -0.7
_TOLERATED, _SCALE = 10.0, 45.0

_LAUGHTER = frozenset(map(ord, "하히호허후흐헤헿크큭킥푸우아으어오에와음야"))
_WORDS = re.compile(r"(?<!\S)(\S{0,11}[가-힣A-Za-z][.,!?]?)(?!\S)(?:\s+\1(?!\S)){4,}")
_USUAL_WORDS = 4.0
_UNITS = 12
_USUAL_COPIES = {1: 9.0, 2: 5.0, 3: 4.0}
_LAUGHTER_COPIES, _MORE_COPIES, _COPIES_SCALE = 25.0, 2.8, 2.5


def loops(text: str) -> Finding | None:
    """The worst loop of a text.

    Only letters and digits are looked at, whatever stands between them; dividers, ㅋㅋㅋ, 1,000,000 and laughter are
    no loops. A refrain that comes twice is tolerated, the same sentence three times in a row is not.
    """
    codes = code_points(text)
    places = _letters(codes)
    letters = codes[places]
    found = [
        Finding(score, int(places[start]), int(places[end - 1]) + 1)
        for score, start, end in (*_stutters(letters), _repeats(letters))
        if score > 0
    ]
    return surest([*_repeated_words(text), *found])


def _repeated_words(text: str) -> Iterator[Finding]:
    """Runs of one word, which may have a single letter."""
    for run in _WORDS.finditer(text):
        yield Finding(saturated(len(run.group().split()), _USUAL_WORDS, _COPIES_SCALE), *run.span())


def _letters(codes: Letters) -> NDArray[np.int64]:
    """Where the letters and digits stand."""
    classes = script_classes()
    jamo = (codes >= 0x3131) & (codes <= 0x318E)
    letters = (classes[np.minimum(codes, len(classes) - 1)] > 0) & ~jamo
    return np.flatnonzero(letters | _digits(codes))


def _digits(codes: Letters) -> NDArray[np.bool_]:
    return (codes >= ord("0")) & (codes <= ord("9"))


def _stutters(letters: Letters) -> list[tuple[float, int, int]]:
    """The longest run of each length of unit up to a few words: score, start, end."""
    found = []
    words = ~_digits(letters)
    for unit in range(1, min(_UNITS, len(letters) // 2) + 1):
        same = (letters[unit:] == letters[:-unit]) & (words[unit:] if unit == 1 else True)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]])))
        if len(edges):
            starts, ends = edges[::2], edges[1::2]
            longest = int(np.argmax(ends - starts))
            start, end = int(starts[longest]), int(ends[longest]) + unit
            laughs = unit == 1 and int(letters[start]) in _LAUGHTER
            usual = _LAUGHTER_COPIES if laughs else _USUAL_COPIES.get(unit, _MORE_COPIES)
            found.append((saturated((end - start) / unit, usual, _COPIES_SCALE), start, end))
    return found


def _repeats(letters: Letters) -> tuple[float, int, int]:
    """The stretch that holds most letters of passages that stood there before: score, start, end.

    A letter of a second copy counts half, of a third or fourth more; a shorter frame counts from its third copy on.
    """
    copied = np.zeros(len(letters))
    for width, weights in _WINDOWS.items():
        hashes = window_hashes(letters, width)
        order = np.argsort(hashes, kind="stable")
        for copies, reach, weight in weights:
            copied += weight * _covered(_again(hashes[order], order, copies, reach), width, len(letters))
    worst = worst_stretch(np.where(copied > 0, copied, _NEW))
    return saturated(worst.total, _TOLERATED, _SCALE), worst.start, worst.end


def _again(hashes: NDArray[np.uint64], places: NDArray[np.int64], copies: int, reach: int) -> NDArray[np.int64]:
    """Where windows start that stood there `copies` times before and within `reach`; in order of hash, then place."""
    same = hashes[copies:] == hashes[:-copies]
    near = places[copies:] - places[:-copies] <= reach
    again: NDArray[np.int64] = places[copies:][same & near]
    return again


def _covered(starts: NDArray[np.int64], width: int, size: int) -> NDArray[np.bool_]:
    """Which letters stand in one of the windows."""
    changes = np.bincount(starts, minlength=size + 1) - np.bincount(starts + width, minlength=size + 1)
    covered: NDArray[np.bool_] = np.cumsum(changes[:size]) > 0
    return covered
