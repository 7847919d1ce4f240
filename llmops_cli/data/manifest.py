"""The manifest: which bytes a data set was made from, beside the file it describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.files import sha256_of
from llmops_cli.text.normalize import nfc

SCHEMA_VERSION = 1
MANIFEST_SUFFIX = ".manifest.json"


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
