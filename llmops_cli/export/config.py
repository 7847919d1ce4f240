"""The schema of `quantize`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, PathList, StrictModel
from llmops_cli.data.config import ReadOptions

FormatName = Literal["fp16", "int8", "int4", "gguf-f16", "gguf-q8_0", "gguf-q4_0", "mlx-8", "mlx-4"]


class VerifyData(ReadOptions):
    """What the export is compared with the original on."""

    eval: PathList = Field(
        [], description="held-out files or folders, any supported format; default: the sample of llmops"
    )
    max_length: int = Field(256, ge=8, description="longest record in tokens; the rest of a longer one is not compared")
    records: int = Field(48, ge=1, description="most records that are compared, taken evenly from all")


class Limits(StrictModel):
    """How far an export may be from the original. What is not set here, the format sets."""

    kl_mean: float | None = Field(None, ge=0, description="most KL divergence from the original, nats per token")
    kl_p99: float | None = Field(None, ge=0, description="the same for 99 of 100 tokens")
    top1_agreement: float | None = Field(
        None, ge=0, le=1, description="least share of tokens whose likeliest is that of the original"
    )
    perplexity_rise: float | None = Field(
        None, ge=0, description="most rise of perplexity, as a share of the original's"
    )
    adapter_effect: float = Field(
        1e-5, ge=0, description="least KL divergence of the original from its bare base, nats per token"
    )


class QuantizeConfig(StrictModel):
    """`llmops quantize`: a model in another format, accepted only when it still does what the original does."""

    model: str = Field(min_length=1, description=MODEL_HELP)
    to: FormatName = Field(
        description="fp16, int8 or int4 (a folder for the torch engine), gguf-f16, gguf-q8_0 or gguf-q4_0 (llama.cpp "
        "and Ollama), mlx-8 or mlx-4 (MLX)"
    )
    output: str = Field(min_length=1, description="folder to make; an existing one is never replaced")
    device: DeviceName = Field("auto", description=DEVICE_HELP)
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", description="how the original is held for the comparison"
    )
    data: VerifyData = Field(VerifyData(), description="held-out text")
    limits: Limits = Field(Limits(), description="what the comparison must stay within")
