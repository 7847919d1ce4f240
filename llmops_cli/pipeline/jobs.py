"""The jobs that a configuration can drive, where each lives, and the schema of every YAML file."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType

from llmops_cli.config.base import StrictModel
from llmops_cli.core.errors import InputError
from llmops_cli.core.plugins import suggestion


@dataclass(frozen=True)
class Job:
    """A job: its schema as `module:class`, and the module with its `plan` and `run`.

    `plan` of a job that `makes_run` takes a RunRequest besides the configuration.
    """

    schema_path: str
    module_path: str
    makes_run: bool = False

    @property
    def schema(self) -> type[StrictModel]:
        """The schema of the job's configuration."""
        return _schema_at(self.schema_path)

    @property
    def module(self) -> ModuleType:
        """The module that does the job; importing it may be slow."""
        return importlib.import_module(self.module_path)


JOBS = {
    "train": Job("llmops_cli.training.config:TrainConfig", "llmops_cli.training.job", makes_run=True),
    "eval": Job("llmops_cli.evaluation.config:EvalConfig", "llmops_cli.evaluation.job", makes_run=True),
    "quantize": Job("llmops_cli.export.config:QuantizeConfig", "llmops_cli.export.job"),
    "generate": Job("llmops_cli.inference.config:GenerateConfig", "llmops_cli.inference.generate"),
    "chat": Job("llmops_cli.chat.config:ChatConfig", "llmops_cli.chat.once"),
    "convert": Job("llmops_cli.data.config:ConvertConfig", "llmops_cli.data.convert"),
    "mask": Job("llmops_cli.data.config:MaskConfig", "llmops_cli.data.mask"),
    "dedup": Job("llmops_cli.data.config:DedupConfig", "llmops_cli.data.dedup"),
    "split": Job("llmops_cli.data.config:SplitConfig", "llmops_cli.data.split"),
    "merge": Job("llmops_cli.data.config:MergeConfig", "llmops_cli.data.merge"),
    "validate": Job("llmops_cli.data.config:ValidateConfig", "llmops_cli.pipeline.validating"),
    "recipe": Job("llmops_cli.pipeline.config:RecipeConfig", "llmops_cli.pipeline.runner"),
}

SCHEMAS = {name: job.schema_path for name, job in JOBS.items()} | {
    "suite": "llmops_cli.evaluation.config:SuiteConfig",
    "prompt": "llmops_cli.prompts.config:PromptConfig",
}
"""Where the schema of each kind of YAML file is: of every job, and of the files that jobs read."""


def job_named(name: str) -> Job:
    """The job of a name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in JOBS:
        raise InputError(f"no job {name!r}: there are {', '.join(JOBS)}", hint=suggestion(name, list(JOBS)))
    return JOBS[name]


def schema_named(name: str) -> type[StrictModel]:
    """The schema of a name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in SCHEMAS:
        raise InputError(f"no schema {name!r}: there are {', '.join(SCHEMAS)}", hint=suggestion(name, list(SCHEMAS)))
    return _schema_at(SCHEMAS[name])


def schema_that_fits(keys: set[str]) -> str:
    """The name of the schema that knows most of the top-level `keys`; of equals, it lacks least and is smallest."""

    def fit(name: str) -> tuple[int, int, int]:
        fields = schema_named(name).model_fields
        known = {field.alias or key for key, field in fields.items()}
        needed = {field.alias or key for key, field in fields.items() if field.is_required()}
        return len(keys & known) - len(keys - known), -len(needed - keys), -len(fields)

    return max(SCHEMAS, key=fit)


def _schema_at(path: str) -> type[StrictModel]:
    module, _, name = path.partition(":")
    schema: type[StrictModel] = getattr(importlib.import_module(module), name)
    return schema
