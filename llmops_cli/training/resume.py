"""Going on with a run: its newest whole checkpoint, and what may have changed since."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from llmops_cli.config.layers import flatten
from llmops_cli.config.yaml import read_yaml
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.workspace import RunRequest, runs_directory
from llmops_cli.data.inputs import describe_inputs
from llmops_cli.tracking.record import RunRecord
from llmops_cli.training.checkpoints import newest_checkpoint, step_of
from llmops_cli.training.config import TrainConfig

MAY_CHANGE = {
    "device",
    "train.epochs",
    "train.max_steps",
    "train.checkpoint_every",
    "train.eval_every",
    "train.keep",
    "train.keep_checkpoints",
    "train.patience",
    "tracking.mlflow",
    "tracking.experiment",
}
SCHEDULE = {"train.epochs", "train.max_steps"}


@dataclass
class Resumption:
    """Where a run goes on. A fresh one has no directory yet; `wanted` says that one was asked for."""

    wanted: bool = False
    directory: Path | None = None
    checkpoint: Path | None = None
    step: int = 0
    record: RunRecord | None = None
    schedule_changed: bool = False
    damaged: list[str] = field(default_factory=list)

    @classmethod
    def fresh(cls) -> Resumption:
        """A run that starts at step 0."""
        return cls()

    def notes(self, steps: int) -> list[str]:
        """What the user should know before the run goes on."""
        lines = [f"damaged, not used: {line}" for line in self.damaged]
        if self.wanted and self.checkpoint is None:
            lines.append(f"no {'run' if self.directory is None else 'checkpoint'} yet: starting at step 0")
        if self.schedule_changed:
            lines.append(f"the schedule changed: it now spans {steps} steps, and the learning rate follows the new one")
        return lines


def find_resumption(config: TrainConfig, request: RunRequest) -> Resumption:
    """The run to go on with: the one named, or the newest called after the stem and a time.

    Raises:
        InputError: a setting or a file that shapes the weights is not the run's, or no checkpoint of it is whole.
    """
    directory = _run_of(request)
    if directory is None:
        return Resumption(wanted=True)
    record = RunRecord.load(directory)
    before = dict(flatten(read_yaml(directory / "config.yaml").data))
    after = dict(flatten(config.model_dump(mode="json")))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    refused = [
        Problem(
            f"{key}: the run has {before.get(key)!r}, now {after.get(key)!r}",
            str(directory),
            "start a new run with another --name",
        )
        for key in sorted(changed - MAY_CHANGE)
    ]
    refused = refused or _changed_files(config, record)
    if refused:
        raise InputError(refused)
    checkpoint, damaged = newest_checkpoint(directory / "checkpoints")
    step = step_of(checkpoint) if checkpoint else 0
    return Resumption(True, directory, checkpoint, step, record, bool(changed & SCHEDULE), damaged)


def _run_of(request: RunRequest) -> Path | None:
    names = rf"{re.escape(request.prefix)}-\d{{8}}-\d{{6}}" if request.name is None else re.escape(request.name)
    found = [path.parent for path in runs_directory().glob("*/record.json") if re.fullmatch(names, path.parent.name)]
    return max(found, default=None)


def _changed_files(config: TrainConfig, record: RunRecord) -> list[Problem]:
    """The data files that are not what the run began with. A path that is not there any more is told by the reader."""
    try:
        found = describe_inputs({"train": config.data.train, "eval": config.data.eval})
    except InputError:
        return []
    before = {entry["path"]: entry["sha256"] for entry in record.values["data"]}
    after = {entry["path"]: entry["sha256"] for entry in found}
    return [
        Problem(f"{path}: is not what the run began with", str(record.directory), "start a new run with another --name")
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
