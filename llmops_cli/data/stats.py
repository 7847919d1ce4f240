"""`data stats`: how many records there are, how long they are, and where they come from."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.checks import Measure
from llmops_cli.data.config import StatsConfig
from llmops_cli.data.reading import scan, total_size
from llmops_cli.data.records import Record
from llmops_cli.data.sources import expand
from llmops_cli.data.strata import stratum_of
from llmops_cli.reporting.histogram import bin_of
from llmops_cli.text.scripts import letters

SAMPLE = 6_000_000
"""Bytes of input of which tokens are counted, spread evenly over a larger one."""
_PROBLEMS_KEPT = 10
_ALL = 1 << 32


@dataclass(frozen=True)
class StatsPlan:
    """What will be read, and what counts tokens."""

    config: StatsConfig
    files: tuple[Path, ...]
    measure: Measure | None


@dataclass
class Summary:
    """Counts of some records.

    `turns` leaves system messages out; `solid` is the characters that are no white space; `hangul` and `foreign` are
    letters; `lengths` counts records by their characters.
    """

    turns: int = 0
    solid: int = 0
    hangul: int = 0
    foreign: int = 0
    with_system: int = 0
    lengths: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a record."""
        roles = [message.role for message in record.messages]
        self.turns += len(roles) - roles.count("system") + (record.chosen is not None)
        self.with_system += "system" in roles
        characters = 0
        for text in record.contents():
            hangul, foreign = letters(text)
            self.hangul += hangul
            self.foreign += foreign
            self.solid += sum(map(len, text.split()))
            characters += len(text)
        self.lengths[characters] += 1

    def merge(self, other: Summary) -> None:
        """Add other records' counts."""
        self.turns += other.turns
        self.solid += other.solid
        self.hangul += other.hangul
        self.foreign += other.foreign
        self.with_system += other.with_system
        self.lengths += other.lengths

    @property
    def records(self) -> int:
        return self.lengths.total()

    @property
    def characters(self) -> int:
        return sum(length * count for length, count in self.lengths.items())

    @property
    def hangul_share(self) -> float:
        """Hangul letters among all letters, 0 to 1."""
        return self.hangul / max(1, self.hangul + self.foreign)

    @property
    def system_share(self) -> float:
        """Records with a system message among all, 0 to 1."""
        return self.with_system / self.records

    def percentile(self, percent: float) -> int:
        """The least length, in characters, that so many percent of the records do not exceed (nearest rank)."""
        rank = percent / 100 * self.records
        seen = 0
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= rank:
                break
        return length

    def to_json(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "turns": self.turns,
            "characters": self.characters,
            "characters_without_spaces": self.solid,
            "length": {
                "min": min(self.lengths),
                "median": self.percentile(50),
                "p95": self.percentile(95),
                "max": max(self.lengths),
            },
            "hangul_share": round(self.hangul_share, 4),
            "system_share": round(self.system_share, 4),
        }


@dataclass
class Tokens:
    """Tokens of a sample, which has so many records and characters."""

    records: int = 0
    characters: int = 0
    tokens: int = 0

    def merge(self, other: Tokens) -> None:
        """Add another sample."""
        self.records += other.records
        self.characters += other.characters
        self.tokens += other.tokens


@dataclass(frozen=True)
class StatsResult:
    """What was counted: all records, those of each stratum, and rows by format; `unreadable` rows are in none.

    `tokens` are there where a model was named, of the records in a sample that its chat template takes.
    """

    files: int
    all: Summary
    strata: Mapping[str, Summary]
    formats: Mapping[str, int]
    unreadable: int
    tokens: Tokens | None

    @property
    def histogram(self) -> dict[int, int]:
        """Records by characters, counted at the least length of a bin; bins are those of :func:`bin_of`."""
        bins: Counter[int] = Counter()
        for length, count in self.all.lengths.items():
            bins[bin_of(length)] += count
        return dict(sorted(bins.items()))

    @property
    def all_tokens(self) -> int | None:
        """The tokens of all records, if they have as many for a character as those of the sample."""
        sample = self.tokens
        return round(sample.tokens / max(1, sample.characters) * self.all.characters) if sample else None

    def to_json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "unreadable": self.unreadable,
            **self.all.to_json(),
            **({"tokens": {"all": self.all_tokens, "sample": asdict(self.tokens)}} if self.tokens else {}),
            "histogram": self.histogram,
            "formats": dict(self.formats),
            "strata": {name: summary.to_json() for name, summary in self.strata.items()},
        }


def plan(config: StatsConfig, measure: Measure | None = None) -> StatsPlan:
    """Find the files. `measure`, picklable, counts the tokens of a record. Raises InputError as :func:`expand`."""
    return StatsPlan(config, tuple(expand(config.input)), measure)


def run(plan: StatsPlan, reporter: Reporter) -> StatsResult:
    """Count everything; tokens in a sample of about `SAMPLE` bytes.

    Raises:
        InputError: not one record can be read.
    """
    strata: dict[str, Summary] = {}
    tokens = Tokens()
    formats: Counter[str] = Counter()
    problems: list[Problem] = []
    unreadable = done = 0
    size = total_size(plan.files)
    work = partial(_counted, plan.measure, min(_ALL, _ALL * SAMPLE // max(1, size)))
    with reporter.progress("data stats", size, "B") as progress:
        for outcome in scan(plan.files, plan.config, work, plan.config.workers):
            counted, sample = outcome.value
            for name, summary in counted.items():
                strata.setdefault(name, Summary()).merge(summary)
            tokens.merge(sample)
            for tally in outcome.tallies.values():
                formats += tally.formats
            unreadable += len(outcome.problems)
            problems += outcome.problems[: _PROBLEMS_KEPT - len(problems)]
            done += outcome.size
            progress.update(done)
    if not strata:
        raise InputError(problems or [Problem("no record in the input", str(plan.files[0]))])
    if unreadable:
        reporter.warn(f"{unreadable:,} rows or files cannot be read, the first: {problems[0]}")
    together = Summary()
    for summary in strata.values():
        together.merge(summary)
    return StatsResult(
        files=len(plan.files),
        all=together,
        strata=dict(sorted(strata.items())),
        formats=dict(sorted(formats.items())),
        unreadable=unreadable,
        tokens=tokens if tokens.records else None,
    )


def _counted(measure: Measure | None, sampled: int, records: Iterator[Record]) -> tuple[dict[str, Summary], Tokens]:
    """A summary for each stratum in a piece of the input, and the tokens of records whose CRC-32 is under `sampled`."""
    strata: dict[str, Summary] = {}
    tokens = Tokens()
    for record in records:
        strata.setdefault(stratum_of(record), Summary()).add(record)
        if measure and zlib.crc32(record.where.encode()) < sampled:
            with suppress(InputError):
                count = measure(record).tokens
                tokens.merge(Tokens(1, sum(map(len, record.contents())), count))
    return strata, tokens
