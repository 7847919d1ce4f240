"""Texts with what was found in them marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

FAINT = 0.1
"""A finding of a smaller score is not marked."""


class Piece(NamedTuple):
    """A part of a text, and what is marked there."""

    text: str
    kinds: tuple[str, ...]


def pieces(text: str, details: Mapping[str, Mapping[str, Any]]) -> list[Piece]:
    """Cut a text where marks begin and end; no pieces of an empty text.

    Args:
        text: what a model wrote; it may be cut at its end.
        details: by metric and kind, what explains its score. Spans of the text are `[[start, end], …]`, or
            `{"start": …, "end": …, "score": …}` with a score from 0 to 1; all else is left out.
    """
    spans = [
        (start, end, f"{metric}: {kind}")
        for metric, kinds in details.items()
        for kind, found in kinds.items()
        for start, end in _spans(found)
    ]
    edges = sorted({0, len(text)} | {edge for start, end, _ in spans for edge in (start, end) if 0 < edge < len(text)})
    return [
        Piece(text[low:high], tuple(dict.fromkeys(kind for start, end, kind in spans if start <= low < high <= end)))
        for low, high in pairwise(edges)
    ]


def _spans(found: Any) -> Iterator[tuple[int, int]]:
    if isinstance(found, Mapping) and {"start", "end"} <= set(found) and found.get("score", 1) >= FAINT:
        yield found["start"], found["end"]
    for span in found if isinstance(found, list) else ():
        match span:
            case [int(start), int(end)]:
                yield start, end
