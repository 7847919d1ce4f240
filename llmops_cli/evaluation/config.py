"""The schemas of an evaluation and of a suite."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from llmops_cli.config.base import PathList, StrictModel
from llmops_cli.data.config import ReadOptions
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.tracking.config import TrackingSettings


def _share_or_number(value: str | float) -> str | float:
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)? ?%", value):
        raise ValueError(f"want a number, or a share such as 5%, got {value!r}")
    return value


Tolerance = Annotated[float | str, AfterValidator(_share_or_number)]


class Limit(StrictModel):
    """What the gate allows of a metric; at least one of the three."""

    min: float | None = Field(None, description="the score must not be under this")
    max: float | None = Field(None, description="the score must not be over this")
    worse_by: Tolerance | None = Field(
        None,
        description="how much worse than the baseline it may be: a number, or a share of its score such as 5%",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Limit:
        if self.min is None and self.max is None and self.worse_by is None:
            raise ValueError("want min, max or worse_by")
        return self


class GateConfig(StrictModel):
    """When an evaluation fails: a limit is passed, or the baseline missed, by more than chance."""

    enforce: bool = Field(False, description="fail, with exit code 1, when a limit is passed; --gate sets it")
    baseline: str | None = Field(
        None, description="what the model is compared with: a run of `llmops eval`, or a file that its --json printed"
    )
    limits: dict[str, Limit] = Field(
        {},
        description="by metric (rep_4), in every suite that has it, or by suite and metric (ko-fiction:rep_4); "
        "with a baseline and none, no metric that judges may be worse",
    )
    false_alarms: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="how often, at most, a model that is no worse may fail: the chance over all limits together",
    )
    resamples: int = Field(
        4000, ge=200, le=100_000, description="bootstrap resamples of the items; at least, more for many limits"
    )
    min_items: int = Field(20, ge=2, description="with fewer prompts a limit is not decided")
    undecided: Literal["pass", "fail"] = Field(
        "pass", description="whether the gate passes when a limit cannot be decided"
    )


def _what_is_set(settings: GenerationConfig) -> dict[str, Any]:
    return settings.model_dump(exclude_unset=True)


class EvalData(ReadOptions):
    """Held-out text on which probabilities are measured."""

    eval: PathList = Field(description="held-out files or folders, any supported format")
    train: PathList = Field([], description="the training data; the character trigram baseline is fitted on it")
    max_length: int = Field(1024, ge=8, description="longest record in tokens; the rest of a longer one is not scored")


class EvalConfig(EngineConfig):
    """`llmops eval`: a model measured on suites and on text it never saw, and whether that is good enough."""

    data: EvalData | None = Field(None, description="held-out text: perplexity beside the base and a trigram")
    suites: list[str] = Field([], description="suites: names (ko-fiction) or YAML files")
    metrics: list[str] = Field([], description="metrics measured in every suite besides the suite's own")
    params: dict[str, dict[str, Any]] = Field({}, description="parameters by metric, as in {bertscore: {model: DIR}}")
    generation: Annotated[GenerationConfig, PlainSerializer(_what_is_set)] = Field(
        GenerationConfig(), description="what is set here lies over the generation settings of every suite"
    )
    limit: int | None = Field(None, ge=1, description="measure only so many items of each suite, the first ones")
    at_once: int = Field(8, ge=1, le=256, description="prompts that are answered together")
    gate: GateConfig = Field(GateConfig(), description="what makes `--gate` fail")
    tracking: TrackingSettings = Field(TrackingSettings(), description="MLflow")

    @model_validator(mode="after")
    def _measures_something(self) -> EvalConfig:
        if self.data is None and not self.suites:
            raise ValueError("want data, suites or both: there is nothing to measure")
        return self


class ScoreConfig(StrictModel):
    """`llmops eval score`: what is measured of outputs that already exist."""

    metrics: list[str] = Field([], description="metrics, as in rep_4 or rouge_l[char]; empty: all that load nothing")
    params: dict[str, dict[str, Any]] = Field({}, description="parameters by metric, as in {bertscore: {model: DIR}}")


class Range(StrictModel):
    """From the least to the greatest; one of the two may be left out."""

    min: float | None = Field(None, ge=0, description="the least")
    max: float | None = Field(None, ge=0, description="the greatest")

    @model_validator(mode="after")
    def _holds_something(self) -> Range:
        if self.min is None and self.max is None:
            raise ValueError("want min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is over max {self.max:g}")
        return self


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _about(value: Any) -> Any:
    return {"min": value * 9 / 10, "max": value * 11 / 10} if _is_number(value) else value


def _just(value: Any) -> Any:
    return {"min": value, "max": value} if _is_number(value) else value


About = Annotated[Range, BeforeValidator(_about, json_schema_input_type=float | Range)]
"""A range, or a number that is met within ten percent."""
Just = Annotated[Range, BeforeValidator(_just, json_schema_input_type=int | Range)]
"""A range, or a number that is met exactly."""
Word = Annotated[str, Field(pattern=r"[^*\s]")]
SpeechLevel = Literal["존댓말", "반말", "합쇼체", "해요체", "하오체", "해라체", "해체"]


class Constraints(StrictModel):
    """What an answer has to be, as far as a program can tell: what is not named is not asked for."""

    characters: About | None = Field(None, description="자 with spaces: min and max, or a number, met within 10 %")
    characters_without_spaces: About | None = Field(None, description="자 without spaces, likewise")
    manuscript_pages: About | None = Field(None, description="매 of 200자 원고지, likewise")
    sentences: Just | None = Field(None, description="문장: min and max, or a number, met exactly")
    paragraphs: Just | None = Field(None, description="문단, likewise: what empty lines divide, or else lines")
    lines: Just | None = Field(None, description="줄 with something on them, likewise")
    words: Just | None = Field(None, description="어절, likewise")
    list_items: Just | None = Field(None, description="lines behind a number or a bullet, likewise")
    include: list[Word] | None = Field(
        None, description="words to be there, with any josa: 비 is not in 비슷한; * is for any letters, as in 고맙*"
    )
    exclude: list[Word] | None = Field(None, description="words not to be there, found likewise")
    starts_with: Word | None = Field(None, description="the first words")
    ends_with: Word | None = Field(None, description="the last words; a stop or a quotation mark may follow")
    ends_with_sentence: Literal[True] | None = Field(None, description="the last sentence is whole")
    title: bool | None = Field(None, description="whether a title stands over the text")
    dialogue: bool | None = Field(None, description="whether somebody speaks, in quotation marks or behind a dash")
    person: Literal[1, 3] | None = Field(None, description="whether the narrator is an I (1) or not (3)")
    speech_level: SpeechLevel | None = Field(
        None, description="how sentences outside quotation marks end: 존댓말, 반말 or one speech level, in 90 % of them"
    )
    hangul_only: Literal[True] | None = Field(None, description="no letters but Hangul")
    valid_json: Literal[True] | None = Field(None, description="JSON, which a code fence may enclose")


class SuiteItem(StrictModel):
    """A prompt and what its answer is measured against."""

    id: str = Field(min_length=1, description="name of the item, unique in its suite")
    prompt: str = Field(min_length=1, description="what the model is asked")
    system: str | None = Field(None, description="system prompt; replaces the suite's")
    reference: str | None = Field(None, description="a good answer, for metrics that compare")
    constraints: Constraints | None = Field(None, description="what a program can check of the answer")


class SuiteConfig(StrictModel):
    """Prompts, how they are answered, and what is measured of the answers."""

    about: str = Field(min_length=1, description="what the suite measures, in a line")
    metrics: list[str] = Field(min_length=1, description="metrics, as in rep_4 or rouge_l[char]")
    system: str | None = Field(None, description="system prompt of every item")
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen; item seeds follow")
    samples: int = Field(1, ge=1, le=64, description="answers to each prompt, each with a seed of its own")
    items: list[SuiteItem] = Field([], description="the prompts")
    prompts: str | None = Field(
        None, description="JSONL of more items, one a line with the same fields; relative to the suite's file"
    )

    @model_validator(mode="after")
    def _has_prompts(self) -> SuiteConfig:
        if not self.items and self.prompts is None:
            raise ValueError("want items or prompts: there is nothing to ask")
        return self
