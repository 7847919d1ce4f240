"""`data split`: records -> training, held-out and test files that share nothing."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError
from llmops_cli.data.apportion import Group, apportion
from llmops_cli.data.checks import leakage
from llmops_cli.data.config import SplitConfig
from llmops_cli.data.near_duplicates import NearDuplicates
from llmops_cli.data.records import Record
from llmops_cli.data.rewrite import (
    Output,
    RewritePlan,
    RewriteResult,
    Rewriting,
    Rewritten,
    Row,
    open_outputs,
    plan_rewrite,
    row_of,
)
from llmops_cli.data.spool import Spool
from llmops_cli.data.strata import stratum_of

_TRAIN = 0
_AT_ONCE = 1_000  # rows


@dataclass(frozen=True)
class SplitResult:
    """What was written.

    `strata` has the records in each output by stratum; `groups` counts what stays together, of one record or more.
    `moved` records were to be held out, but shared text with others, and went to the training file; `shared` records
    still do.
    """

    written: RewriteResult
    strata: dict[str, tuple[int, ...]]
    groups: int
    moved: int
    shared: int

    @property
    def names(self) -> list[str]:
        """What the outputs are called: train, heldout, test."""
        return [Path(file.path).stem for file in self.written.outputs]

    def to_json(self) -> dict[str, Any]:
        strata = {stratum: dict(zip(self.names, counts, strict=True)) for stratum, counts in self.strata.items()}
        leakage = {"shared": self.shared, "moved": self.moved}
        return self.written.to_json() | {"strata": strata, "groups": self.groups, "leakage": leakage}


class _Compared(NamedTuple):
    """Of the records of a piece: what each is grouped by, its stratum, and what tells whether it is like another."""

    keys: tuple[str, ...]
    strata: tuple[str, ...]
    alike: leakage.Evidence


def plan(config: SplitConfig) -> RewritePlan:
    """Find the input files and check the places of the outputs.

    Raises:
        InputError: as :func:`plan_rewrite`; or the test file of another split would stay beside the new files.
    """
    planned = plan_rewrite("data split", config, config.outputs)
    left = Path(config.output) / "test.jsonl"
    if left not in planned.outputs and left.exists():
        what = "left from another split, and may share records with this one"
        raise InputError(what, where=str(left), hint=f"rm {left}, or --set test=0.1")
    return planned


def run(plan: RewritePlan, reporter: Reporter) -> SplitResult:
    """Split by groups, and write each file in reading order. All files appear, or none does.

    A group is what must not be torn: records with one value at `group_by`, copies and near-copies, and conversations
    that end in the same long exchange. Of each stratum (:func:`stratum_of`) each file gets its share, to within one
    group. At last no file shares anything with another that the check `leakage` would find.

    Raises:
        InputError: a setting does not fit the files, or there are fewer groups than files.
    """
    config: SplitConfig = plan.config
    rewriting = Rewriting(plan, reporter)
    parameters = leakage.Params(threshold=config.threshold)
    corpus = _Corpus(config.seed, parameters)
    for rows, compared in rewriting.rows(partial(_compared, config.group_by, parameters)):
        corpus.add(rows, compared)
    rewriting.check(len(corpus))
    if "group_by" in config.model_fields_set and not corpus.has_keys:
        reporter.warn(f"no record has {config.group_by!r} in its metadata: nothing is grouped by it")
    groups = corpus.split([config.held_out, *([config.test] if config.test else [])])
    moved = 0
    while leaks := corpus.leaks():
        moved += corpus.move_to_train({number for pair in leaks for number in pair})
    if moved:
        reporter.warn(f"{moved:,} records could not be held out: they share text with others")
    with open_outputs(plan.outputs) as outputs:
        corpus.write(outputs)
        if not all(output.count for output in outputs):
            what = "no record is left to hold out that shares no text with another"
            raise InputError(what, where=config.input[0], hint=f"llmops data dedup {config.input[0]} -o clean.jsonl")
        rewriting.check(len(corpus))
    written = rewriting.finish([(path, output.count) for path, output in zip(plan.outputs, outputs, strict=True)])
    return SplitResult(written, corpus.strata(len(outputs)), groups, moved, len(leaks))


def _compared(group_by: str, parameters: leakage.Params, records: Iterator[Record]) -> Rewritten:
    batch = list(records)
    values = (record.metadata.get(group_by) for record in batch)
    keys = tuple(str(value) if isinstance(value, (str, int, float)) else "" for value in values)
    strata = tuple(map(stratum_of, batch))
    return Rewritten(
        [row_of(record) for record in batch],
        evidence=_Compared(keys, strata, leakage.collect(batch, parameters)),
    )


class _Corpus:
    """All records by number: rows and what is compared of them on disk, some 500 bytes of each in memory.

    The side of a record is the number of the output it goes to.
    """

    def __init__(self, seed: int, parameters: leakage.Params) -> None:
        self._seed, self._parameters = seed, parameters
        self._rows = Spool()
        self._near = NearDuplicates(parameters.threshold)
        self._owners = array("q")  # the record of each text in `_near`
        self._alike = tempfile.TemporaryFile(prefix="llmops-")  # noqa: SIM115 - open as long as the object lives
        self._parents = array("q")
        self._orders = array("Q")
        self._stratum = array("I")
        self._strata: dict[str, int] = {}
        self._first_of: dict[str, int] = {}
        self._sides = bytearray()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def has_keys(self) -> bool:
        """Whether a record has something to be grouped by."""
        return bool(self._first_of)

    def add(self, rows: Sequence[Row], compared: _Compared) -> None:
        """Take records; they get the next numbers."""
        first = len(self)
        self._rows.extend(row.decode() for _, row in rows)
        for number, ((name, _), key, stratum) in enumerate(
            zip(rows, compared.keys, compared.strata, strict=True), first
        ):
            self._parents.append(self._first_of.setdefault(key, number) if key else number)
            self._stratum.append(self._strata.setdefault(stratum, len(self._strata)))
            identity = f"{self._seed}/{'group' if key else 'record'}/{key or name}"
            digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8)
            self._orders.append(int.from_bytes(digest.digest()))
        self._near.add(compared.alike.records)
        self._near.add(compared.alike.exchanges)
        self._owners.extend(range(first, len(self)))
        self._owners.extend(first + place for place in compared.alike.talks)
        pickle.dump(compared.alike, self._alike)

    def split(self, shares: Sequence[float]) -> int:
        """Make groups, give each a side, and say how many there are. Raises InputError as :func:`apportion`."""
        for cluster in self._near.clusters():
            first, *others = (self._owners[number] for number in cluster)
            for other in others:
                low, high = sorted((self._root(first), self._root(other)))
                self._parents[high] = low
        sizes = Counter(map(self._root, range(len(self))))
        roots = sorted(sizes)
        names = sorted(self._strata)
        place = {number: names.index(name) for name, number in self._strata.items()}
        groups = [Group(sizes[root], place[self._stratum[root]], self._orders[root]) for root in roots]
        side_of = dict(zip(roots, apportion(groups, shares), strict=True))
        self._sides = bytearray(side_of[self._root(number)] for number in range(len(self)))
        return len(groups)

    def leaks(self) -> list[tuple[int, int]]:
        """Pairs of records on different sides that share text: the nearest one for each record."""
        found: list[tuple[int, int]] = []
        for side in range(1, 1 + max(self._sides)):
            judge = leakage.Judge(self._parameters)
            held_out, others = self._judged(judge, [side], True), self._judged(judge, range(side), False)
            found += [(others[other], held_out[number]) for other, number in judge.pairs()]
        return found

    def _judged(self, judge: leakage.Judge, sides: Sequence[int], held_out: bool) -> list[int]:
        numbers: list[int] = []
        self._alike.seek(0)
        first = 0
        while first < len(self):
            alike: leakage.Evidence = pickle.load(self._alike)
            places = [place for place in range(len(alike.answers)) if self._sides[first + place] in sides]
            if places:
                judge.add(len(numbers), alike.only(places), held_out=held_out)
            numbers += (first + place for place in places)
            first += len(alike.answers)
        return numbers

    def move_to_train(self, numbers: set[int]) -> int:
        """Move the groups of records, and say how many records were moved."""
        roots = {self._root(number) for number in numbers}
        moved = [n for n in range(len(self)) if self._sides[n] != _TRAIN and self._root(n) in roots]
        for number in moved:
            self._sides[number] = _TRAIN
        return len(moved)

    def write(self, outputs: Sequence[Output]) -> None:
        """Write each record to the output of its side."""
        for start in range(0, len(self), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, len(self)))
            for side, output in enumerate(outputs):
                mine = [number for number in numbers if self._sides[number] == side]
                output.write([("", row.encode()) for row in self._rows.read(mine)])

    def strata(self, sides: int) -> dict[str, tuple[int, ...]]:
        """The records of each side by stratum."""
        counts = Counter(zip(self._stratum, self._sides, strict=True))
        return {name: tuple(counts[self._strata[name], side] for side in range(sides)) for name in sorted(self._strata)}

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = number = self._parents[self._parents[number]]
        return number
