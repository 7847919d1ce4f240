"""Where things are: the workspace (the folder the command runs in), its runs, and what the package ships."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from llmops_cli.core.errors import InputError

PACKAGE = Path(__file__).resolve().parent.parent
SHIPPED = ("configs", "data", "recipes")


def runs_directory() -> Path:
    """The folder of the runs of this workspace."""
    return Path("runs")


def shipped_root() -> Path:
    """The folder that holds the shipped configs, data and recipes: inside a wheel, or the root of a clone."""
    inside_wheel = PACKAGE / "shipped"
    return inside_wheel if inside_wheel.is_dir() else PACKAGE.parent


@dataclass(frozen=True)
class RunRequest:
    """How a job's run is to be called, and what happens to one of that name.

    `stem` names a run that has no `name`, with the time behind it. `resume` goes on with an existing run; `replace`
    deletes it first. `can_resume` says that the job knows how to go on.
    """

    name: str | None = None
    stem: str = "run"
    resume: bool = False
    replace: bool = False
    can_resume: bool = False

    @property
    def prefix(self) -> str:
        """The stem as far as a run's name can hold it."""
        return re.sub(r"[^\w.-]+", "-", self.stem).lstrip("-.") or "run"


def new_run_directory(request: RunRequest) -> Path:
    """The folder of a new run, not made yet: `runs/<name>`, or `runs/<stem>-<time>` without a name.

    Raises:
        InputError: the name is no plain file name, or such a run exists and is not to be replaced.
    """
    name = request.name if request.name is not None else f"{request.prefix}-{time.strftime('%Y%m%d-%H%M%S')}"
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise InputError(f"a run name is letters, digits, '-', '_' and '.', got {name!r}", where="--name")
    directory = runs_directory() / name
    if directory.exists() and not request.replace and not request.resume:
        raise InputError(
            f"a run named {name!r} exists",
            where=str(directory),
            hint="take another --name, or add --resume" if request.can_resume else "take another --name",
        )
    return directory


def clear_run(directory: Path) -> None:
    """Delete a run that is to be made anew; a folder that is no run is left alone."""
    if (directory / "record.json").is_file():
        shutil.rmtree(directory)
