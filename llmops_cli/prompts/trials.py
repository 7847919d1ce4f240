"""The tests that a prompt template brings along."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.prompts.config import Trial
from llmops_cli.prompts.prompt_template import PromptTemplate


def failures(template: PromptTemplate) -> list[Problem]:
    """What the template's tests find wrong, and a problem where it has none; by line."""
    if not template.config.tests:
        return [Problem("no tests", str(template.path), "add values and what they must give under `tests`")]
    return [
        Problem(f"tests: {what}", template.layers.origin_of(("tests", number)))
        for number, trial in enumerate(template.config.tests)
        for what in _failures(template, trial)
    ]


def _failures(template: PromptTemplate, trial: Trial) -> Iterator[str]:
    try:
        rendered = template.render(trial.values)
    except InputError as error:
        yield from (problem.what for problem in error.problems)
        return
    text = f"{rendered.system}\n{rendered.prompt}"
    yield from (f"lacks {wanted!r}" for wanted in trial.contains if wanted not in text)
    yield from (f"holds {unwanted!r}" for unwanted in trial.excludes if unwanted in text)
