"""From a model's name to a running engine, and why that one."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import cast

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.plugins import load_plugin
from llmops_cli.inference import engines
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.engine import Engine, EngineModule
from llmops_cli.models.source import KINDS, Source, resolve_source

FASTEST_FIRST = ("torch", "transformers", "llamacpp", "openai", "fake")


@dataclass(frozen=True)
class EngineChoice:
    """A model, the engine that runs it, and why that one."""

    source: Source
    engine: str
    reason: str


def choose_engine(config: EngineConfig) -> EngineChoice:
    """Find the model, and the fastest engine that can run it unless one is named; looks at no weights.

    MLX comes first on Apple hardware where its extra is installed, and last elsewhere: for models that only it runs.

    Raises:
        InputError, MachineError: as :func:`resolve_source`; the named engine cannot run the model, or none can.
    """
    source = resolve_source(config.model)
    if config.engine != "auto":
        if why := _cannot_run(config.engine, source, config):
            kind = MachineError if "pip install" in why else InputError
            raise kind(f"the engine {config.engine} cannot run {source.name}: {why}", where="engine")
        return EngineChoice(source, config.engine, "asked for")
    order = ("mlx", *FASTEST_FIRST) if _on_apple_silicon() else (*FASTEST_FIRST, "mlx")
    refusals: list[str] = []
    for name in (name for name in order if isinstance(source, _module(name).RUNS)):
        why = _cannot_run(name, source, config)
        if why is None:
            return EngineChoice(source, name, "; ".join(["the fastest that can run it here", *refusals]))
        refusals.append(f"not {name}: {why}")
    raise (MachineError if "pip install" in refusals[-1] else InputError)("; ".join(refusals), where=source.name)


def load_engine(choice: EngineChoice, config: EngineConfig) -> Engine:
    """Load the weights into the chosen engine.

    Raises:
        InputError, MachineError: as :meth:`llmops_cli.inference.engine.EngineModule.load`.
    """
    return _module(choice.engine).load(choice.source, config)


def open_engine(config: EngineConfig) -> Engine:
    """:func:`choose_engine`, then :func:`load_engine`."""
    return load_engine(choose_engine(config), config)


def _cannot_run(name: str, source: Source, config: EngineConfig) -> str | None:
    module = _module(name)
    if not isinstance(source, module.RUNS):
        return f"it runs {KINDS[module.RUNS]}, and this is {KINDS[type(source)]}"
    if config.precision not in ("auto", *module.PRECISIONS):
        known = ", ".join(("auto", *module.PRECISIONS))
        return f"it holds weights in {known}, not in {config.precision}"
    return module.cannot_run(source)


def _module(name: str) -> EngineModule:
    return cast(EngineModule, load_plugin(engines, name))


def _on_apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"
