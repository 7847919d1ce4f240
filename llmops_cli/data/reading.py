"""From raw files to records: the one boundary where bytes become NFC text."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import formats
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.decoding import lines_of, text_of
from llmops_cli.data.documents import parse_line, rows_of_document
from llmops_cli.data.formats import Place
from llmops_cli.data.manifest import MANIFEST_SUFFIX
from llmops_cli.data.records import Record
from llmops_cli.data.table import read_table
from llmops_cli.text.normalize import nfc

SUFFIXES = (".json", ".jsonl", ".csv", ".tsv")
_TABLES = (".csv", ".tsv")

OnProblem = Callable[[Problem], None]


def expand(paths: Sequence[str]) -> list[Path]:
    """The data files that `paths` name: files as they are, folders with everything inside, each file once.

    Folders are read in the order of their NFC names, so that a Mac and a Linux machine agree. Hidden files
    and manifests are left out of folders.

    Raises:
        InputError: a missing path, a file of an unknown kind, a folder without data files; all at once.
    """
    problems = [] if paths else [Problem("no input is named", "input", "--set input=PATH")]
    found: dict[Path, Path] = {}
    for name in paths:
        path = _as_on_disk(name)
        if path is None:
            problems.append(Problem("no such file or folder", name))
        elif path.is_dir():
            inside = [file for file in path.rglob("*") if _is_data(file, path)]
            if not inside:
                problems.append(Problem(f"no data file in this folder: want {', '.join(SUFFIXES)}", name))
            for file in sorted(inside, key=lambda file: nfc(file.as_posix())):
                found.setdefault(file.resolve(), file)
        elif path.suffix.lower() not in SUFFIXES:
            problems.append(
                Problem(f"cannot read {path.suffix or 'a file without ending'}: want {', '.join(SUFFIXES)}", name)
            )
        else:
            found.setdefault(path.resolve(), path)
    if problems:
        raise InputError(problems)
    return list(found.values())


def _as_on_disk(name: str) -> Path | None:
    """The path as the disk spells it: macOS archives hold NFD names, keyboards type NFC."""
    spellings = (name, nfc(name), unicodedata.normalize("NFD", name))
    return next((path for path in map(Path, spellings) if path.exists()), None)


def _is_data(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    wanted = file.suffix.lower() in SUFFIXES and not file.name.endswith(MANIFEST_SUFFIX)
    return wanted and not hidden and file.is_file()


def read_records(paths: Sequence[str], options: ReadOptions, on_problem: OnProblem | None = None) -> Iterator[Record]:
    """Read the records of files and folders of any known format. Text is NFC, ids are unique.

    Args:
        paths: files and folders, relative to the current folder.
        options: how the files are understood.
        on_problem: gets every thing that cannot be read, after which reading goes on; without it the first
            one is raised.

    Raises:
        InputError: as :func:`expand`, and without `on_problem` for anything that cannot be read, with its
        line.
    """
    files = expand(paths)
    seen: dict[str, int] = {}
    report = on_problem or _raise

    def unique(record: Record) -> Record:
        count = seen[record.id] = seen.get(record.id, 0) + 1
        if count == 1:
            return record
        while (candidate := f"{record.id}-{count}") in seen:
            count += 1
        seen[record.id], seen[candidate] = count, 1
        return dataclasses.replace(record, id=candidate)

    for path in files:
        for record in _records_of(path, options, report):
            yield unique(record)


def _raise(problem: Problem) -> None:
    raise InputError([problem])


def _records_of(path: Path, options: ReadOptions, report: OnProblem) -> Iterator[Record]:
    source = nfc(str(path))
    rows = 0
    bad = 0

    def count(problem: Problem) -> None:
        nonlocal bad
        bad += 1
        report(problem)

    try:
        for line, row, denormalised in _rows(path, source, options, count):
            rows += 1
            try:
                yield from _parse(row, Place(source, nfc(path.stem), line), options, denormalised)
            except InputError as error:
                wrong_setting = any(isinstance(problem, WrongSetting) for problem in error.problems)
                if wrong_setting and rows == 1 and path.suffix.lower() in _TABLES:
                    raise  # the header decides for every row
                for problem in error.problems:
                    count(problem if rows == 1 else _about_the_row(problem))
    except InputError as error:
        for problem in error.problems:
            count(problem)
    except OSError as error:
        count(Problem(f"cannot be read: {error.strerror}", source))
    if not rows and not bad:
        count(Problem("the file is empty" if path.stat().st_size == 0 else "no rows in this file", source))


def _about_the_row(problem: Problem) -> Problem:
    """The same, as a fault of this one row: with these settings the rows before it could be read."""
    return Problem(problem.what, problem.where, problem.hint)


def _parse(row: Any, place: Place, options: ReadOptions, denormalised: bool) -> list[Record]:
    if not isinstance(row, dict):
        raise InputError("want one JSON object for each row", where=place.where)
    for module in _formats():
        if module.matches(row, options):
            records = list(module.parse(row, place, options))
            return [dataclasses.replace(record, denormalised=True) for record in records] if denormalised else records
    columns = ", ".join(row) or "nothing"
    known = "; ".join(module.SHAPE for module in _formats() if module.ORDER)
    hint = "--set prompt_column=NAME --set completion_column=NAME"
    raise InputError([WrongSetting(f"unknown shape with {columns}; known are {known}", place.where, hint)])


@cache
def _formats() -> tuple[ModuleType, ...]:
    found = load_plugins(formats)
    return tuple(found[name] for name in sorted(found, key=lambda name: (found[name].ORDER, name)))


def _rows(path: Path, source: str, options: ReadOptions, report: OnProblem) -> Iterator[tuple[int, Any, bool]]:
    """Line, row, and whether its text had to be normalised."""
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        for item in read_table(_texts(path, source, options, report), source, tabs=suffix == ".tsv"):
            if isinstance(item, Problem):
                report(item)
            else:
                yield item[0], *_normalised(item[1])
    elif suffix == ".json" or _is_one_document(path, source, options):
        for line, row in rows_of_document(text_of(path, source, options.encoding), source):
            yield line, *_normalised(row)
    else:
        yield from _json_lines(path, source, options, report)


def _json_lines(path: Path, source: str, options: ReadOptions, report: OnProblem) -> Iterator[tuple[int, Any, bool]]:
    first = True
    for number, text in enumerate(_texts(path, source, options, report), 1):
        if not text.strip():
            continue
        try:
            row = parse_line(text, f"{source}:{number}")
        except InputError as error:
            if first and not text.lstrip().startswith("{"):
                raise  # plain text under a wrong name: one problem, not one for each line
            report(error.problems[0])
        else:
            plain = "\\u" not in text and unicodedata.is_normalized("NFC", text)
            yield (number, row, False) if plain else (number, *_normalised(row))
        first = False


def _texts(path: Path, source: str, options: ReadOptions, report: OnProblem) -> Iterator[str]:
    """The lines of a file; one that cannot be decoded is reported and stands as a blank line."""
    for item in lines_of(path, source, options.encoding):
        if isinstance(item, Problem):
            report(item)
        yield "" if isinstance(item, Problem) else item


def _is_one_document(path: Path, source: str, options: ReadOptions) -> bool:
    """Whether a .jsonl is one JSON array, or objects printed over several lines."""
    lines = (line for line in lines_of(path, source, options.encoding) if isinstance(line, str))
    start = next((line.strip() for line in lines if line.strip()), "")
    return start.startswith("[") or start == "{"


def _normalised(value: Any) -> tuple[Any, bool]:
    """`value` with all its text in NFC, and whether any was not."""
    if isinstance(value, str):
        text = nfc(value)
        return text, text != value
    if isinstance(value, list):
        items = [_normalised(item) for item in value]
        return [item for item, _ in items], any(changed for _, changed in items)
    if isinstance(value, dict):
        pairs = [(nfc(key), _normalised(item)) for key, item in value.items()]
        return {key: item for key, (item, _) in pairs}, any(changed for _, (_, changed) in pairs)
    return value, False
