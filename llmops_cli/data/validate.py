"""`data validate`: what is wrong with data files, before anything is trained on them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.core.plugins import load_plugins, suggestion
from llmops_cli.data import checks
from llmops_cli.data.checks import FileFacts, Judge, Measure, Severity
from llmops_cli.data.config import ValidateConfig
from llmops_cli.data.findings import Findings, Places
from llmops_cli.data.inspection import Inspection, Seen
from llmops_cli.data.reading import Outcome, Tally, scan, total_size
from llmops_cli.data.rewrite import output_problems
from llmops_cli.data.sources import MANIFEST_SUFFIX, expand
from llmops_cli.data.verdict import CheckResult, FileResult, ValidateResult
from llmops_cli.reporting.validation import write_validation

READING = "reading"
_ABOUT_READING = "rows that cannot be read: broken JSON, wrong columns, an unknown shape"
_FIX_READING = "mend the line; llmops data convert PATH -o OUT.jsonl leaves it out and counts it"
_SHOWN = 20
_TYPED = 3  # inputs that are put into the command to type next; more would not be read


@dataclass(frozen=True)
class ValidatePlan:
    """What will be read, and by which checks with which severities and parameters; `notes` is what to say before."""

    config: ValidateConfig
    files: tuple[Path, ...]
    held_out: tuple[Path, ...]
    severities: Mapping[str, Severity]
    parameters: Mapping[str, Any]
    measure: Measure | None
    notes: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that will run."""
        return tuple(self.severities)

    def to_json(self) -> dict[str, Any]:
        return {
            "files": [str(file) for file in self.files],
            "held_out": [str(file) for file in self.held_out],
            "checks": dict(self.severities),
        }


def plan(config: ValidateConfig, measure: Measure | None = None) -> ValidatePlan:
    """Find the files and the checks.

    Args:
        config: what to do; `config.model` is resolved by the caller, who gives `measure` for it.
        measure: tokens of a record, picklable; without it checks of length are left out.

    Raises:
        InputError: inputs that are not there, unknown checks, wrong parameters; all at once.
    """
    problems: list[Problem] = []
    files: list[list[Path]] = []
    for paths in (config.input, config.held_out):
        try:
            files.append(expand(paths) if paths or paths is config.input else [])
        except InputError as error:
            problems += error.problems
    problems += output_problems([Path(config.html)] if config.html else [], chain.from_iterable(files))
    modules = {module.ID: module for module in load_plugins(checks).values()}
    groups = {"all": list(modules), "fast": [name for name, module in modules.items() if module.FAST]}
    known = {"checks": [*groups, *modules], "severity": [READING, *modules], "parameters": list(modules)}
    for key, names in (("checks", config.checks), ("severity", config.severity), ("parameters", config.parameters)):
        for name in set(names) - set(known[key]):
            hint = suggestion(name, known[key]) or f"there are {', '.join(known[key])}"
            problems.append(Problem(f"no check {name!r}", key, hint))
    lacking = {name: what for name, module in modules.items() if (what := _lacks(module, config, measure))}
    problems += [Problem(f"{name} {lacking[name]}", "checks") for name in config.checks if name in lacking]
    parameters = {name: _parameters(module, config, problems) for name, module in modules.items()}
    raise_problems(problems)
    wanted = {name for asked in config.checks for name in groups.get(asked, [asked])} - set(lacking)
    severities = {READING: "error"} | {name: module.SEVERITY for name, module in modules.items() if name in wanted}
    severities |= {name: severity for name, severity in config.severity.items() if name in severities}
    severities = {name: severity for name, severity in severities.items() if severity != "off"}
    return ValidatePlan(config, tuple(files[0]), tuple(files[1]), severities, parameters, measure)


def _lacks(module: ModuleType, config: ValidateConfig, measure: Measure | None) -> str:
    """What a check would need and has not got, or an empty string."""
    if getattr(module, "MEASURES", False) and measure is None:
        return "needs the tokenizer of a model: --model MODEL"
    if getattr(module, "COMPARES", False) and not config.held_out:
        return "needs data to compare with: --against PATH"
    return ""


def _parameters(module: ModuleType, config: ValidateConfig, problems: list[Problem]) -> Any:
    """The parameters of a check, None where it has none; what is wrong with the given ones goes to `problems`."""
    given = config.parameters.get(module.ID, {})
    if not hasattr(module, "Params"):
        problems += [Problem("this check has no parameters", f"parameters.{module.ID}")] if given else []
        return None
    try:
        return module.Params.model_validate(given)
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join(map(str, ("parameters", module.ID, *fault["loc"])))
            problems.append(Problem(f"got {fault['input']!r}: {fault['msg']}", where))
    return None


def run(plan: ValidatePlan, reporter: Reporter) -> ValidateResult:
    """Read everything, check it, and write the HTML report where one is wanted.

    A row that cannot be read is an error of the check `reading`.

    Raises:
        InputError: not one record can be read.
    """
    for note in plan.notes:
        reporter.warn(note)
    validation = _Validation(plan, reporter)
    for held_out in (True, False):
        validation.read(held_out=held_out)
    validation.judge()
    result = validation.result()
    if plan.config.html:
        write_validation(result.to_json(), Path(plan.config.html))
    return result


class _Validation:
    """One run over the data."""

    def __init__(self, plan: ValidatePlan, reporter: Reporter) -> None:
        self._plan, self._reporter = plan, reporter
        modules = [module for module in load_plugins(checks).values() if module.ID in plan.severities]
        self._modules: dict[str, ModuleType] = {module.ID: module for module in modules}
        self._judges: dict[str, Judge] = {
            name: module.Judge(plan.parameters.get(name))
            for name, module in self._modules.items()
            if hasattr(module, "Judge")
        }
        self._findings = Findings(dict(plan.severities))
        self._places = Places()
        self._tallies: dict[str, Tally] = {}
        self._unreadable: list[Problem] = []
        self._sampled: Counter[str] = Counter()
        self._lengths: dict[str, Counter[int]] = {"characters": Counter(), "tokens": Counter()}
        self._records = self._held_out = 0

    def read(self, *, held_out: bool) -> None:
        """Read one half of the input: the held-out records are only remembered, the others are checked."""
        files = self._plan.held_out if held_out else self._plan.files
        if not files:
            return
        size = total_size(files)
        names = tuple(self._judges) if held_out else tuple(self._modules)
        work = Inspection(names, dict(self._plan.parameters), self._plan.measure, size)
        done = 0
        with self._reporter.progress("held-out records" if held_out else "data validate", size, "B") as progress:
            for outcome in scan(files, self._plan.config, work, self._plan.config.workers):
                self._hear(outcome, held_out=held_out)
                done += outcome.size
                progress.update(done)

    def _hear(self, outcome: Outcome[Seen], *, held_out: bool) -> None:
        seen = outcome.value
        first = len(self._places)
        self._places.extend(seen.places)
        for name, evidence in seen.evidence.items():
            self._judges[name].add(first, evidence, held_out=held_out)
        for problem in outcome.problems:
            if len(self._unreadable) < _SHOWN:
                self._unreadable.append(problem)
            what = f"{problem.what} -> {problem.hint}" if problem.hint else problem.what
            self._findings.add(READING, what, problem.where)
        if held_out:
            self._held_out += seen.records
            return
        self._records += seen.records
        self._findings.merge(seen.findings, seen.counts)
        self._sampled += seen.sampled
        for unit, lengths in seen.lengths.items():
            self._lengths[unit] += lengths
        for name, tally in outcome.tallies.items():
            self._tallies.setdefault(name, Tally(tally.file, tally.layout)).add(tally)

    def judge(self) -> None:
        """What can be said only when all has been read."""
        for name, tally in self._tallies.items():
            facts = FileFacts(str(tally.file), tally.layout.encoding, tally.layout.marked, tally.formats)
            for check, module in self._modules.items():
                for what in module.look(facts) if hasattr(module, "look") else ():
                    self._findings.add(check, what, name)
        for check, judge in self._judges.items():
            for number, what in judge.findings(self._places.where):
                self._findings.add(check, what, self._places.where(number))

    def result(self) -> ValidateResult:
        plan = self._plan
        if not self._records:
            raise InputError(self._unreadable or [Problem("no record in the input", str(plan.files[0]))])
        results = tuple(self._check_results())
        return ValidateResult(
            files=tuple(
                FileResult(name, tally.layout.encoding, tally.rows, tally.bad, tally.records, dict(tally.formats))
                for name, tally in self._tallies.items()
            ),
            records=self._records,
            held_out=self._held_out,
            checks=results,
            findings=tuple(self._findings.kept),
            lengths={unit: dict(sorted(lengths.items())) for unit, lengths in self._lengths.items() if lengths},
            parameters={
                name: parameters.model_dump()
                for name, parameters in plan.parameters.items()
                if parameters and name in plan.severities
            },
            notes=plan.notes,
            next_step=_next_step(plan, results),
            fail_on=plan.config.fail_on,
        )

    def _check_results(self) -> Iterator[CheckResult]:
        for name, severity in self._plan.severities.items():
            module = self._modules.get(name)
            about, fix = (module.ABOUT, module.FIX) if module else (_ABOUT_READING, _FIX_READING)
            sampled = self._sampled.get(name)
            yield CheckResult(
                check=name,
                severity=severity,
                count=self._findings.counts[name],
                about=about,
                fix=fix.replace("PATH", _paths(self._plan)),
                first=next((finding.where for finding in self._findings.kept if finding.check == name), ""),
                sample=sampled if sampled is not None and sampled < self._records else None,
            )


def _next_step(plan: ValidatePlan, results: tuple[CheckResult, ...]) -> str:
    """What to do about the worst that was found; for good data the next command of the chain."""
    found = [result for result in results if result.count]
    if found:
        worst = max(found, key=lambda result: (result.severity == "error", result.count))
        return f"{worst.check}: {worst.fix}"
    if len(plan.files) == 1 and plan.files[0].with_name(plan.files[0].name + MANIFEST_SUFFIX).is_file():
        return f"llmops train configs/lora.yaml --set {shlex.quote(f'data.train={plan.files[0]}')}"
    return f"llmops data convert {_paths(plan)} -o OUT.jsonl"


def _paths(plan: ValidatePlan) -> str:
    """The input as it can be typed into a command."""
    return shlex.join(plan.config.input) if len(plan.config.input) <= _TYPED else "PATH"
