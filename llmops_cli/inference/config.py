"""How tokens are chosen, the `generation:` section of every job, and the schemas of the jobs that only generate."""

from __future__ import annotations

from pydantic import Field, field_validator

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, StrictModel


class GenerationConfig(StrictModel):
    """Sampling settings. Temperature 0 is plain greedy."""

    temperature: float = Field(
        0.8, ge=0, le=5, description="sampling temperature; 0 takes the likeliest token (greedy)"
    )
    top_p: float = Field(
        0.95, gt=0, le=1, description="sample from the likeliest tokens that hold this share (nucleus)"
    )
    max_tokens: int = Field(512, ge=1, description="most tokens to generate, the end-of-turn token included")
    seed: int = Field(7, ge=0, description="random seed; the same seed gives the same answer on the same machine")
    stop: list[str] = Field([], description="stop sequences: texts that end the answer and are not part of it")


class GenerateConfig(StrictModel):
    """`llmops generate`: a model answers every record of a file."""

    model: str = Field(min_length=1, description=MODEL_HELP)
    device: DeviceName = Field("auto", description=DEVICE_HELP)
    input: str = Field(
        description="JSONL of prompts: {id, messages} goes through the chat template, {id, text} is continued as it is"
    )
    output: str = Field(description="JSONL to write, ending in .jsonl")
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen")

    @field_validator("output")
    @classmethod
    def _jsonl(cls, value: str) -> str:
        if not value.endswith(".jsonl"):
            raise ValueError(f"want a file name ending in .jsonl, got {value!r}")
        return value
