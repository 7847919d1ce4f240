"""What is wrong with a prompt template beyond its schema, and its own tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmops_cli.config.layers import Layers
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import suggestion
from llmops_cli.prompts.body import names_in
from llmops_cli.prompts.config import TEXT, PromptConfig
from llmops_cli.prompts.values import typed_values


def problems_in(config: PromptConfig, layers: Layers) -> list[Problem]:
    """Everything that is wrong with the bodies, defaults, examples and tests of a template, each with its line."""
    return [*_of_bodies(config, layers), *_of_values(config, layers)]


def _of_bodies(config: PromptConfig, layers: Layers) -> Iterator[Problem]:
    lists = {name for name, variable in config.variables.items() if variable.type == "list"}
    used: dict[str, set[str]] = {}
    for key, body in (("system", config.system), ("prompt", config.prompt)):
        where = layers.origin_of((key,))
        try:
            used[key] = names_in(body, lists)
        except InputError as error:
            yield from (replace(each, what=f"{key}: {each.what}", where=where) for each in error.problems)
            continue
        for name in sorted(used[key] - config.variables.keys()):
            what = f"{key}: uses {name!r}, which `variables` does not declare"
            yield Problem(what, where, suggestion(name, list(config.variables)))
        if key == "system" and TEXT in used[key]:
            yield Problem("system: uses 'text', which changes from turn to turn", where, "use it in `prompt`")
    if "prompt" in used and TEXT not in used["prompt"]:
        yield Problem("prompt: does not use 'text', what the writer types", layers.origin_of(("prompt",)))
    if len(used) == 2:
        for name in sorted(config.variables.keys() - used["system"] - used["prompt"] - {TEXT}):
            yield Problem(f"variables.{name}: nothing uses it", layers.origin_of(("variables", name)))


def _of_values(config: PromptConfig, layers: Layers) -> Iterator[Problem]:
    for name, variable in config.variables.items():
        if variable.default is not None:
            _, problems = typed_values({name: variable}, {})
            where = layers.origin_of(("variables", name, "default"))
            yield from (
                replace(each, what=f"default of {each.what}", where=where, hint="") for each in problems.values()
            )
    for index, example in enumerate(config.examples):
        if example.values is not None:
            yield from _wrong(config, example.values, layers, ("examples", index, "values"))
    for index, trial in enumerate(config.tests):
        yield from _wrong(config, trial.values, layers, ("tests", index, "values"))


def _wrong(
    config: PromptConfig, values: Mapping[str, Any], layers: Layers, path: tuple[str | int, ...]
) -> Iterator[Problem]:
    _, problems = typed_values(config.variables, values)
    for name, problem in problems.items():
        yield replace(problem, where=layers.origin_of((*path, name)), what=f"{path[0]}: {problem.what}")
