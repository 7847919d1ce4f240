"""Schemas of reading, `data convert` and `data validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from llmops_cli.config.base import MODEL_HELP, PathList, StrictModel
from llmops_cli.core.errors import Problem
from llmops_cli.data.sources import KINDS_HELP
from llmops_cli.text.normalize import nfc

OUTPUTS = (".jsonl", ".parquet", ".avro")


class WrongSetting(Problem):
    """A problem that another value of :class:`ReadOptions` solves. The data may be good: nothing is dropped
    for it."""


class ReadOptions(StrictModel):
    """How raw files are understood."""

    prompt_column: str | None = Field(None, description="column with the question, in csv, tsv or jsonl rows")
    completion_column: str | None = Field(None, description="column with the answer, in csv, tsv or jsonl rows")
    text_column: str | None = Field(None, description="column with plain text, where there is no question and answer")
    text_unit: Literal["file", "paragraph", "line"] | None = Field(
        None,
        description="what one record of plain text is: file, paragraph (up to an empty line) or line; "
        "default: file for .txt, and plain text under another name is refused",
    )
    assistant_speaker: str | None = Field(
        None, description="speaker_id that answers in a chat between people; default: the last to speak"
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="character code -> name in every work, as {C001: 민준}; "
        "default: chosen for each work, always the same",
    )
    encoding: Literal["utf-8", "cp949", "auto"] = Field(
        "utf-8", description="encoding of the files: utf-8, cp949 (EUC-KR), or auto (found for each file, and said)"
    )

    @field_validator("prompt_column", "completion_column", "text_column", "assistant_speaker")
    @classmethod
    def _nfc(cls, value: str | None) -> str | None:
        return None if value is None else nfc(value)

    @field_validator("names")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        if not all(code.strip() and name.strip() for code, name in value.items()):
            raise ValueError("want a code and a name in every pair, got an empty one")
        return {nfc(code): nfc(name) for code, name in value.items()}


class DataInput(ReadOptions):
    """Data files and how they are understood."""

    input: PathList = Field(description=f"file, folder, pattern, or a list of them: {KINDS_HELP}")
    encoding: Literal["utf-8", "cp949", "auto"] = Field(
        "auto", description="encoding of the files: utf-8, cp949 (EUC-KR), or auto (found for each file, and said)"
    )


class DataJob(DataInput):
    """What every command over all records of data files takes."""

    workers: int | None = Field(
        None, ge=1, le=64, description="processes; default: one for each core, up to 8, and one for a small input"
    )


class RewriteConfig(DataJob):
    """Data files -> one file of records."""

    output: str = Field(description=f"file to write, ending in {', '.join(OUTPUTS)}")

    @field_validator("output")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.endswith(OUTPUTS):
            raise ValueError(f"want a file name ending in {', '.join(OUTPUTS)}, got {value!r}")
        return value


class ConvertConfig(RewriteConfig):
    """Raw files in any known format -> one clean file of records."""

    limit: int | None = Field(None, ge=1, description="write at most this many records")
    fix: list[str] = Field(
        default_factory=list,
        description="checks whose findings are repaired on the way, as [invisible, spaces]; [all] for every that can",
    )


class MergeConfig(RewriteConfig):
    """Several data files -> one, in the order they are named."""


class MaskConfig(RewriteConfig):
    """Records -> the same without personal data."""

    style: Literal["label", "surrogate"] = Field(
        "label",
        description="what stands for a value: label ([휴대전화]) or surrogate (the same made-up value each time)",
    )
    seed: int = Field(0, description="another seed gives other surrogates")
    report: str | None = Field(None, description="CSV to write, with what was found, where and why, but not the value")


class DedupConfig(RewriteConfig):
    """Records -> the same without copies and near-copies."""

    threshold: float = Field(
        0.8, ge=0.5, le=1, description="Jaccard similarity of character 5-grams from which records are near-duplicates"
    )
    keep: Literal["first", "longest"] = Field(
        "first", description="which record of a cluster stays: first (in reading order) or longest (the first of those)"
    )
    report: str | None = Field(None, description="JSONL to write, with one cluster a line: kept id, dropped ids")


class SplitConfig(DataJob):
    """Records -> training, held-out and test files that share nothing."""

    output: str = Field(description="folder to write train.jsonl, heldout.jsonl and, if asked for, test.jsonl into")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of the records that is held out")
    test: float = Field(0.0, ge=0, lt=1, description="share of the records for a last test")
    seed: int = Field(7, description="another seed gives another split")
    group_by: str = Field("work", description="metadata key whose records stay together; a conversation always does")
    threshold: float = Field(
        0.8, ge=0.5, le=1, description="Jaccard similarity from which records are near-duplicates and stay together"
    )

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files to write: train, heldout and, where a share of the records is for it, test."""
        names = ("train", "heldout", "test") if self.test else ("train", "heldout")
        return tuple(Path(self.output) / f"{name}.jsonl" for name in names)

    @model_validator(mode="after")
    def _leaves_some(self) -> SplitConfig:
        if self.held_out + self.test >= 1:
            raise ValueError("held_out and test leave nothing to train on: want less than 1 together")
        return self


class StatsConfig(DataJob):
    """Data files -> what is in them."""

    model: str | None = Field(
        None, description=f"model whose tokens are counted in a sample: {MODEL_HELP}; default: none"
    )


class ShowConfig(DataInput):
    """Data files -> a few records of them, as they are read."""

    count: int = Field(3, ge=1, description="records to show")
    start: int = Field(1, ge=1, description="number of the first record to show, from 1 in reading order")
    id: str | None = Field(None, description="id of the one record to show; without count and start")

    @model_validator(mode="after")
    def _one_or_some(self) -> ShowConfig:
        if self.id is not None and {"count", "start"} & self.model_fields_set:
            raise ValueError("want an id, or count and start, got both")
        return self


class ValidateConfig(DataJob):
    """Raw or converted files -> what is wrong with them."""

    held_out: PathList = Field(
        default_factory=list, description="files that a model will be measured on: nothing of them may be in the input"
    )
    model: str | None = Field(None, description=f"model whose tokenizer measures lengths: {MODEL_HELP}; default: none")
    checks: list[str] = Field(
        default_factory=lambda: ["all"], description="checks to run, by name; [all], or [fast] for the cheap ones"
    )
    severity: dict[str, Literal["error", "warning", "off"]] = Field(
        default_factory=dict, description="severity of a check other than its own, as {register: off, abuse: error}"
    )
    parameters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="parameters of checks, as {language: {min_hangul: 0.3}}"
    )
    fail_on: Literal["error", "warning"] = Field("error", description="least severity that fails: error or warning")
    html: str | None = Field(None, description="HTML report to write")
