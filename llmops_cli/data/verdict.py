"""What a validation came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from llmops_cli.data.checks import Severity
from llmops_cli.data.findings import Finding


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    `about` is what it looks for, `fix` what to do about it, `first` the `file:line` of the first finding; `sample` is
    how many records it saw where it did not see all.
    """

    check: str
    severity: Severity
    count: int
    about: str
    fix: str
    first: str = ""
    sample: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "check" and value not in (None, "")}


@dataclass(frozen=True)
class FileResult:
    """One file that was checked: its encoding, its rows, those that cannot be read, and the others by format."""

    name: str
    encoding: str
    rows: int
    unreadable: int
    records: int
    formats: dict[str, int]


@dataclass(frozen=True)
class ValidateResult:
    """What was found; of the findings the first 1,000 of each check are kept.

    `held_out` counts the held-out records that were compared with; `lengths` counts records by length (characters, and
    tokens where a model was named), each by the least length of a bin; `parameters` are those of the checks that ran;
    `notes` is what was said before the reading; `next_step` is what to do or to type next.
    """

    files: tuple[FileResult, ...]
    records: int
    held_out: int
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    lengths: dict[str, dict[int, int]]
    parameters: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    next_step: str
    fail_on: Severity

    @property
    def counts(self) -> dict[str, int]:
        """Findings by check."""
        return {result.check: result.count for result in self.checks}

    @property
    def formats(self) -> dict[str, int]:
        """Rows by format, the commonest first."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.formats)
        return dict(total.most_common())

    @property
    def errors(self) -> int:
        """Findings of checks whose severity is error."""
        return self._number("error")

    @property
    def warnings(self) -> int:
        """Findings of checks whose severity is warning."""
        return self._number("warning")

    @property
    def ok(self) -> bool:
        """Whether there is no finding of the severity that `fail_on` names, or worse."""
        return not self.errors and (self.fail_on == "error" or not self.warnings)

    @property
    def verdict(self) -> str:
        """One line for a person."""
        if not self.errors and not self.warnings:
            return "good: nothing found"
        if self.ok:
            return "usable: no errors, but look at the warnings"
        return "not ready: " + ("there are errors" if self.errors else "warnings fail here (fail_on: warning)")

    @property
    def samples(self) -> list[str]:
        """What was looked at in part, one line each."""
        return [
            f"{result.check}: on a sample of {result.sample:,} of {self.records:,} records"
            for result in self.checks
            if result.sample is not None
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "next": self.next_step,
            "records": self.records,
            "held_out": self.held_out,
            "errors": self.errors,
            "warnings": self.warnings,
            "formats": self.formats,
            "files": [asdict(file) for file in self.files],
            "checks": {result.check: result.to_json() for result in self.checks},
            "samples": self.samples,
            "notes": list(self.notes),
            "parameters": self.parameters,
            "lengths": self.lengths,
            "findings": [finding.to_json() for finding in self.findings],
        }

    def _number(self, severity: Severity) -> int:
        return sum(result.count for result in self.checks if result.severity == severity)
