"""The mirror of a run in MLflow, in one SQLite file of the workspace."""

from __future__ import annotations

import contextlib
import posixpath
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops_cli.core.environment import quiet_libraries
from llmops_cli.tracking.record import RunRecord

FLUSH_EVERY = 20
PARAM_LIMIT = 6000
TAGS_AT_ONCE = 100


def tracking_uri(workspace: Path) -> str:
    """The store of a workspace. MLflow refuses its old folder store, and a relative path would follow the caller."""
    return f"sqlite:///{workspace.resolve()}/mlflow.db"


def has_run(workspace: Path, run_id: str) -> bool:
    """Whether the store of a workspace has this run; asked of the file itself, for MLflow takes seconds to import."""
    address = f"{(workspace.resolve() / 'mlflow.db').as_uri()}?mode=ro"
    query = "SELECT 1 FROM runs WHERE run_uuid = ? AND lifecycle_stage = 'active'"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as store:
            return store.execute(query, (run_id,)).fetchone() is not None
    except sqlite3.Error:  # no store, or one that is not what it was
        return False


def _key(name: str) -> str:
    """The name of a parameter or a metric as MLflow takes it, `rouge_l.char` for `rouge_l[char]`."""
    return re.sub(r"[^/\w.\- ]", "_", name.replace("[", ".").replace("]", ""))[:250]


def _tag_name(role: str, path: str) -> str:
    """A name that MLflow takes: a path that only goes down, of letters, digits and `_ - . /`, at most 250 long."""
    plain = posixpath.normpath(path).replace("../", "__/")
    return re.sub(r"[^/\w.\- ]", "_", f"data.{role}.{plain}")[:250]


class MlflowMirror:
    """One MLflow run that follows one run record; a resumed run goes on in the same MLflow run."""

    def __init__(self, workspace: Path, experiment: str, record: RunRecord) -> None:
        quiet_libraries()
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=tracking_uri(workspace))
        self._record = record
        self._pending: list[Any] = []
        known = self._client.get_experiment_by_name(experiment)
        artifacts = (workspace / "mlartifacts").resolve().as_uri()
        experiment_id = (
            known.experiment_id if known else self._client.create_experiment(experiment, artifact_location=artifacts)
        )
        run_id = record.values.get("mlflow_run_id")
        if run_id is None:
            run_id = self._client.create_run(experiment_id, run_name=record.values["name"]).info.run_id
            record.update(mlflow_run_id=run_id)
        self.run_id: str = run_id
        self._client.update_run(run_id, status="RUNNING")

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters; those already logged by an interrupted beginning keep their value."""
        from mlflow.entities import Param

        logged = self._client.get_run(self.run_id).data.params
        new = [Param(_key(key), str(value)[:PARAM_LIMIT]) for key, value in values.items() if _key(key) not in logged]
        self._client.log_batch(self.run_id, params=new)

    def datasets(self, files: list[dict[str, Any]]) -> None:
        """Tag the run with the sha256 of every data file."""
        from mlflow.entities import RunTag

        tags = [RunTag(_tag_name(entry["role"], entry["path"]), entry["sha256"]) for entry in files]
        for start in range(0, len(tags), TAGS_AT_ONCE):
            self._client.log_batch(self.run_id, tags=tags[start : start + TAGS_AT_ONCE])

    def metrics(self, entry: Mapping[str, Any]) -> None:
        """Add the numbers of one step; they are sent in batches."""
        import time

        from mlflow.entities import Metric

        stamp = int(time.time() * 1000)
        step = int(entry.get("step", 0))
        self._pending += [
            Metric(_key(key), float(value), stamp, step)
            for key, value in entry.items()
            if key != "step" and value is not None
        ]
        if len(self._pending) >= FLUSH_EVERY * 8:
            self.flush()

    def flush(self) -> None:
        """Send what is pending."""
        for start in range(0, len(self._pending), 1000):
            self._client.log_batch(self.run_id, metrics=self._pending[start : start + 1000])
        self._pending = []

    def finish(self, status: str, artifacts: list[Path]) -> None:
        """Send the rest, the artifacts, and close the run as FINISHED, FAILED or KILLED."""
        self.flush()
        for path in artifacts:
            if path.is_dir():
                self._client.log_artifacts(self.run_id, str(path), path.name)
            elif path.is_file():
                self._client.log_artifact(self.run_id, str(path))
        self._client.set_terminated(self.run_id, status)
