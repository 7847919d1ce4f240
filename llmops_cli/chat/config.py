"""The schema of a conversation."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from llmops_cli.config.base import MODEL_HELP
from llmops_cli.core.workspace import runs_directory
from llmops_cli.inference.config import EngineConfig, GenerationConfig

DEFAULT_MODEL = "builtin:tiny-ko"


def newest_model() -> str:
    """The newest run of this workspace that has a finished model, else the builtin one."""
    results = [*runs_directory().glob("*/adapter"), *runs_directory().glob("*/model")]
    newest = max(results, key=lambda path: path.stat().st_mtime, default=None)
    return str(newest.parent) if newest else DEFAULT_MODEL


class ChatConfig(EngineConfig):
    """`llmops chat`: a conversation, or one question and one answer."""

    model: str = Field(
        default_factory=newest_model,
        min_length=1,
        description=f"{MODEL_HELP}, a .gguf file, a server (http://host:port/v1#model) or fake:words; by default the "
        f"newest run here, else {DEFAULT_MODEL}",
    )
    prompt: str | None = Field(None, min_length=1, description="what the user says, where one answer is all")
    system: str = Field("", description="system prompt: a text, or the file that holds it (.txt or .md)")
    template: str = Field("", description="prompt template, see `llmops prompts list`")
    values: dict[str, Any] = Field({}, description="values of the template's variables")
    context: int | None = Field(
        None, ge=64, description="most tokens of a prompt and its answer; by default what the model says"
    )
    reserve: int | None = Field(
        None,
        ge=1,
        description="tokens of the context kept free for an answer; by default generation.max_tokens, and never more "
        "than half of the context",
    )
    generation: GenerationConfig = Field(GenerationConfig(), description="how tokens are chosen")
