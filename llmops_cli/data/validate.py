"""`data validate`: what is wrong with data files, before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import checks
from llmops_cli.data.checks import Check, Severity
from llmops_cli.data.config import ValidateConfig
from llmops_cli.data.reading import expand, read_records

READING = "reading"
_KEPT = 1_000
_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One thing found: check, severity, what it is, `file:line`, and the record's id where there is one."""

    check: str
    severity: Severity
    what: str
    where: str
    record: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "check": self.check,
            "severity": self.severity,
            "what": self.what,
            "where": self.where,
            "id": self.record,
        }


@dataclass(frozen=True)
class ValidatePlan:
    """What will be read, and by which checks."""

    config: ValidateConfig
    files: tuple[Path, ...]
    checks: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"files": [str(file) for file in self.files], "checks": list(self.checks)}


@dataclass(frozen=True)
class ValidateResult:
    """Counts per check over everything read; of the findings the first 1,000 of each check are kept.

    `ok` is false when there is a finding of the severity that `fail_on` names, or worse.
    """

    files: int
    records: int
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    ok: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "files": self.files,
            "records": self.records,
            "errors": self.errors,
            "warnings": self.warnings,
            "counts": self.counts,
            "findings": [finding.to_json() for finding in self.findings],
        }


def plan(config: ValidateConfig) -> ValidatePlan:
    """Find the files and the checks. Raises InputError for inputs that are not there, all at once."""
    modules = load_plugins(checks).values()
    return ValidatePlan(config, tuple(expand(config.input)), (READING, *(module.ID for module in modules)))


def run(plan: ValidatePlan, reporter: Reporter) -> ValidateResult:
    """Read everything and check each record; a row that cannot be read is an error of the check `reading`.

    Raises:
        InputError: not one record can be read.
    """
    notes = _Notes(plan.checks)
    running: list[tuple[str, Severity, Check]] = [
        (module.ID, module.SEVERITY, module.start()) for module in load_plugins(checks).values()
    ]
    unreadable: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        if len(unreadable) < _SHOWN:
            unreadable.append(problem)
        what = f"{problem.what} -> {problem.hint}" if problem.hint else problem.what
        notes.add(Finding(READING, "error", what, problem.where))

    records = 0
    with reporter.progress("validate", None) as progress:
        for record in read_records([str(file) for file in plan.files], plan.config, on_problem):
            records += 1
            for check_id, severity, check in running:
                for what in check(record):
                    notes.add(Finding(check_id, severity, what, record.where, record.id))
            progress.update(records)
    if not records:
        raise InputError(unreadable or [Problem("no record in the input", str(plan.files[0]))])
    errors, warnings = notes.severities["error"], notes.severities["warning"]
    ok = not errors and (plan.config.fail_on == "error" or not warnings)
    return ValidateResult(len(plan.files), records, dict(notes.counts), tuple(notes.findings), errors, warnings, ok)


class _Notes:
    """Findings, and their counts per check and severity."""

    def __init__(self, check_ids: tuple[str, ...]) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(check_ids, 0))
        self.severities: Counter[Severity] = Counter()
        self.findings: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.counts[finding.check] += 1
        self.severities[finding.severity] += 1
        if self.counts[finding.check] <= _KEPT:
            self.findings.append(finding)
