"""The run record: one folder that is enough to repeat the run."""

from __future__ import annotations

import contextlib
import json
import platform
import subprocess
import time
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from llmops_cli import __version__
from llmops_cli.config.base import StrictModel
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import write_json, write_text
from llmops_cli.core.interrupt import Interrupted

SCHEMA_VERSION = 1
LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "accelerate", "mlflow", "numpy")


class RunRecord:
    """`record.json`, `config.yaml` and `metrics.jsonl` of one run."""

    def __init__(self, directory: Path, values: dict[str, Any]) -> None:
        self.directory = directory
        self.values = values

    @classmethod
    def create(cls, directory: Path, job: str, config: StrictModel, **facts: Any) -> RunRecord:
        """Make the folder and write what is known before the work begins."""
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / "config.yaml", config_text(config))
        record = cls(
            directory,
            {
                "schema_version": SCHEMA_VERSION,
                "job": job,
                "name": directory.name,
                "status": "running",
                "started": now(),
                "llmops": __version__,
                "git_commit": git_commit(),
                "python": platform.python_version(),
                "platform": platform.platform(),
                "libraries": library_versions(),
                **facts,
            },
        )
        record.write()
        return record

    @classmethod
    def load(cls, directory: Path) -> RunRecord:
        """Read the record of an existing run.

        Raises:
            InputError: there is none, it is broken, or a newer llmops wrote it.
        """
        path = directory / "record.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError("no record.json: this is no run", where=str(directory)) from None
        except ValueError as error:
            raise InputError(f"not JSON: {error}", where=str(path)) from None
        if values.get("schema_version", 0) > SCHEMA_VERSION:
            raise InputError("written by a newer llmops", where=str(path), hint="pip install -U llmops")
        return cls(directory, values)

    def update(self, **facts: Any) -> None:
        """Add facts and write the record."""
        self.values.update(facts)
        self.write()

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """Write how the block ended: finished, interrupted by a signal, or failed."""
        try:
            yield
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit | Interrupted)
            with contextlib.suppress(OSError):  # the error itself is what has to be told
                self.update(status="interrupted" if stopped else "failed", finished=now())
            raise
        self.update(status="finished", finished=now())

    def write(self) -> None:
        """Write `record.json` atomically."""
        write_json(self.directory / "record.json", self.values)


class MetricsLog:
    """`metrics.jsonl`: a line per step or evaluation, each step once however often it was replayed."""

    def __init__(self, path: Path, resume_at: int) -> None:
        self.path = path
        kept = [entry for entry in read_metrics(path) if entry["step"] <= resume_at] if path.is_file() else []
        write_text(path, "".join(json.dumps(entry) + "\n" for entry in kept))
        self._stream = path.open("a", encoding="utf-8")

    def add(self, entry: dict[str, Any]) -> None:
        """Append one line and hand it to the system."""
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The entries of a `metrics.jsonl`; a last line cut by a kill is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return entries


def config_text(config: StrictModel) -> str:
    """A validated configuration as YAML, every value written out."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def now() -> str:
    """The local time with its zone, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def git_commit() -> str | None:
    """The commit of the workspace, `-dirty` behind it when files differ from it; None outside a repository."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def library_versions(names: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """The versions of the libraries that are here and shape a result, without importing them."""
    versions = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
