"""Suites: prompts in YAML, or in JSONL beside it, of which only one is in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops_cli.config.layers import Layers, resolve, validate
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.core.plugins import suggestion
from llmops_cli.core.workspace import shipped_root
from llmops_cli.data.decoding import lines_of
from llmops_cli.data.documents import parse_line
from llmops_cli.data.layout import normalised_row
from llmops_cli.data.sources import Source
from llmops_cli.evaluation.config import SuiteConfig, SuiteItem

FOLDER = Path("configs/suites")
ENDINGS = (".yaml", ".yml")
HELD_OUT = "held-out"
"""What reports call the held-out text of `data`; no suite has this name."""
SAMPLE = re.compile(r"#\d+$")
"""Ends the id of the second and later answers to a prompt."""


@dataclass(frozen=True)
class Suite:
    """A suite as it lies on disk."""

    name: str
    path: Path
    config: SuiteConfig
    prompts: Path | None
    """The JSONL of `prompts`."""

    def items(self) -> Iterator[SuiteItem]:
        """The items in their order, text in NFC.

        Raises:
            InputError: the first line of the JSONL that is no item.
        """
        for _, item in self._places():
            if isinstance(item, InputError):
                raise item
            yield item

    def _places(self) -> Iterator[tuple[str, SuiteItem | InputError]]:
        for number, item in enumerate(self.config.items, 1):
            where = f"{self.path}: item {number}"
            yield where, _item(item.model_dump(exclude_none=True), where)
        if self.prompts is None:
            return
        for number, line in enumerate(lines_of(Source(self.prompts), "utf-8"), 1):
            where = f"{self.prompts}:{number}"
            if isinstance(line, Problem):
                yield where, InputError([line])
            elif line.strip():
                yield where, _item(line, where)

    def check(self, refuse: Callable[[SuiteItem], None]) -> int:
        """Read every item once; how many there are.

        Raises:
            InputError: every line that is no item, every id that is not its own, everything that `refuse` raises of an
                item; there is no item at all.
        """
        problems: list[Problem] = []
        seen: set[str] = set()
        for where, item in self._places():
            if isinstance(item, InputError):
                problems += item.problems
                continue
            if item.id in seen:
                problems.append(Problem(f"the id {item.id!r} was there before", where, "give every item its own"))
            try:
                refuse(item)
            except InputError as error:
                problems += [replace(each, what=f"{item.id}: {each.what}", where=where) for each in error.problems]
            if self.config.samples > 1 and SAMPLE.search(item.id):
                what = f"the id {item.id!r} looks like that of another sample"
                problems.append(Problem(what, where, "end it without # and a number"))
            seen.add(item.id)
        if not seen and not problems:
            problems.append(Problem("no items: there is nothing to ask", str(self.path)))
        raise_problems(problems)
        return len(seen)


def load_suite(name: str) -> Suite:
    """The suite of a name or of a YAML file; its items are read later.

    A name is looked for in `configs/suites` of the workspace, then among the shipped suites.

    Raises:
        InputError: there is none; everything that is wrong with its YAML; there is no file `prompts`.
    """
    path = Path(name) if name.endswith(ENDINGS) else _find(name)
    resolved = resolve(SuiteConfig, path)
    prompts = None
    if resolved.config.prompts is not None:
        origin = resolved.layers.origin_of(("prompts",))
        prompts = Path(origin.rpartition(":")[0]).parent / resolved.config.prompts
        if not prompts.is_file():
            raise InputError(f"prompts: no such file {str(prompts)!r}", where=origin)
    return Suite(path.stem, path, resolved.config, prompts)


def _find(name: str) -> Path:
    folders = (FOLDER, shipped_root() / FOLDER)
    paths = [folder / f"{name}{ending}" for folder in folders for ending in ENDINGS]
    if found := next((path for path in paths if path.is_file()), None):
        return found
    known = sorted({path.stem for folder in folders for path in folder.glob("*") if path.suffix in ENDINGS})
    hint = suggestion(name, known) or "name a YAML file to use your own"
    raise InputError(f"no suite {name!r}: there are {', '.join(known)}", where="suites", hint=hint)


def _item(row: Any, where: str) -> SuiteItem | InputError:
    try:
        normalised, _ = normalised_row(parse_line(row, where) if isinstance(row, str) else row, where)
        if not isinstance(normalised, dict):
            return InputError("want one JSON object a line", where=where)
        layers = Layers()
        for key, value in normalised.items():
            layers.put((key,), value, where)
        return validate(SuiteItem, layers, where)
    except InputError as error:
        return error
