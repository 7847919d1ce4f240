"""`data lineage`: from a data file back, manifest by manifest, to the raw files, and whether all are as they were."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from llmops_cli.config.yaml import parse_value
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import sha256_of
from llmops_cli.data.config import ConvertConfig, DataJob, DedupConfig, MaskConfig, MergeConfig, SplitConfig
from llmops_cli.data.manifest import Manifest, ManifestFile, read_manifest
from llmops_cli.data.reading import total_size
from llmops_cli.data.sources import as_on_disk
from llmops_cli.text.normalize import nfc

Status = Literal["same", "changed", "missing"]

_SCHEMAS: Mapping[str, type[DataJob]] = {
    "data convert": ConvertConfig,
    "data mask": MaskConfig,
    "data dedup": DedupConfig,
    "data merge": MergeConfig,
    "data split": SplitConfig,
}


@dataclass(frozen=True)
class RawFiles:
    """Raw files of one folder that a step has read; `changed` and `missing` are their names."""

    folder: str
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class MadeFile:
    """A file that a step wrote.

    It is `changed` when it is not what the step wrote, or not what the next step has read. `step` is None where the
    file stands in the lineage already.
    """

    path: str
    records: int
    status: Status
    step: Step | None

    def to_json(self) -> dict[str, Any]:
        step = self.step.to_json() if self.step else None
        return {"path": self.path, "records": self.records, "status": self.status, "step": step}


@dataclass(frozen=True)
class Step:
    """How a file was made: the job, its parameters that are not the defaults, and what it read.

    `stale` says that it would not make the same file again, or that the file is not there as it was made; `command`
    runs it again.
    """

    job: str
    tool_version: str
    parameters: Mapping[str, Any]
    records: Mapping[str, Any]
    made: tuple[MadeFile, ...]
    raw: tuple[RawFiles, ...]
    command: str
    stale: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "tool_version": self.tool_version,
            "parameters": dict(self.parameters),
            "records": dict(self.records),
            "inputs": [file.to_json() for file in self.made],
            "raw": [asdict(files) for files in self.raw],
            "command": self.command,
            "stale": self.stale,
        }


@dataclass(frozen=True)
class Lineage:
    """Where a file comes from; `rerun` are the commands that make it anew, in their order."""

    file: MadeFile
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    rerun: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every file is as it was."""
        return not self.changed and not self.missing

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "files": self.files,
            "changed": list(self.changed),
            "missing": list(self.missing),
            "rerun": list(self.rerun),
            "lineage": self.file.to_json(),
        }


def trace(file: Path, reporter: Reporter) -> Lineage:
    """Follow the manifests, and compare every file with what was recorded of it.

    Paths in a manifest are relative to the folder that the step ran in. That is the current folder where it has the
    file at the path which the manifest gives; else the folder further up from the file in which it lies at that path,
    so that a workspace can be looked at from elsewhere; else the current folder is taken.

    Raises:
        InputError: there is no such file, it has no manifest, or a manifest is broken.
    """
    if not file.is_file():
        raise InputError("no such file", where=str(file))
    if read_manifest(file) is None:
        hint = f"llmops data convert {shlex.quote(str(file))} -o clean.jsonl"
        raise InputError("no manifest lies beside this file: llmops data did not make it", where=str(file), hint=hint)
    history = _History(Path(os.path.abspath(file)))
    history.compare(reporter)
    return history.lineage()


class _History:
    """All files that a file was made from, by absolute path, with the manifests of those that have one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._manifests: dict[Path, Manifest | None] = {}
        self._workspaces: dict[Path, Path] = {}
        self._inputs: dict[Path, list[tuple[Path, ManifestFile]]] = {}
        self._digests: dict[Path, str | None] = {}
        self._statuses: dict[Path, Status] = {}
        self._shown: set[Path] = set()
        self._stale: dict[Path, bool] = {}
        self._rerun: dict[str, None] = {}
        waiting = [file]
        while waiting:
            path = waiting.pop()
            if path in self._manifests:
                continue
            manifest = self._manifests[path] = read_manifest(path)
            if manifest is not None:
                workspace = self._workspaces[path] = _workspace(path, manifest)
                self._inputs[path] = [(_absolute(workspace, each.path), each) for each in manifest.inputs]
                waiting += (each for each, _ in self._inputs[path])

    def compare(self, reporter: Reporter) -> None:
        """Hash all files as they are."""
        done = 0
        with reporter.progress("data lineage", total_size(self._manifests), "B") as progress:
            for path in self._manifests:
                self._digests[path] = sha256_of(path) if path.is_file() else None
                done += path.stat().st_size if path.is_file() else 0
                progress.update(done)
        for path, manifest in self._manifests.items():
            self._statuses.setdefault(path, "same")
            for each, recorded in [(path, manifest.output), *self._inputs[path]] if manifest else []:
                status = self._status(each, recorded)
                if status != "same":
                    self._statuses[each] = status

    def lineage(self) -> Lineage:
        """The tree of the file, and what is not as it was."""
        file = self._made(self._file)
        changed, missing = (
            tuple(sorted(_shown(path) for path, status in self._statuses.items() if status == kind))
            for kind in ("changed", "missing")
        )
        return Lineage(file, len(self._manifests), changed, missing, tuple(self._rerun))

    def _status(self, path: Path, recorded: ManifestFile) -> Status:
        digest = self._digests[path]
        return "missing" if digest is None else "same" if digest == recorded.sha256 else "changed"

    def _made(self, path: Path) -> MadeFile:
        manifest = self._manifests[path]
        assert manifest is not None
        again = path in self._shown
        self._shown.add(path)
        step = None if again else self._step(path, manifest)
        return MadeFile(_shown(path), manifest.output.records, self._statuses[path], step)

    def _step(self, path: Path, manifest: Manifest) -> Step:
        inputs = [each for each, _ in self._inputs[path]]
        made = tuple(self._made(each) for each in inputs if self._manifests[each])
        raw = [each for each in inputs if not self._manifests[each]]
        command = _command(manifest, self._workspaces[path])
        stale = self._is_stale(path)
        if stale:
            self._rerun[command] = None
        return Step(
            job=manifest.job,
            tool_version=manifest.tool_version,
            parameters=_changed_parameters(manifest),
            records=manifest.records,
            made=made,
            raw=tuple(_by_folder(raw, self._statuses)),
            command=command,
            stale=stale,
        )

    def _is_stale(self, path: Path) -> bool:
        """Whether a file is not as its step wrote it, or the step would not write the same again."""
        manifest = self._manifests[path]
        if manifest is None:
            return False
        if path not in self._stale:
            self._stale[path] = False  # the end of a circle
            recorded = [(path, manifest.output), *self._inputs[path]]
            changed = any(self._status(each, file) != "same" for each, file in recorded)
            self._stale[path] = changed or any(self._is_stale(each) for each, _ in self._inputs[path])
        return self._stale[path]


def _workspace(path: Path, manifest: Manifest) -> Path:
    """The folder that the paths in the manifest of `path` are relative to; see :func:`trace`."""
    recorded = Path(manifest.output.path)
    resolved = path.resolve()
    if not recorded.is_absolute() and recorded.resolve() != resolved and nfc(str(resolved)).endswith(f"/{recorded}"):
        return resolved.parents[len(recorded.parts) - 1]
    return Path.cwd()


def _absolute(workspace: Path, name: str) -> Path:
    path = os.path.abspath(workspace / name)
    return as_on_disk(path) or Path(path)


def _shown(path: Path) -> str:
    """The path as a person here would type it."""
    return nfc(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _by_folder(paths: Sequence[Path], statuses: Mapping[Path, Status]) -> Iterator[RawFiles]:
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    for folder, files in folders.items():
        changed, missing = (
            tuple(nfc(path.name) for path in files if statuses[path] == kind) for kind in ("changed", "missing")
        )
        yield RawFiles(_shown(folder), len(files), changed, missing)


def _changed_parameters(manifest: Manifest) -> dict[str, Any]:
    """The parameters that differ from the defaults, without those that every job is given."""
    schema = _SCHEMAS.get(manifest.job)
    defaults = (
        {name: field.get_default(call_default_factory=True) for name, field in schema.model_fields.items()}
        if schema
        else {}
    )
    given = ("input", "output")
    return {
        name: value
        for name, value in manifest.parameters.items()
        if name not in given and (name not in defaults or value != defaults[name])
    }


def _command(manifest: Manifest, workspace: Path) -> str:
    """What to type to run the step again."""
    parameters = manifest.parameters
    settings = [f"{name}={_as_yaml(value)}" for name, value in _changed_parameters(manifest).items()]
    words = ["llmops", *manifest.job.split(), *parameters["input"], "-o", parameters["output"]]
    words += (word for setting in settings for word in ("--set", setting))
    there = "" if workspace == Path.cwd() else f"cd {shlex.quote(str(workspace))} && "
    return there + shlex.join(words)


def _as_yaml(value: Any) -> str:
    """The value as `--set` reads it: texts bare where they are not taken for something else."""
    text = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return text
    try:
        return value if parse_value(value, "--set") == value else text
    except InputError:
        return text
