"""The manifest: which bytes a data file was made from and how, beside the file it describes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from llmops_cli import __version__
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import sha256_of, write_json
from llmops_cli.data.sources import MANIFEST_SUFFIX
from llmops_cli.text.normalize import nfc

SCHEMA_VERSION = 2  # 1 had no records.changed


@dataclass(frozen=True)
class ManifestFile:
    """One file as it was: path as given, hex SHA-256, size in bytes, records read from it or written to
    it."""

    path: str
    sha256: str
    bytes: int
    records: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Manifest:
    """How a data file was made.

    `records` has the counts `in` and `out`, and `dropped` and `changed` by reason.
    """

    job: str
    tool_version: str
    parameters: Mapping[str, Any]
    inputs: tuple[ManifestFile, ...]
    output: ManifestFile
    records: Mapping[str, Any]


Stamp = tuple[int, int, int] | None
"""Size, time of the last change and inode of a file; None for one that is gone."""


def stamp(file: Path) -> Stamp:
    """What changes when a file is written to or replaced."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def describe(paths: Sequence[Path], records: Mapping[str, int]) -> list[ManifestFile]:
    """The manifest entries of files; `records` counts them by path as text in NFC, missing ones are 0.

    Raises:
        OSError: a file cannot be read any more.
    """
    return [
        ManifestFile(name, sha256_of(path), path.stat().st_size, records.get(name, 0))
        for path, name in ((path, nfc(str(path))) for path in paths)
    ]


def manifest_path(data: Path) -> Path:
    """Where the manifest of a data file lies: `train.jsonl` has `train.jsonl.manifest.json`."""
    return data.with_name(data.name + MANIFEST_SUFFIX)


def write_manifest(
    data: Path,
    job: str,
    parameters: BaseModel,
    inputs: Sequence[ManifestFile],
    output: ManifestFile,
    records: Mapping[str, Any],
) -> Path:
    """Write the manifest of the file `data`, which `output` describes, beside it, and say where it lies."""
    path = manifest_path(data)
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "tool_version": __version__,
            "job": job,
            "parameters": parameters.model_dump(mode="json"),
            "inputs": [file.to_json() for file in inputs],
            "output": output.to_json(),
            "records": records,
        },
    )
    return path


def read_manifest(data: Path) -> Manifest | None:
    """The manifest of a data file, or None where it has none.

    Raises:
        InputError: the manifest is broken, or a newer program's.
    """
    path = manifest_path(data)
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["schema_version"] > SCHEMA_VERSION:
            what = f"manifest schema {stored['schema_version']}; this program knows up to {SCHEMA_VERSION}"
            raise InputError(what, where=str(path), hint="pip install --upgrade llmops-cli")
        return Manifest(
            stored["job"],
            stored["tool_version"],
            stored["parameters"],
            tuple(ManifestFile(**file) for file in stored["inputs"]),
            ManifestFile(**stored["output"]),
            {"changed": {}, **stored["records"]},
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"the manifest is broken: {error}", where=str(path)) from None
