"""The schema of a prompt template's file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from llmops_cli.config.base import StrictModel
from llmops_cli.core.language import language

Value = str | int | list[str]
"""What a variable holds."""
TEXT = "text"
"""The variable that every prompt template has: what the writer types."""


class About(StrictModel):
    """What something is, in both languages."""

    ko: str = Field(min_length=1, description="in Korean")
    en: str = Field(min_length=1, description="in English")

    def here(self) -> str:
        """In the language of the person."""
        return {"ko": self.ko, "en": self.en}[language()]


class Variable(StrictModel):
    """A value that a prompt template takes. Without a `default` it has to be given."""

    type: Literal["text", "integer", "choice", "list"] = Field(
        "text", description="text, integer, choice (one of `choices`) or list (of texts)"
    )
    about: About = Field(description="what to give")
    default: Value | None = Field(None, description="value where none is given; without it one has to be given")
    choices: list[str] = Field([], description="what a choice may be")
    min: int | None = Field(None, description="least value of an integer")
    max: int | None = Field(None, description="greatest value of an integer")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Variable:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("`choices` belongs to a choice, and a choice needs it")
        if self.type != "integer" and (self.min, self.max) != (None, None):
            raise ValueError("`min` and `max` belong to an integer")
        return self


class Example(StrictModel):
    """A turn and its answer that the model sees before the conversation: `values` for the prompt, or the `user`."""

    values: dict[str, Value] | None = Field(None, description="values with which the prompt is rendered")
    user: str | None = Field(None, description="the user's turn as it is, instead of `values`")
    assistant: str = Field(min_length=1, description="the answer")

    @model_validator(mode="after")
    def _one_turn(self) -> Example:
        if (self.values is None) == (self.user is None):
            raise ValueError("want one of `values` and `user`")
        return self


class Trial(StrictModel):
    """Values, and what system and prompt rendered with them have to hold."""

    values: dict[str, Value] = Field(description="values to render with")
    contains: list[str] = Field([], description="texts that must be there")
    excludes: list[str] = Field([], description="texts that must not be there")


class PromptConfig(StrictModel):
    """A prompt template: how a wish of the writer becomes what the model sees."""

    version: Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = Field(
        description="1, 2, 3 … or 1.2.0; raise it when the template changes"
    )
    about: About = Field(description="what it is for")
    variables: dict[str, Variable] = Field(
        description="the values it takes, by name; `text` is what the writer types and must be among them"
    )
    system: str = Field("", description="the system turn (Jinja2 over the variables but `text`)")
    prompt: str = Field(description="the user's turn (Jinja2 over the variables)")
    examples: list[Example] = Field(
        [],
        description="few-shot examples: those nearest to the values are taken first, those of another choice are not",
    )
    generation: dict[str, float | int | list[str]] = Field(
        {}, description="generation settings that suit it, as under `generation` of other files; the user's lie above"
    )
    tests: list[Trial] = Field([], description="what `llmops prompts test` tries")

    @model_validator(mode="after")
    def _takes_text(self) -> PromptConfig:
        text = self.variables.get(TEXT)
        if text is None or text.type != "text" or text.default is not None:
            raise ValueError("`variables` needs `text`, of type text and without a default: what the writer types")
        return self
