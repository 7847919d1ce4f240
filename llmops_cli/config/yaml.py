"""YAML that keeps line numbers, refuses duplicate keys and reads `1e-4` as a number."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmops_cli.core.errors import InputError, Problem

KeyPath = tuple[str | int, ...]
_PLAIN = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MERGE = "tag:yaml.org,2002:merge"
_MOST_VALUES = 100_000
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: only true/false are booleans, dates and sexagesimals stay text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own name for them


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9][0-9_]*|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)|[-+]?[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9]+\.|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    """Decimal also where it begins with 0, which YAML 1.1 reads as octal."""
    digits = node.value.replace("_", "")
    return int(digits, 16 if digits.startswith("0x") else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


@dataclass
class Document:
    """A mapping read from YAML: its plain `data` and the line (from 1) of every key path in it."""

    data: dict[str, Any]
    source: str
    lines: dict[KeyPath, int] = field(default_factory=dict)


def read_yaml(path: Path) -> Document:
    """Read a configuration file.

    Raises:
        InputError: the file is missing, not UTF-8, not YAML, not a mapping, or repeats a key; all repeats at once.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError("no such configuration file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 (byte {error.start})", where=str(path), hint="save it as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> Document:
    """Parse a YAML mapping; `source` names it in messages. Raises as :func:`read_yaml`."""
    document = Document({}, source)
    with _loading(text, source) as loader:
        node = loader.get_single_node()
        if node is None:
            raise InputError("the file is empty", where=source, hint="llmops init DIR writes working examples")
        if not isinstance(node, yaml.MappingNode):
            raise InputError("want `key: value` lines at the top", where=f"{source}:{node.start_mark.line + 1}")
        document.data = _values(loader, node, document)
    return document


def parse_value(text: str, source: str) -> Any:
    """Parse one YAML value, as `--set key=VALUE` gives it.

    Raises:
        InputError: it is not YAML, or repeats a key.
    """
    try:
        with _loading(text, source) as loader:
            node = loader.get_single_node()
            return None if node is None else _values(loader, node, Document({}, source))
    except InputError as error:
        raise InputError(error.problems[0].what, where=source) from None


@contextlib.contextmanager
def _loading(text: str, source: str) -> Iterator[_Loader]:
    """A loader of `text`; what PyYAML raises in the block becomes an InputError."""
    try:
        yield _Loader(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise InputError(f"not YAML: {error.problem or error.context}", where=where) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"not YAML: the character U+{error.character:04X}", where=f"{source}:{line}") from None
    except RecursionError:
        raise InputError("not YAML: nested too deep", where=source) from None
    except (ValueError, OverflowError):
        raise InputError("not YAML: an escape of a character that does not exist", where=source) from None


def _values(loader: _Loader, node: yaml.Node, document: Document) -> Any:
    problems: list[Problem] = []
    value = _build(loader, node, (), document, problems)
    if problems:
        raise InputError(problems)
    return value


def _build(loader: _Loader, node: yaml.Node, path: KeyPath, document: Document, problems: list[Problem]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if len(document.lines) > _MOST_VALUES:  # aliases of aliases grow without end
        raise InputError(f"more than {_MOST_VALUES:,} values", where=document.source)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
        problems.append(Problem(f"unknown tag {node.tag}", f"{document.source}:{node.start_mark.line + 1}"))
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), document, problems) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(loader, node, document, problems)
    merged: dict[str, Any] = {}
    mapping: dict[str, Any] = {}
    for key_node, value_node in sorted(node.value, key=lambda pair: pair[0].tag != _MERGE):
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or _HALF_CHARACTER.search(key_node.value):
            problems.append(Problem("a key must be a plain word", f"{document.source}:{line}"))
            continue
        key = key_node.value
        if key_node.tag == _MERGE:
            sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            for source in reversed(sources):
                defaults = _build(loader, source, path, document, problems)
                if isinstance(defaults, dict):
                    merged |= defaults
                else:
                    problems.append(Problem("<<: want an alias of a mapping", f"{document.source}:{line}"))
            continue
        if key in mapping:
            first = document.lines[(*path, key)]
            problems.append(
                Problem(f"{key}: stands here a second time, first in line {first}", f"{document.source}:{line}")
            )
            continue
        document.lines[(*path, key)] = line
        mapping[key] = _build(loader, value_node, (*path, key), document, problems)
    return merged | mapping


def _scalar(loader: _Loader, node: yaml.Node, document: Document, problems: list[Problem]) -> Any:
    where = f"{document.source}:{node.start_mark.line + 1}"
    shown = repr(node.value if len(node.value) <= 40 else node.value[:37] + "...")
    try:
        value = loader.construct_object(node)
    except (ValueError, LookupError, AttributeError):  # from PyYAML, when a tag such as !!int does not fit the text
        problems.append(Problem(f"{shown} is no {node.tag.rpartition(':')[2]}", where))
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        problems.append(Problem(f"{shown} is out of range", where))
    if isinstance(value, str) and _HALF_CHARACTER.search(value):
        problems.append(Problem(f"half a character (a lone \\ud800 to \\udfff) in {shown}", where))
    return value
