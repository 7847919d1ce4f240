"""Plug-ins are modules of a folder, found by their file name: to add one, add a file."""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from types import ModuleType

from llmops_cli.core.errors import InputError


def plugin_names(package: ModuleType) -> list[str]:
    """The names of the modules in `package`, sorted; those that start with an underscore are not plug-ins."""
    return sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))


def load_plugin(package: ModuleType, name: str) -> ModuleType:
    """Import the plug-in `name` of `package`.

    Raises:
        InputError: when there is none of that name; the message lists the names there are.
    """
    names = plugin_names(package)
    if name not in names:
        kind = package.__name__.rsplit(".", 1)[-1]
        raise InputError(f"no {name!r} in {kind}: there are {', '.join(names)}", hint=suggestion(name, names))
    return importlib.import_module(f"{package.__name__}.{name}")


def load_plugins(package: ModuleType) -> dict[str, ModuleType]:
    """Import every plug-in of `package`, by name."""
    return {name: load_plugin(package, name) for name in plugin_names(package)}


def suggestion(word: str, known: list[str]) -> str:
    """`did you mean 'x'?` for the known word nearest to `word`, or an empty string."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""
