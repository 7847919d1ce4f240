"""How tokens are chosen and by which engine, and the schema of `generate`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, StrictModel

EngineName = Literal["auto", "torch", "transformers", "llamacpp", "mlx", "openai", "fake"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8", "int4"]


class GenerationConfig(StrictModel):
    """Sampling settings. Temperature 0 is plain greedy."""

    temperature: float = Field(
        0.8, ge=0, le=5, description="sampling temperature; 0 takes the likeliest token (greedy)"
    )
    top_k: int = Field(0, ge=0, description="sample from this many likeliest tokens; 0 for all")
    top_p: float = Field(
        0.95, gt=0, le=1, description="sample from the likeliest tokens that hold this share (nucleus)"
    )
    min_p: float = Field(
        0.0, ge=0, lt=1, description="leave out tokens less likely than this share of the likeliest; 0 for none"
    )
    repetition_penalty: float = Field(
        1.0, gt=0, le=5, description="divides the positive logits of tokens that were there before; 1 for none"
    )
    dry_multiplier: float = Field(
        0.0, ge=0, le=20, description="strength of the DRY penalty on tokens that would repeat a sequence; 0 for none"
    )
    dry_base: float = Field(1.75, ge=1, le=8, description="growth of the DRY penalty with each repeated token")
    dry_allowed_length: int = Field(2, ge=1, description="tokens of a sequence that may repeat before DRY penalises")
    max_tokens: int = Field(512, ge=1, description="most tokens to generate, the end-of-turn token included")
    min_tokens: int = Field(0, ge=0, description="fewest tokens to generate before the model may end its turn")
    seed: int = Field(7, ge=0, description="random seed; the same seed gives the same answer on the same machine")
    stop: list[str] = Field([], description="stop sequences: texts that end the answer and are not part of it")


class EngineConfig(StrictModel):
    """Which model answers, and what computes it: part of every job that generates."""

    model: str = Field(
        min_length=1, description=f"{MODEL_HELP}, a .gguf file, a server (http://host:port/v1#model) or fake:words"
    )
    device: DeviceName = Field("auto", description=DEVICE_HELP)
    engine: EngineName = Field(
        "auto",
        description="what computes tokens: torch, transformers, llamacpp (GGUF), mlx, openai (a server by its URL), "
        "fake, or auto: the fastest that can run the model on this machine",
    )
    precision: Precision = Field(
        "auto", description="how weights are held: fp32, bf16, fp16, int8, int4, or auto: as the device likes best"
    )


class GenerateConfig(EngineConfig):
    """`llmops generate`: a model answers every record of a file."""

    input: str = Field(
        description="JSONL of prompts: {id, messages} goes through the chat template, {id, text} is continued as it is"
    )
    output: str = Field(description="JSONL to write, ending in .jsonl")
    at_once: int = Field(8, ge=1, le=256, description="prompts that are answered together")
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen")

    @field_validator("output")
    @classmethod
    def _jsonl(cls, value: str) -> str:
        if not value.endswith(".jsonl"):
            raise ValueError(f"want a file name ending in .jsonl, got {value!r}")
        return value
