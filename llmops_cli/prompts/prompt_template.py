"""Prompt templates: how a wish of the writer becomes a system turn, few-shot turns and the user's turn.

Not to be taken for the chat template of a model (`prompts/template.py`), which turns such turns into its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from llmops_cli.config.base import StrictModel
from llmops_cli.config.layers import Layers, read_layers, validate
from llmops_cli.core.errors import InputError, raise_problems
from llmops_cli.core.files import sha256_of_value
from llmops_cli.prompts.body import render_body
from llmops_cli.prompts.checking import problems_in
from llmops_cli.prompts.config import TEXT, PromptConfig, Value, Variable
from llmops_cli.prompts.few_shot import CountTokens, Shot, choose, joined
from llmops_cli.prompts.template import Turn
from llmops_cli.prompts.values import typed_values
from llmops_cli.text.normalize import nfc

Schema = TypeVar("Schema", bound=StrictModel)


@dataclass(frozen=True)
class Rendered:
    """What a template makes of values: the system turn (may be empty), few-shot turns and the user's turn."""

    system: str
    turns: tuple[Turn, ...]
    prompt: str

    @property
    def messages(self) -> list[Turn]:
        """All of it as a conversation that waits for an answer."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, *self.turns, {"role": "user", "content": self.prompt}]


@dataclass(frozen=True)
class PromptTemplate:
    """A prompt template as it lies in a file; all of it was checked but its own tests."""

    name: str
    path: Path
    config: PromptConfig
    layers: Layers

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The values it takes, by name; `text` is what the writer types."""
        return self.config.variables

    @property
    def generation(self) -> Mapping[str, Any]:
        """Generation settings that suit it: they lie over the defaults and under what the user sets."""
        return self.config.generation

    @property
    def sha256(self) -> str:
        """Of everything in the file that the model can come to see, or is asked with."""
        values = self.config.model_dump(exclude={"version", "about", "tests"})
        for variable in values["variables"].values():
            del variable["about"]
        return sha256_of_value(values)

    @property
    def identity(self) -> str:
        """Name, version and hash for records: `scene@3:ab12cd34`."""
        return f"{self.name}@{self.config.version}:{self.sha256[:8]}"

    def settings(self, schema: type[Schema]) -> Schema:
        """The generation settings, with the defaults of `schema`.

        Raises:
            InputError: every one that the schema does not take, with its line.
        """
        layers = Layers()
        for key, value in self.generation.items():
            layers.put((key,), value, self.layers.origin_of(("generation", key)))
        return validate(schema, layers, str(self.path))

    def render(
        self, values: Mapping[str, Any], count_tokens: CountTokens | None = None, budget: int | None = None
    ) -> Rendered:
        """System turn, few-shot turns within a budget of tokens, and the user's turn.

        Args:
            values: by variable; see :func:`llmops_cli.prompts.values.typed_values` for what a text is read as.
            count_tokens: tokens of turns; needed where there is a budget.
            budget: most tokens of the few-shot turns; None for no limit.

        Raises:
            InputError: every value that is missing, unknown or of the wrong type; a turn becomes too long.
        """
        checked = self._checked(self.variables, values)
        turns = choose(self._shots(checked), joined(checked), count_tokens, budget)
        return Rendered(self._render("system", checked), tuple(turns), self._render("prompt", checked))

    def opening(
        self, values: Mapping[str, Any], count_tokens: CountTokens | None = None, budget: int | None = None
    ) -> tuple[str, list[Turn]]:
        """System turn and few-shot turns as :meth:`render` gives them, before the writer has typed a text.

        They depend on the other values alone, so that the beginning of a conversation stays as it is.
        """
        variables = {name: variable for name, variable in self.variables.items() if name != TEXT}
        checked = self._checked(variables, {name: value for name, value in values.items() if name != TEXT})
        turns = choose(self._shots(checked), joined(checked), count_tokens, budget)
        return self._render("system", checked), turns

    def _checked(self, variables: Mapping[str, Variable], values: Mapping[str, Any]) -> dict[str, Value]:
        checked, problems = typed_values(variables, values)
        raise_problems([replace(problem, where=self.name) for problem in problems.values()])
        return checked

    def _render(self, key: str, values: Mapping[str, Value]) -> str:
        try:
            return render_body(getattr(self.config, key), values)
        except InputError as error:
            problems = [replace(each, what=f"{key}: {each.what}", where=self.name) for each in error.problems]
            raise InputError(problems) from None

    def _shots(self, values: Mapping[str, Value]) -> Iterator[Shot]:
        """The examples for some values: those made with another choice would teach that one."""
        choices = [name for name, variable in self.variables.items() if variable.type == "choice"]
        for example in self.config.examples:
            if example.values is None:
                yield Shot(example.user or "", example.assistant.strip(), example.user or "")
                continue
            own = self._checked(self.variables, example.values)
            if all(own[name] == values[name] for name in choices):
                yield Shot(self._render("prompt", own), example.assistant.strip(), joined(own))


def load_template(path: Path) -> PromptTemplate:
    """Read and check a prompt template; its name is that of the file.

    Raises:
        InputError: everything that is wrong with it, by line.
    """
    layers = read_layers(path)
    layers.data = _normalised(layers.data)
    config = validate(PromptConfig, layers, str(path))
    raise_problems(problems_in(config, layers))
    return PromptTemplate(nfc(path.stem), path, config, layers)


def _normalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {nfc(key): _normalised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    return nfc(value) if isinstance(value, str) else value
