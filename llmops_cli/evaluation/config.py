"""The schema of an evaluation job."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.config.base import PathList
from llmops_cli.data.config import ReadOptions
from llmops_cli.inference.config import EngineConfig


class EvalData(ReadOptions):
    """What is measured on."""

    eval: PathList = Field(description="held-out files or folders, any supported format")
    train: PathList = Field([], description="the training data; the character trigram baseline is fitted on it")
    max_length: int = Field(1024, ge=8, description="longest record in tokens; the rest of a longer one is not scored")


class EvalConfig(EngineConfig):
    """`llmops eval`: a model beside its base and a character trigram, on text it never saw."""

    data: EvalData = Field(description="held-out and training data")
