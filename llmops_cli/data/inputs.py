"""The data files of a job's `data:` section: read, and described as its run record keeps them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import sha256_of
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.data.records import Record
from llmops_cli.data.sources import expand
from llmops_cli.text.normalize import nfc


def read_section(key: str, paths: Sequence[str], options: ReadOptions) -> list[Record]:
    """The records of `data.<key>`.

    Raises:
        InputError: as :func:`read_records`; what to type next has the keys as they stand in the section.
    """
    if not paths:
        raise InputError("no file is named", where=f"data.{key}", hint=f"--set data.{key}=PATH")
    try:
        return list(read_records(paths, options))
    except InputError as error:
        problems = [
            dataclasses.replace(problem, hint=problem.hint.replace("--set ", "--set data."))
            for problem in error.problems
        ]
        raise InputError(problems) from None


def describe_inputs(paths: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Path, sha256 and size of every data file of a job, by the role it plays (`train`, `eval`).

    Raises:
        InputError: a path is not there.
    """
    return [describe_file(role, path) for role, names in paths.items() if names for path in expand(names)]


def describe_file(role: str, path: Path) -> dict[str, Any]:
    """Path, sha256 and size of one file."""
    return {"role": role, "path": nfc(str(path)), "sha256": sha256_of(path), "bytes": path.stat().st_size}
