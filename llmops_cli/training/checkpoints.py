"""Checkpoints on disk: which are whole, which is the newest, which may go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import STAGING_PREFIX, write_json

FOLDER_PREFIX = "checkpoint-"
SEAL = "files.json"


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return folder / f"{FOLDER_PREFIX}{step}"


def seal(checkpoint: Path) -> None:
    """Write the sizes of a checkpoint's files into it, so that a cut one is known later."""
    sizes = {path.name: path.stat().st_size for path in sorted(checkpoint.iterdir()) if path.name != SEAL}
    write_json(checkpoint / SEAL, sizes)


def step_of(checkpoint: Path) -> int:
    """The step of a checkpoint's folder."""
    return int(checkpoint.name.removeprefix(FOLDER_PREFIX))


def checkpoints_in(folder: Path) -> list[Path]:
    """Every checkpoint, whole or not, oldest first."""
    found = (path for path in folder.glob(f"{FOLDER_PREFIX}*") if path.name.removeprefix(FOLDER_PREFIX).isdigit())
    return sorted(found, key=step_of)


def damage(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint, or None when every file has the size it was written with."""
    try:
        sizes = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{SEAL} is missing or broken"
    for name, size in sizes.items():
        path = checkpoint / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            return f"{name} is missing" if found is None else f"{name} has {found:,} of {size:,} bytes"
    return None


def newest_checkpoint(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest whole checkpoint, and a line for every newer one that is damaged.

    Raises:
        InputError: there are checkpoints, and every one is damaged.
    """
    damaged: list[str] = []
    found = checkpoints_in(folder)
    for checkpoint in reversed(found):
        fault = damage(checkpoint)
        if fault is None:
            return checkpoint, damaged
        damaged.append(f"{checkpoint}: {fault}")
    if found:
        raise InputError(
            f"no checkpoint is whole: {damaged[0]}",
            where=str(folder),
            hint=f"rm -r {folder} to start again at step 0",
        )
    return None, damaged


def rotate(folder: Path, keep: int, best_step: int | None) -> None:
    """Delete all but the `keep` newest checkpoints and the best one, and what a killed save left."""
    for path in _spare(folder, keep, best_step):
        shutil.rmtree(path, ignore_errors=True)


def _spare(folder: Path, keep: int, best_step: int | None) -> Iterator[Path]:
    yield from folder.glob(f"{STAGING_PREFIX}*")
    yield from (path for path in checkpoints_in(folder)[:-keep] if step_of(path) != best_step)
