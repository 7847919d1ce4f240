"""Schemas of reading, `data convert` and `data validate`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from llmops_cli.config.base import PathList, StrictModel
from llmops_cli.core.errors import Problem
from llmops_cli.text.normalize import nfc


class WrongSetting(Problem):
    """A problem that another value of :class:`ReadOptions` solves. The data may be good: nothing is dropped
    for it."""


class ReadOptions(StrictModel):
    """How raw files are understood."""

    prompt_column: str | None = Field(None, description="column with the question, in csv, tsv or jsonl rows")
    completion_column: str | None = Field(None, description="column with the answer, in csv, tsv or jsonl rows")
    assistant_speaker: str | None = Field(
        None, description="speaker_id that answers in a chat between people; default: the last to speak"
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="character code -> name in every work, as {C001: 민준}; "
        "default: chosen for each work, always the same",
    )
    encoding: Literal["utf-8", "cp949"] = Field("utf-8", description="encoding of the files: utf-8 or cp949 (EUC-KR)")

    @field_validator("prompt_column", "completion_column", "assistant_speaker")
    @classmethod
    def _nfc(cls, value: str | None) -> str | None:
        return None if value is None else nfc(value)

    @field_validator("names")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        if not all(code.strip() and name.strip() for code, name in value.items()):
            raise ValueError("want a code and a name in every pair, got an empty one")
        return {nfc(code): nfc(name) for code, name in value.items()}


class ConvertConfig(ReadOptions):
    """Raw files in any known format -> one clean JSONL file."""

    input: PathList = Field(description="file, folder, or a list of them: .json, .jsonl, .csv, .tsv")
    output: str = Field(description="file to write, ending in .jsonl")
    limit: int | None = Field(None, ge=1, description="write at most this many records")

    @field_validator("output")
    @classmethod
    def _jsonl(cls, value: str) -> str:
        if not value.endswith(".jsonl"):
            raise ValueError(f"want a file name ending in .jsonl, got {value!r}")
        return value


class ValidateConfig(ReadOptions):
    """Raw or converted files -> what is wrong with them."""

    input: PathList = Field(description="file, folder, or a list of them: .json, .jsonl, .csv, .tsv")
    fail_on: Literal["error", "warning"] = Field("error", description="least severity that fails: error or warning")
