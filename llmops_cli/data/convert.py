"""`data convert`: raw files of any known format -> one JSONL file and its manifest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli import __version__
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.core.files import atomic_writer, write_json
from llmops_cli.data.checks import structure
from llmops_cli.data.config import ConvertConfig, WrongSetting
from llmops_cli.data.manifest import SCHEMA_VERSION, ManifestFile, describe, manifest_path
from llmops_cli.data.reading import expand, read_records

_SHOWN = 10


@dataclass(frozen=True)
class ConvertPlan:
    """What will be read and written. Nothing is read yet."""

    config: ConvertConfig
    files: tuple[Path, ...]
    output: Path

    def to_json(self) -> dict[str, Any]:
        return {"files": [str(file) for file in self.files], "output": str(self.output)}


@dataclass(frozen=True)
class ConvertResult:
    """What was written: `dropped` counts by reason, `problems` are the first of them in full."""

    output: ManifestFile
    manifest: Path
    inputs: tuple[ManifestFile, ...]
    dropped: dict[str, int]
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "output": self.output.to_json(),
            "manifest": str(self.manifest),
            "inputs": [file.to_json() for file in self.inputs],
            "dropped": self.dropped,
            "problems": [str(problem) for problem in self.problems],
        }


def plan(config: ConvertConfig) -> ConvertPlan:
    """Find the input files and check the place of the output.

    Raises:
        InputError: inputs that are not there, or an output that is an input or no file; all at once.
    """
    problems: list[Problem] = []
    files: list[Path] = []
    try:
        files = expand(config.input)
    except InputError as error:
        problems += error.problems
    output = Path(config.output)
    if output.resolve() in {file.resolve() for file in files}:
        problems.append(Problem("the output is one of the inputs", config.output, "--set output=OTHER.jsonl"))
    if output.is_dir():
        problems.append(Problem("the output is a folder", config.output, f"--set output={config.output}/data.jsonl"))
    elif any(parent.is_file() for parent in output.parents):
        problems.append(Problem("the output lies in a file, want a folder", config.output))
    raise_problems(problems)
    return ConvertPlan(config, tuple(files), output)


def run(plan: ConvertPlan, reporter: Reporter) -> ConvertResult:
    """Read, write and describe. The output and its manifest appear whole or not at all.

    A row that cannot be read, or whose turns are in no order that can be trained on, is dropped and counted.

    Raises:
        InputError: a setting does not fit the files, or not one record can be written.
    """
    dropping = _Dropping()
    read: Counter[str] = Counter()
    written = 0
    with reporter.progress("convert", plan.config.limit) as progress, atomic_writer(plan.output) as stream:
        for record in read_records([str(file) for file in plan.files], plan.config, dropping.unreadable):
            read[record.where.rpartition(":")[0]] += 1
            if fault := next(structure.faults(record), None):
                dropping.add(fault.partition(" in message")[0], Problem(fault, record.where))
                continue
            stream.write(json.dumps(record.to_json(), ensure_ascii=False) + "\n")
            written += 1
            progress.update(written)
            if written == plan.config.limit:
                break
        if not written:
            raise InputError(dropping.problems or [Problem("no record in the input", str(plan.files[0]))])
    if dropping.counts:
        reporter.warn(f"dropped {dropping.counts.total()}: {_listed(dropping.counts)}")
    inputs = describe(plan.files, read)
    name = str(plan.output)
    (output,) = describe([plan.output], {name: written})
    manifest = manifest_path(plan.output)
    write_json(
        manifest,
        {
            "schema_version": SCHEMA_VERSION,
            "tool_version": __version__,
            "job": "data convert",
            "parameters": plan.config.model_dump(mode="json"),
            "inputs": [file.to_json() for file in inputs],
            "output": output.to_json(),
            "records": {
                "in": read.total() + dropping.unread,
                "out": written,
                "dropped": dict(dropping.counts),
            },
        },
    )
    return ConvertResult(output, manifest, tuple(inputs), dict(dropping.counts), tuple(dropping.problems))


class _Dropping:
    """Counts of what is left out, by reason, and the first problems in full."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.unread = 0

    def add(self, reason: str, problem: Problem) -> None:
        self.counts[reason] += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(problem)

    def unreadable(self, problem: Problem) -> None:
        if isinstance(problem, WrongSetting):
            raise InputError([problem])
        self.unread += 1
        self.add("unreadable", problem)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
