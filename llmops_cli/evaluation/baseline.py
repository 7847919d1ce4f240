"""Reports and answers of evaluations that were made before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.core.plugins import suggestion
from llmops_cli.core.workspace import runs_directory
from llmops_cli.evaluation.report import SCHEMA_VERSION, Report
from llmops_cli.models.resolve import model_folder
from llmops_cli.tracking.record import RunRecord


def read_report(name: str) -> Report:
    """The report of an evaluation: a run in `runs/`, its folder, or a file that `llmops eval --json` printed.

    Raises:
        InputError: there is none of that name, it is no report, or a newer llmops wrote it.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        path = _eval_run(name) / "report.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no report.json: this evaluation did not finish", where=str(path.parent)) from None
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path), hint="llmops eval … --json > FILE") from None
    no_report = InputError("no report of `llmops eval`", where=str(path), hint="llmops eval … --json > FILE")
    if not isinstance(values, dict) or not isinstance(version := values.get("schema_version"), int):
        raise no_report
    if version > SCHEMA_VERSION:
        raise InputError("written by a newer llmops", where=str(path), hint="pip install -U llmops")
    try:
        return Report.from_json(values)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise no_report from None


def read_items(run: str) -> Iterator[dict[str, Any]]:
    """The answers of an evaluation with their scores, one at a time: a run in `runs/` or its folder.

    Raises:
        InputError: there is no such run, or it has no answers; a line that is broken.
    """
    path = _eval_run(run) / "items.jsonl"
    if not path.is_file():
        raise InputError("no items.jsonl: this evaluation did not finish", where=str(path.parent))
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InputError(f"not JSON: {error}", where=f"{path}:{number}") from None


def _eval_run(name: str) -> Path:
    """The folder of a run of `llmops eval`."""
    folder = model_folder(name)
    if folder is None:
        runs = sorted(path.name for path in runs_directory().glob("*") if path.is_dir())
        raise InputError("no such run of `llmops eval`, and no such file", where=name, hint=suggestion(name, runs))
    job = RunRecord.load(folder).values.get("job")
    if job != "eval":
        hint = f"llmops eval {name} --name {folder.name}-eval"
        raise InputError(f"a run of `llmops {job}`, not of `llmops eval`", where=str(folder), hint=hint)
    return folder
