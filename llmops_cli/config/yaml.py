"""YAML that keeps line numbers, refuses duplicate keys and reads `1e-4` as a number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmops_cli.core.errors import InputError, Problem

KeyPath = tuple[str | int, ...]


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
    except (FileNotFoundError, IsADirectoryError):
        raise InputError("no such configuration file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 (byte {error.start})", where=str(path), hint="save it as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> Document:
    """Parse a YAML mapping; `source` names it in messages. Raises as :func:`read_yaml`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document = Document({}, source)
        if node is None:
            raise InputError("the file is empty", where=source, hint="llmops init DIR writes working examples")
        if not isinstance(node, yaml.MappingNode):
            raise InputError("want `key: value` lines at the top", where=f"{source}:{node.start_mark.line + 1}")
        problems: list[Problem] = []
        document.data = _build(loader, node, (), document, problems)
        if problems:
            raise InputError(problems)
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise InputError(f"not YAML: {error.problem or error.context}", where=where) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}", where=source) from None
    finally:
        loader.dispose()


def parse_value(text: str, source: str) -> Any:
    """Parse one YAML value, as `--set key=VALUE` gives it."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        raise InputError(f"not a YAML value: {text!r}", where=source) from None


def _build(loader: _Loader, node: yaml.Node, path: KeyPath, document: Document, problems: list[Problem]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), document, problems) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    loader.flatten_mapping(node)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem("a key must be a plain word", f"{document.source}:{line}"))
            continue
        if key in mapping:
            first = document.lines[(*path, key)]
            problems.append(
                Problem(f"{key}: stands here a second time, first in line {first}", f"{document.source}:{line}")
            )
            continue
        document.lines[(*path, key)] = line
        mapping[key] = _build(loader, value_node, (*path, key), document, problems)
    return mapping
