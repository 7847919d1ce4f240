"""The half of validation that runs in worker processes: each record through each check."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from types import ModuleType
from typing import Any

import numpy as np

from llmops_cli.core.plugins import load_plugin
from llmops_cli.data import checks
from llmops_cli.data.checks import Check, Measure, Measured
from llmops_cli.data.contents import BORDER, Contents
from llmops_cli.data.findings import KEPT, Found
from llmops_cli.data.records import Record
from llmops_cli.reporting.histogram import bin_of


@dataclass
class Seen:
    """What the checks made of a piece of the input.

    Of the `findings` of each check the first are here, `counts` has all; `places` are files and the lines of their
    records in reading order; `sampled` counts the records that a check of a sample saw; `lengths` counts records by the
    least length of their bin, in characters and in tokens.
    """

    records: int = 0
    findings: list[Found] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    evidence: dict[str, Any] = field(default_factory=dict)
    places: list[tuple[str, array[int]]] = field(default_factory=list)
    sampled: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, Counter[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Inspection:
    """The work on one piece of the input, picklable.

    `names` are the checks, `parameters` by name; `size` is the bytes of the whole input, of which some checks see a
    sample.
    """

    names: tuple[str, ...]
    parameters: dict[str, Any]
    measure: Measure | None
    size: int

    def __call__(self, records: Iterator[Record]) -> Seen:
        modules = {name: load_plugin(checks, name) for name in self.names}
        across = {name: module for name, module in modules.items() if hasattr(module, "collect")}
        measure = _Recorded(self.measure) if self.measure else None
        seen = Seen()
        kept = list(records)
        contents = Contents(kept)
        found: list[tuple[int, Found]] = []
        for name, module in modules.items():
            if not hasattr(module, "start"):
                continue
            params = self.parameters.get(name)
            check: Check = module.start(params, measure) if getattr(module, "MEASURES", False) else module.start(params)
            numbers = self._seen_by(module, contents, kept)
            if hasattr(module, "SAMPLE"):
                numbers = list(numbers)
                seen.sampled[name] += len(numbers)
            for number in numbers:
                for what in check(kept[number]):
                    seen.counts[name] += 1
                    if seen.counts[name] <= KEPT:
                        found.append((number, (name, what, kept[number].where, kept[number].id)))
        seen.findings = [finding for _, finding in sorted(found, key=lambda item: item[0])]
        seen.records = len(kept)
        seen.lengths["characters"] = _binned(Counter((np.diff(contents.starts) - len(BORDER)).tolist()))
        if measure:
            seen.lengths["tokens"] = _binned(measure.tokens)
        if across:
            seen.evidence = {name: module.collect(kept, self.parameters.get(name)) for name, module in across.items()}
            seen.places = _places(kept)
        return seen

    def _seen_by(self, module: ModuleType, contents: Contents, records: list[Record]) -> Iterable[int]:
        """The numbers of the records that a check has to see."""
        if hasattr(module, "TRACE"):
            return contents.matching(module.TRACE)
        if hasattr(module, "suspects"):
            suspects: Iterable[int] = module.suspects(contents, self.parameters.get(module.ID))
            return suspects
        if not hasattr(module, "SAMPLE") or self.size <= module.SAMPLE:
            return range(len(records))
        share = (1 << 32) * module.SAMPLE // self.size
        return [number for number, record in enumerate(records) if zlib.crc32(record.where.encode()) < share]


class _Recorded:
    """A measure that counts what it measured."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.tokens: Counter[int] = Counter()

    def __call__(self, record: Record) -> Measured:
        measured = self._measure(record)
        self.tokens[measured.tokens] += 1
        return measured


def _places(records: list[Record]) -> list[tuple[str, array[int]]]:
    split = (record.where.rpartition(":") for record in records)
    return [
        (file, array("I", (int(line) for _, _, line in lines)))
        for file, lines in groupby(split, key=lambda part: part[0])
    ]


def _binned(lengths: Counter[int]) -> Counter[int]:
    """Counts by the least length of a bin."""
    result: Counter[int] = Counter()
    for length, count in lengths.items():
        result[bin_of(length)] += count
    return result
