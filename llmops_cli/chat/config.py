"""The schema of a conversation."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, StrictModel
from llmops_cli.inference.config import GenerationConfig


class ChatConfig(StrictModel):
    """`llmops chat`: one question, one answer."""

    model: str = Field(min_length=1, description=MODEL_HELP)
    device: DeviceName = Field("auto", description=DEVICE_HELP)
    prompt: str = Field(min_length=1, description="what the user says")
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen")
