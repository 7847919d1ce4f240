"""What all jobs that write records share: reading in parallel, writing whole files, and the manifest beside them."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.core.files import atomic_binary_writer, locked_directory, staging_path, sync
from llmops_cli.data.columnar import COLUMNAR, columnar_writer
from llmops_cli.data.config import DataJob, WrongSetting
from llmops_cli.data.manifest import ManifestFile, Stamp, describe, manifest_path, stamp, write_manifest
from llmops_cli.data.reading import Tally, UniqueIds, scan, total_size
from llmops_cli.data.records import Record
from llmops_cli.data.sources import expand
from llmops_cli.text.normalize import nfc

_SHOWN = 10

Row = tuple[str, bytes]
"""Id and JSON of a record."""


@dataclass(frozen=True)
class RewritePlan:
    """What will be read and written. Nothing is read yet; `stamps` tell later whether a file has changed."""

    job: str
    config: Any
    files: tuple[Path, ...]
    outputs: tuple[Path, ...]
    stamps: tuple[Stamp, ...]

    def to_json(self) -> dict[str, Any]:
        return {"files": [str(file) for file in self.files], "outputs": [str(file) for file in self.outputs]}


@dataclass
class Rewritten:
    """What a worker made of a piece of the input: rows, and how many records were left out or changed, and why."""

    rows: list[Row] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    evidence: Any = None

    def drop(self, reason: str, problem: Problem) -> None:
        self.dropped[reason] += 1
        self.problems.append(problem)


@dataclass(frozen=True)
class RewriteResult:
    """What was written.

    `dropped` and `changed` count records by reason, `formats` rows by format; `problems` are the first of them in full.
    """

    outputs: tuple[ManifestFile, ...]
    manifests: tuple[Path, ...]
    inputs: tuple[ManifestFile, ...]
    records: int
    dropped: dict[str, int]
    changed: dict[str, int]
    formats: dict[str, int]
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "outputs": [file.to_json() for file in self.outputs],
            "manifests": [str(manifest) for manifest in self.manifests],
            "inputs": [file.to_json() for file in self.inputs],
            "records": {
                "in": self.records,
                "out": sum(file.records for file in self.outputs),
                "dropped": self.dropped,
                "changed": self.changed,
            },
            "formats": self.formats,
            "problems": [str(problem) for problem in self.problems],
        }


def plan_rewrite(job: str, config: DataJob, outputs: Sequence[Path]) -> RewritePlan:
    """Find the input files and check the places of the outputs.

    Raises:
        InputError: inputs that are not there, or an output that is an input or no file; all at once.
    """
    problems: list[Problem] = []
    files: list[Path] = []
    try:
        files = expand(config.input)
    except InputError as error:
        problems += error.problems
    problems += output_problems(outputs, files)
    raise_problems(problems)
    return RewritePlan(job, config, tuple(files), tuple(outputs), tuple(stamp(file) for file in files))


def output_problems(outputs: Iterable[Path], files: Iterable[Path]) -> Iterator[Problem]:
    """What is wrong with the places of outputs: there is an input, another output or a folder, or no folder above."""
    inputs = {file.resolve() for file in files}
    taken: set[Path] = set()
    for output in outputs:
        if output.resolve() in inputs:
            yield Problem("the output is one of the inputs", str(output), "write to another place")
        if output.resolve() in taken:
            yield Problem("two outputs have one name", str(output), "write to another place")
        taken.add(output.resolve())
        if output.is_dir():
            yield Problem("the output is a folder", str(output), "name a file in it")
        elif any(parent.is_file() for parent in output.parents):
            yield Problem("the output lies in a file, want a folder", str(output))


def row_of(record: Record) -> Row:
    """The record as it is written."""
    value = record.to_json()
    try:
        return record.id, orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits in the metadata
        return record.id, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Rewriting:
    """One run of a rewriting job: gives out rows with unique ids, and keeps the accounts."""

    def __init__(self, plan: RewritePlan, reporter: Reporter) -> None:
        self._plan, self._reporter = plan, reporter
        self._ids = UniqueIds()
        self._read: Counter[str] = Counter()
        self._unread = 0
        self._problems: list[Problem] = []
        self._formats: Counter[str] = Counter()
        self._encodings: set[str] = set()
        self.dropped: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()

    def rows(self, work: Callable[[Iterator[Record]], Rewritten]) -> Iterator[tuple[list[Row], Any]]:
        """The rows and the evidence of each piece of the input, in order.

        Raises:
            InputError: a setting does not fit the files.
        """
        plan = self._plan
        done = 0
        with self._reporter.progress(plan.job, total_size(plan.files), "B") as progress:
            for outcome in scan(plan.files, plan.config, work, plan.config.workers):
                for problem in outcome.problems:
                    self._unreadable(problem)
                for name, tally in outcome.tallies.items():
                    self._count(name, tally)
                self.dropped += outcome.value.dropped
                self.changed += outcome.value.changed
                self._keep(outcome.value.problems)
                yield [self._renamed(row) for row in outcome.value.rows], outcome.value.evidence
                done += outcome.size
                progress.update(done)

    def check(self, written: int) -> None:
        """Make sure, before an output gets its name, that it may.

        Raises:
            InputError: not one record is left, with what was in the way; or an input changed while it was read.
        """
        if not written:
            raise InputError(self._problems or [Problem("no record in the input", str(self._plan.files[0]))])
        pairs = zip(self._plan.files, self._plan.stamps, strict=True)
        if changed := [file for file, before in pairs if stamp(file) != before]:
            what = "changed while it was read; nothing was written"
            raise InputError([Problem(what, str(file), "run it again") for file in changed[:_SHOWN]])

    def finish(self, outputs: Sequence[tuple[Path, int]]) -> RewriteResult:
        """Write the manifests of files that have got so many records."""
        plan = self._plan
        if self.dropped:
            listed = ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.most_common())
            self._reporter.warn(f"dropped {self.dropped.total():,}: {listed}")
        total = self._read.total() + self._unread
        inputs = describe(plan.files, self._read)
        records = {
            "in": total,
            "out": sum(count for _, count in outputs),
            "dropped": dict(self.dropped),
            "changed": dict(self.changed),
        }
        described = describe([path for path, _ in outputs], {nfc(str(path)): count for path, count in outputs})
        return RewriteResult(
            outputs=tuple(described),
            manifests=tuple(
                write_manifest(path, plan.job, plan.config, inputs, output, records)
                for (path, _), output in zip(outputs, described, strict=True)
            ),
            inputs=tuple(inputs),
            records=total,
            dropped=dict(self.dropped),
            changed=dict(self.changed),
            formats=dict(self._formats),
            problems=tuple(self._problems),
        )

    def _unreadable(self, problem: Problem) -> None:
        if isinstance(problem, WrongSetting):
            raise InputError([problem])
        self._unread += 1
        self.dropped["unreadable"] += 1
        self._keep([problem])

    def _count(self, name: str, tally: Tally) -> None:
        self._read[nfc(str(tally.file))] += tally.records
        self._formats += tally.formats
        if tally.layout.encoding != "utf-8" and name not in self._encodings:
            self._encodings.add(name)
            self._reporter.info(f"{name}: read as {tally.layout.encoding.upper()}")

    def _keep(self, problems: Iterable[Problem]) -> None:
        self._problems += list(problems)[: _SHOWN - len(self._problems)]

    def _renamed(self, row: Row) -> Row:
        name = self._ids.unique(row[0])
        if name == row[0]:
            return row
        return name, json.dumps(json.loads(row[1]) | {"id": name}, ensure_ascii=False, separators=(",", ":")).encode()


class Output:
    """A file of records that is being written; `count` of them are."""

    def __init__(self, write: Callable[[Sequence[bytes]], object]) -> None:
        self._write = write
        self.count = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Add records."""
        if rows:
            self._write([data for _, data in rows])
            self.count += len(rows)


@contextmanager
def open_output(path: Path) -> Iterator[Output]:
    """Write records to `.jsonl`, `.parquet` or `.avro`; the file appears whole at the end, or not at all.

    Raises:
        MachineError: the library for the format is not installed, or the place cannot be written.
    """
    with atomic_binary_writer(path) as stream:
        if path.suffix not in COLUMNAR:
            yield Output(lambda lines: stream.write(b"\n".join([*lines, b""])))
            return
        with closing(columnar_writer(stream, path.suffix)) as writer:
            yield Output(lambda lines: writer.write([json.loads(line) for line in lines]))


@contextmanager
def open_outputs(paths: Sequence[Path]) -> Iterator[list[Output]]:
    """As :func:`open_output`, for several files of one folder that belong together and to no other process meanwhile.

    When all are written they take the place of older ones and of their manifests. A kill at that moment can leave a
    file missing, but never an old one beside a new one: those could share records, and nobody would see it.
    """
    folder = paths[0].parent
    staging = staging_path(folder / "outputs")
    with locked_directory(folder):
        shutil.rmtree(staging, ignore_errors=True)
        try:
            with ExitStack() as stack:
                yield [stack.enter_context(open_output(staging / path.name)) for path in paths]
            for path in paths:
                path.unlink(missing_ok=True)
                manifest_path(path).unlink(missing_ok=True)
            for path in paths:
                os.replace(staging / path.name, path)
            sync(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
