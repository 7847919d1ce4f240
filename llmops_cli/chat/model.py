"""The model that answers a conversation: loaded once, its adapters beside it, so that they can be changed at once."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from llmops_cli.core.console import Reporter
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.engine import Engine
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Source
from llmops_cli.models.tokenizer import load_tokenizer

CHANGES_ADAPTERS = "torch"
"""The engine that holds adapters beside the weights."""


class Identity(NamedTuple):
    """What an answer is said to come from: the model without its adapter, the adapter, the run that made it."""

    model: str
    adapter: str = ""
    run: str = ""


def identity(source: Source) -> Identity:
    """The names of a model."""
    if not isinstance(source, ModelFiles):
        return Identity(source.name)
    return Identity(source.base_name, source.name if source.adapter else "", str(source.run) if source.run else "")


class Model:
    """An engine with its weights, and the adapter that answers; `choice` is what was asked for last.

    Args:
        choice: of :func:`choose_engine`.
        config: device, engine and precision; those of any model that is loaded later, too.
        reporter: told about what is loaded.

    Raises:
        InputError, MachineError: as :func:`load_engine`.
    """

    def __init__(self, choice: EngineChoice, config: EngineConfig, reporter: Reporter) -> None:
        self._config, self._reporter = config, reporter
        self.choice = choice
        self.engine = self._load(choice)

    @property
    def name(self) -> str:
        """The model without its adapter."""
        return identity(self.choice.source).model

    @property
    def adapter(self) -> str:
        """The name of the adapter on it, or ""."""
        return identity(self.choice.source).adapter

    def beside(self, choice: EngineChoice) -> str:
        """What a request calls the adapter of a model: "" where it is part of the weights, or there is none."""
        return choice.source.name if choice.source.name in self._adapters else ""

    def switch(self, name: str) -> bool:
        """Answer with another model; whether weights had to be loaded for it. An adapter of the same base needs none.

        Raises:
            InputError, MachineError: it cannot be used; what answered before goes on answering.
        """
        choice = self.choose(name)
        is_here = self.shares_weights(choice)
        if is_here:
            self.add(choice)
        else:
            self.engine = self._load(choice)
        self.choice = choice
        return not is_here

    def choose(self, name: str) -> EngineChoice:
        """Find a model by its name. Raises as :func:`choose_engine`."""
        return choose_engine(self._config.model_copy(update={"model": name}))

    def shares_weights(self, choice: EngineChoice) -> bool:
        """Whether a model is the loaded one, or an adapter that can lie beside it."""
        one, other = self.choice.source, choice.source
        if isinstance(one, ModelFiles) and isinstance(other, ModelFiles):
            return one.base == other.base and self.engine.abilities.adapters and choice.engine == self.choice.engine
        return choice == self.choice

    def add(self, choice: EngineChoice) -> None:
        """Have the adapter of a model that shares the weights beside them, if it has one.

        Raises:
            InputError: the adapter cannot be used.
        """
        source = choice.source
        if isinstance(source, ModelFiles) and source.adapter and source.name not in self._adapters:
            self.engine.add_adapter(source.name, source)
            self._adapters.add(source.name)

    def _load(self, choice: EngineChoice) -> Engine:
        """Load a model; its adapter stays beside the weights where they can be told apart."""
        source = choice.source
        with self._reporter.progress(f"loading {source.name}", None):
            base = _without_adapter(source) if choice.engine == CHANGES_ADAPTERS else None
            engine = load_engine(replace(choice, source=base or source), self._config)
            adapters = set[str]()
            if base and isinstance(source, ModelFiles):
                engine.add_adapter(source.name, source)
                adapters.add(source.name)
        self._adapters = adapters
        return engine


def _without_adapter(source: Source) -> ModelFiles | None:
    """The base of an adapter that was trained with the base's own tokenizer and template."""
    if not isinstance(source, ModelFiles) or source.adapter is None:
        return None
    base = ModelFiles(source.base_name, source.base_name, source.base)
    own, others = load_tokenizer(source.tokenizer), load_tokenizer(base.tokenizer)
    same = (own.template, own.stop_ids, own.special_tokens) == (others.template, others.stop_ids, others.special_tokens)
    return base if same else None
