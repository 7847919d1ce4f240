"""A model that is evaluated: what identifies everything that it computes, and its weights once they are needed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from llmops_cli import __version__
from llmops_cli.core.device import DeviceChoice, chip_name, choose_device
from llmops_cli.core.files import sha256_of_value
from llmops_cli.evaluation.cache import Cache
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.engine import Engine
from llmops_cli.inference.open import EngineChoice, load_engine
from llmops_cli.models.fingerprint import fingerprint
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Upstream
from llmops_cli.tracking.record import library_versions

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "jinja2", "llama-cpp-python", "mlx")
"""Whose versions may change what is computed."""


class Subject:
    """A model, the engine that runs it, and the keys under which the cache holds what it computed.

    A key says everything that the computed thing depends on. Behind the URL of a server the model may change without
    a sign, so what a server answered counts for one evaluation only: for the first that ends, and for those that were
    stopped before it.
    """

    def __init__(self, choice: EngineChoice, config: EngineConfig) -> None:
        self.choice, self._config = choice, config
        self.device: DeviceChoice | None = None
        """Where it computes, once the weights are loaded."""
        held = {"files": fingerprint(choice.source), "engine": choice.engine, "precision": config.precision}
        self.fingerprint = sha256_of_value(held)
        machine = {"device": config.device, "chip": chip_name()}
        self._depends = [held, machine, {"llmops": __version__, **library_versions(LIBRARIES)}]

    @cached_property
    def engine(self) -> Engine:
        """What computes; loads the weights.

        Raises:
            InputError, MachineError: as :func:`load_engine`.
        """
        if isinstance(self.choice.source, ModelFiles | GgufFile):
            self.device = choose_device(self._config.device)
        return load_engine(self.choice, self._config)

    def key(self, cache: Cache, **asked: Any) -> str:
        """The key of what the model makes of plain data."""
        return sha256_of_value([self._depends, self._epoch(cache), asked])

    def close_epoch(self, cache: Cache) -> None:
        """Say that an evaluation is done: the next one asks a server anew."""
        if isinstance(self.choice.source, Upstream):
            cache.put(f"epoch {self.fingerprint}", self._epoch(cache) + 1)

    def _epoch(self, cache: Cache) -> int:
        return (cache.get(f"epoch {self.fingerprint}") or 0) if isinstance(self.choice.source, Upstream) else 0
