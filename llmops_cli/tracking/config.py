"""The schema of a run's mirror, part of every job that makes a run."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.config.base import StrictModel


class TrackingSettings(StrictModel):
    """The run's mirror in MLflow."""

    mlflow: bool = Field(True, description="mirror the run into the workspace's mlflow.db (SQLite)")
    experiment: str = Field("llmops", min_length=1, description="MLflow experiment name")
