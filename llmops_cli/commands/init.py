"""`llmops init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import show
from llmops_cli.core.console import print_result
from llmops_cli.core.errors import InputError
from llmops_cli.core.workspace import SHIPPED, shipped_root

EXAMPLES = """Example:

  llmops init story && cd story && llmops run recipes/quickstart.yaml
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(init)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    as_json: Json = False,
) -> None:
    """Write a working project to edit: configurations, recipes and sample data."""
    import shutil

    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError("exists and is not an empty folder", where=str(directory), hint="choose another name")
    for name in SHIPPED:
        shutil.copytree(shipped_root() / name, directory / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    steps = [f"cd {directory}", "llmops run recipes/quickstart.yaml"]
    text = f"{directory} holds {', '.join(SHIPPED)}. Next:\n  " + "\n  ".join(steps)
    show({"directory": str(directory), "next": steps}, as_json, lambda: print_result(text))
