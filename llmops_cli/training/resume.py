"""Going on with a run: its newest whole checkpoint, and what may have changed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from llmops_cli.config.layers import flatten
from llmops_cli.config.yaml import read_yaml
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.workspace import RunRequest, runs_directory
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
    """Where a run goes on. A fresh one has no directory yet."""

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
        if self.directory is not None and self.checkpoint is None:
            lines.append("no checkpoint yet: starting at step 0")
        if self.schedule_changed:
            lines.append(f"the schedule changed: it now spans {steps} steps, and the learning rate follows the new one")
        return lines


def find_resumption(config: TrainConfig, request: RunRequest) -> Resumption:
    """The run to go on with: the one named, or the newest called after the stem.

    Raises:
        InputError: a setting that shapes the weights differs from the run's, or no checkpoint of it is whole.
    """
    candidates = (
        [runs_directory() / request.name]
        if request.name
        else sorted(runs_directory().glob(f"{request.stem}-*"), reverse=True)
    )
    directory = next((path for path in candidates if (path / "record.json").is_file()), None)
    if directory is None:
        return Resumption(damaged=[])
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
    if refused:
        raise InputError(refused)
    checkpoint, damaged = newest_checkpoint(directory / "checkpoints")
    step = step_of(checkpoint) if checkpoint else 0
    return Resumption(directory, checkpoint, step, RunRecord.load(directory), bool(changed & SCHEDULE), damaged)
