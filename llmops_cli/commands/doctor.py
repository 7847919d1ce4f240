"""`llmops doctor`."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import typer

from llmops_cli import __version__
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import show, show_pairs, size
from llmops_cli.core.device import chip_name, choose_device, total_memory
from llmops_cli.core.errors import EXIT_MACHINE

REQUIRED = (
    "torch",
    "transformers",
    "peft",
    "tokenizers",
    "safetensors",
    "mlflow",
    "chromadb",
    "sentence_transformers",
    "optuna",
    "evaluate",
    "rouge_score",
)

EXAMPLES = """Examples:

  llmops doctor

  llmops doctor --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(doctor)


def doctor(as_json: Json = False) -> None:
    """Look at this machine: device and why, memory, disk, versions, offline state, and what is missing."""
    from llmops_cli.tracking.record import library_versions

    missing = [name for name in REQUIRED if importlib.util.find_spec(name) is None]
    facts: dict[str, Any] = {
        "llmops": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "chip": chip_name(),
        "memory": total_memory(),
        "free_disk": shutil.disk_usage(Path()).free,
        "workspace": str(Path().resolve()),
        "workspace_writable": os.access(Path(), os.W_OK),
        "offline": _offline(),
        "libraries": library_versions(),
        "missing": missing,
        "type": f"pip install {' '.join(name.replace('_', '-') for name in missing)}" if missing else None,
    }
    if "torch" not in missing:
        device = choose_device()
        facts |= {
            "device": device.name,
            "device_reason": device.reason,
            "dtype": device.dtype,
            "dtype_reason": device.dtype_reason,
        }
    show(facts, as_json, lambda: _table(facts))
    if missing or not facts["workspace_writable"]:
        raise typer.Exit(EXIT_MACHINE)


def _offline() -> str:
    forced = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(name, "0") not in ("", "0")]
    return f"forced by {', '.join(forced)}" if forced else "hub allowed, asked only for a model that is not here"


def _table(facts: dict[str, Any]) -> None:
    shown = {
        "llmops": f"{facts['llmops']} on Python {facts['python']}",
        "system": f"{facts['system']} ({facts['chip']})",
    }
    if "device" in facts:
        shown["device"] = f"{facts['device']}: {facts['device_reason']}"
        shown["dtype"] = f"{facts['dtype']}: {facts['dtype_reason']}"
    shown |= {
        "memory": size(facts["memory"]),
        "free disk": size(facts["free_disk"]),
        "workspace": facts["workspace"] + ("" if facts["workspace_writable"] else " (cannot be written)"),
        "network": facts["offline"],
        "libraries": ", ".join(f"{name} {version}" for name, version in facts["libraries"].items()),
        "missing": f"{', '.join(facts['missing'])}; type: {facts['type']}" if facts["missing"] else "nothing",
    }
    show_pairs("", shown)
