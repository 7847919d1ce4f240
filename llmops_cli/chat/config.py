"""The schema of a conversation."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.inference.config import EngineConfig, GenerationConfig


class ChatConfig(EngineConfig):
    """`llmops chat`: one question, one answer."""

    prompt: str = Field(min_length=1, description="what the user says")
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen")
