"""Running a recipe: its jobs in order, each skipped while neither its configuration nor its files changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli import __version__
from llmops_cli.config.layers import read_layers, validate
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import GateFailed, InputError, LlmopsError, Problem
from llmops_cli.core.files import sha256_of, write_json
from llmops_cli.core.workspace import RunRequest, runs_directory
from llmops_cli.data.sources import expand
from llmops_cli.pipeline.config import RecipeConfig, Step
from llmops_cli.pipeline.jobs import JOBS, job_named

READ_ONLY = ("chat", "eval")
"""Jobs whose result is read from the screen; no later step depends on it."""
RUNNABLE = [name for name in JOBS if name != "recipe"]


@dataclass(frozen=True)
class PlannedStep:
    """A step whose configuration is valid."""

    step: Step
    config: Any

    @property
    def label(self) -> str:
        """How the step is named to the user."""
        return f"{self.step.job} {self.step.name or self.step.config or ''}".strip()


@dataclass(frozen=True)
class RecipePlan:
    """A recipe of which every configuration is valid."""

    name: str
    steps: list[PlannedStep]

    @property
    def state_file(self) -> Path:
        """Which steps were done, with what."""
        return runs_directory() / f"{self.name}.recipe.json"


@dataclass(frozen=True)
class StepResult:
    """What a step came to; `result` is the job's own, or None when the step was skipped."""

    label: str
    job: str
    skipped: bool
    result: Any = None


def plan(recipe: RecipeConfig, source: Path) -> RecipePlan:
    """Validate the configuration of every step before the first one runs.

    Raises:
        InputError: every problem of every step at once.
    """
    problems: list[Problem] = []
    steps = []
    for number, step in enumerate(recipe.steps, 1):
        where = f"{source}: step {number} ({step.job})"
        try:
            if step.job not in RUNNABLE:
                raise InputError(f"no such job in a recipe: there are {', '.join(RUNNABLE)}", where=where)
            layers = read_layers(Path(step.config) if step.config else None)
            for key, value in step.values.items():
                layers.put((key,), value, where)
            steps.append(PlannedStep(step, validate(job_named(step.job).schema, layers, where)))
        except LlmopsError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return RecipePlan(recipe.name, steps)


def run(
    plan: RecipePlan,
    reporter: Reporter,
    *,
    force: bool = False,
    on_step: Callable[[StepResult], None] | None = None,
) -> list[StepResult]:
    """Run the steps; `on_step` is told of each as it ends. A step after one that made something anew is always run.

    Raises:
        GateFailed: a validation found errors, or the gate of an evaluation failed.
        LlmopsError: whatever a job raises; the steps before it stay done.
    """
    done = {} if force else _read_state(plan.state_file)
    results = []
    fresh = force
    for number, planned in enumerate(plan.steps, 1):
        key = f"{number}:{planned.label}"
        fingerprint = _fingerprint(planned)
        skip = not fresh and done.get(key) == fingerprint and _result_stands(planned)
        reporter.info(f"[{number}/{len(plan.steps)}] {planned.label}{' (unchanged, skipped)' if skip else ''}")
        result = None
        if not skip:
            begun = done.get(f"{key} begun")
            request = _request(planned, resume=not force and (begun is None or (begun == fingerprint and not fresh)))
            fresh = fresh or planned.step.job not in READ_ONLY
            done.pop(key, None)
            done[f"{key} begun"] = fingerprint
            write_json(plan.state_file, done)
            result = _run_job(planned, reporter, request)
        results.append(StepResult(planned.label, planned.step.job, skip, result))
        if on_step:
            on_step(results[-1])
        if not skip:
            _raise_if_failed(planned, result)
            done[key] = _fingerprint(planned)
            write_json(plan.state_file, done)
    return results


def _read_state(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise InputError("broken: not the state of a recipe", where=str(path), hint=f"rm {path}") from None


def _result_stands(planned: PlannedStep) -> bool:
    """Whether what a step made is still there; what chat and eval make is read from the screen, so never."""
    step = planned.step
    if step.job in READ_ONLY:
        return False
    if step.job == "train":
        return (runs_directory() / str(step.name)).is_dir()
    outputs = getattr(planned.config, "outputs", (getattr(planned.config, "output", None),))
    return all(output is None or Path(output).exists() for output in outputs)


def _fingerprint(planned: PlannedStep) -> str:
    """The hash of all a step depends on: our version, its configuration, and the bytes of its input files."""
    config = planned.config
    named = getattr(config, "input", [])
    inputs = [named] if isinstance(named, str) else list(named)
    data = getattr(config, "data", None)
    if data is not None:
        inputs += [*getattr(data, "train", []), *data.eval]
    parts = [__version__, planned.step.job, planned.step.name, config.model_dump_json()]
    try:
        parts += [f"{path}={sha256_of(path)}" for path in expand(inputs)]
    except InputError:  # an input that an earlier step still has to make
        parts.append("missing")
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _request(planned: PlannedStep, resume: bool) -> RunRequest:
    """An interrupted training goes on. One that this recipe made from something else is made anew; one that it did not
    make is not deleted: where it differs, it is refused."""
    step = planned.step
    resume = resume and step.job == "train" and (runs_directory() / str(step.name)).is_dir()
    return RunRequest(step.name, step.job, resume=resume, replace=not resume)


def _run_job(planned: PlannedStep, reporter: Reporter, request: RunRequest) -> Any:
    job = job_named(planned.step.job)
    if job.makes_run:
        return job.module.run(job.module.plan(planned.config, request), reporter)
    return job.module.run(job.module.plan(planned.config), reporter)


def _raise_if_failed(planned: PlannedStep, result: Any) -> None:
    if planned.step.job == "eval":
        job_named("eval").module.raise_if_failed(result)
    elif planned.step.job == "validate" and not result.ok:
        raise GateFailed(f"{planned.label} found errors", hint=f"llmops data validate {' '.join(planned.config.input)}")
