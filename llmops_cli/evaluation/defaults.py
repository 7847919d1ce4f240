"""What `llmops eval RUN` measures: a model of which only the name is given, as the shipped configuration says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmops_cli.config.layers import read_layers
from llmops_cli.core.errors import LlmopsError
from llmops_cli.core.workspace import shipped_root
from llmops_cli.evaluation.suites import ENDINGS
from llmops_cli.models.resolve import BUILTIN_PREFIX, ModelFiles
from llmops_cli.models.source import resolve_source

CONFIG, TINY_CONFIG = Path("configs/eval.yaml"), Path("configs/eval-tiny.yaml")


def config_for(target: str) -> tuple[Path, list[str]]:
    """The configuration file that `llmops eval TARGET` means, and the overrides, as of `--set`, that lie over it.

    A YAML file means itself. A model means `configs/eval.yaml` of the workspace, else the shipped one; where its base
    is builtin, `configs/eval-tiny.yaml`. Data that the workspace lacks is the shipped data.
    """
    if target.endswith(ENDINGS):
        return Path(target), []
    path = _here_or_shipped(TINY_CONFIG if _is_builtin(target) else CONFIG)
    data = read_layers(path).data.get("data", {})
    values: dict[str, Any] = {"model": target}
    for key in [key for key in ("eval", "train") if key in data]:
        names = [data[key]] if isinstance(data[key], str) else data[key]
        values[f"data.{key}"] = [str(_here_or_shipped(Path(name))) for name in names]
    return path, [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]


def _is_builtin(model: str) -> bool:
    try:
        source = resolve_source(model)
    except LlmopsError:  # the evaluation says what is wrong with it
        return False
    return isinstance(source, ModelFiles) and source.base_name.startswith(BUILTIN_PREFIX)


def _here_or_shipped(path: Path) -> Path:
    shipped = shipped_root() / path
    return shipped if shipped.exists() and not path.exists() else path
