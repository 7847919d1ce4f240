"""The schema of a recipe."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from llmops_cli.config.base import StrictModel


class Step(StrictModel):
    """One job of a recipe."""

    job: str = Field(
        description="convert, mask, dedup, split, merge, validate, train, eval, quantize, generate or chat"
    )
    config: str | None = Field(None, description="YAML configuration of the job; without it, `with` is all of it")
    name: str | None = Field(None, description="name of the run, for train and eval")
    values: dict[str, Any] = Field(
        {}, alias="with", description="values that lie over the configuration, as --set would"
    )


class RecipeConfig(StrictModel):
    """`llmops run`: jobs one after another; a job whose inputs did not change is not run again."""

    name: str = Field(
        pattern=r"^\w[\w.-]*$", description="name of the recipe; its state is kept in runs/NAME.recipe.json"
    )
    steps: list[Step] = Field(min_length=1, description="the jobs, in order")

    @model_validator(mode="after")
    def _runs_have_names(self) -> RecipeConfig:
        unnamed = [step.job for step in self.steps if step.job in ("train", "eval") and step.name is None]
        if unnamed:
            raise ValueError(f"want a name for every train and eval step, {unnamed[0]} has none")
        return self
