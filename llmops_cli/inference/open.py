"""From a model's name to a running engine."""

from __future__ import annotations

from llmops_cli.inference.engine import Engine
from llmops_cli.models.resolve import resolve_model


def open_engine(model: str, device: str = "auto") -> Engine:
    """Resolve, check and load a model.

    Raises:
        InputError, MachineError: as `models.resolve` and `models.load` do.
    """
    files = resolve_model(model)
    from llmops_cli.inference.engines.transformers import TransformersEngine

    return TransformersEngine(files, device)
