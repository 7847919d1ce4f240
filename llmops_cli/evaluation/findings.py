"""Findings in an answer, counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from llmops_cli.evaluation.metrics import Measurement


class Finding(Protocol):
    """A span of a text, in code points, and its kind."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def counted(findings: Iterable[Finding]) -> Measurement:
    """How many there are; the details are the spans, [start, end], by kind."""
    spans: dict[str, list[list[int]]] = defaultdict(list)
    for found in findings:
        spans[found.kind].append([found.start, found.end])
    return Measurement(float(sum(map(len, spans.values()))), details=dict(spans))
