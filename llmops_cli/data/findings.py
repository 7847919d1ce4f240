"""What validation finds, kept small: all is counted, the first of each check are kept in full."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from llmops_cli.data.checks import Severity

KEPT = 1_000

Found = tuple[str, str, str, str]
"""Check, what it is, `file:line`, id of the record."""


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


class Findings:
    """Findings in the order they came, and their number by check and by severity."""

    def __init__(self, severities: dict[str, Severity]) -> None:
        self.severities = severities
        self.counts: Counter[str] = Counter(dict.fromkeys(severities, 0))
        self.kept: list[Finding] = []

    def add(self, check: str, what: str, where: str, record: str = "") -> None:
        """Note a finding of a check that has a severity; others are dropped."""
        if check not in self.severities:
            return
        self.counts[check] += 1
        if self.counts[check] <= KEPT:
            self.kept.append(Finding(check, self.severities[check], what, where, record))

    def merge(self, found: Iterable[Found], counts: Counter[str]) -> None:
        """Add the first findings of each check in a piece of the input, and how many there are of it in all."""
        for check, what, where, record in found:
            self.add(check, what, where, record)
            self.counts[check] -= 1
        self.counts.update(counts)


class Places:
    """`file:line` of every record by its number, in 8 bytes each."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._number_of: dict[str, int] = {}
        self._file = array("I")
        self._line = array("I")

    def __len__(self) -> int:
        return len(self._line)

    def extend(self, found: Iterable[tuple[str, array[int]]]) -> None:
        """Add files and the lines of records in each."""
        for file, lines in found:
            number = self._number_of.setdefault(file, len(self._number_of))
            self._file.extend(array("I", [number]) * len(lines))
            self._line.extend(lines)

    def where(self, number: int) -> str:
        """`file:line` of a record."""
        if len(self._files) < len(self._number_of):
            self._files = list(self._number_of)
        return f"{self._files[self._file[number]]}:{self._line[number]}"
