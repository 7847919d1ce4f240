"""Layers of a configuration: defaults < `extends:` < the file < `--set`, and where every value came from."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from llmops_cli.config.base import StrictModel
from llmops_cli.config.yaml import KeyPath, parse_value, read_yaml
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import suggestion

Schema = TypeVar("Schema", bound=StrictModel)


@dataclass
class Layers:
    """Merged plain values and the origin (`file:line` or `--set`) of each key path."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def put(self, path: KeyPath, value: Any, origin: str, origins: Mapping[KeyPath, str] | None = None) -> None:
        """Set `value` at `path`; mappings merge key by key, everything else replaces what was there."""
        if isinstance(value, dict) and value:
            for key, item in value.items():
                self.put((*path, key), item, (origins or {}).get((*path, key), origin), origins)
            return
        target: Any = self.data
        for length, key in enumerate(path[:-1], 1):
            if not isinstance(target.get(key), dict):
                target[key] = {}
                self._forget(path[:length])
            target = target[key]
        target[path[-1]] = value
        self._forget(path)
        self.origins[path] = origin
        if isinstance(value, list):
            self.origins.update({known: text for known, text in (origins or {}).items() if known[: len(path)] == path})

    def _forget(self, path: KeyPath) -> None:
        self.origins = {known: origin for known, origin in self.origins.items() if known[: len(path)] != path}

    def origin_of(self, path: KeyPath) -> str:
        """Where the value at `path`, or the nearest thing around it, was written; `default` when nowhere."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        inside = [origin for known, origin in self.origins.items() if known[: len(path)] == path]
        return inside[0] if path and inside else "default"


@dataclass(frozen=True)
class Resolved(Generic[Schema]):
    """A validated configuration and its layers."""

    config: Schema
    layers: Layers
    source: str


def read_layers(file: Path | None, overrides: Sequence[str] = ()) -> Layers:
    """Merge a file, what it `extends` (relative to that file, nearest last) and `--set` overrides `key=value`.

    Raises:
        InputError: an unreadable file, a circle of `extends`, or an override that is not `key=value`.
    """
    layers = Layers()
    if file is not None:
        _add_file(layers, file, ())
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise InputError(f"want key=value, got {override!r}", where="--set", hint="--set train.max_steps=10")
        origin = f"--set {key.strip()}"
        layers.put(tuple(key.strip().split(".")), parse_value(text, origin), origin)
    return layers


def _add_file(layers: Layers, file: Path, seen: tuple[Path, ...]) -> None:
    if file.resolve() in seen:
        raise InputError("extends: goes round in a circle", where=str(file))
    document = read_yaml(file)
    parent = document.data.pop("extends", None)
    if parent is not None:
        where = f"{document.source}:{document.lines[('extends',)]}"
        if not isinstance(parent, str):
            raise InputError(f"extends: got {parent!r}, want the path of a YAML file", where=where)
        if not (file.parent / parent).is_file():
            raise InputError(f"extends: no such file {str(file.parent / parent)!r}", where=where)
        _add_file(layers, file.parent / parent, (*seen, file.resolve()))
    origins = {path: f"{document.source}:{line}" for path, line in document.lines.items()}
    for key, value in document.data.items():
        layers.put((key,), value, origins[(key,)], origins)


def resolve(
    schema: type[Schema],
    file: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    values: Mapping[str, Any] | None = None,
) -> Resolved[Schema]:
    """Read, merge and validate a configuration; `values` lie under the overrides and above the file.

    Raises:
        InputError: every problem of the file at once, each with `file:line`, the key, and the nearest known key.
    """
    layers = read_layers(file)
    for key, value in (values or {}).items():
        layers.put((key,), value, "arguments")
    for path, value in (over := read_layers(None, overrides)).origins.items():
        layers.put(path, _value_at(over.data, path), value)
    source = str(file) if file else "--set"
    return Resolved(validate(schema, layers, source), layers, source)


def validate(schema: type[Schema], layers: Layers, source: str) -> Schema:
    """Validate merged layers against a schema. Raises as :func:`resolve`."""
    try:
        return schema.model_validate(layers.data)
    except ValidationError as error:
        raise InputError(_problems(error, schema, layers, source)) from None


def _problems(error: ValidationError, schema: type[BaseModel], layers: Layers, source: str) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        path = _path_in_data(detail["loc"], layers.data)
        key = ".".join(map(str, path)) or "the file"
        where = layers.origin_of(path)
        if where == "default" and path:  # a missing key: the section that lacks it
            where = layers.origin_of(path[:-1])
        where = source if where == "default" else where
        hint = ""
        if detail["type"] == "extra_forbidden":
            what = f"unknown key {key!r}"
            known = known_keys(schema, path[:-1])
            hint = suggestion(str(path[-1]), known) or f"known here: {', '.join(known)}"
        elif detail["type"] == "missing":
            what = f"{key}: is missing"
        elif detail["type"] == "model_type":
            what = f"{key}: got {_shown(detail['input'])}, want `key: value` lines"
        elif detail["type"] == "value_error":
            what = f"{key}: {detail['msg'].removeprefix('Value error, ')}"
        else:
            want = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            what = f"{key}: got {_shown(detail['input'])}, want {want}"
        problems.setdefault((where, key), Problem(what, where, hint))
    return sorted(problems.values(), key=_by_line)


def _by_line(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line)) if line.isdigit() else (problem.where, 0)


def _path_in_data(location: Iterable[str | int], data: Any) -> KeyPath:
    """The part of a pydantic location that names keys: tags of unions are left out."""
    path: list[str | int] = []
    for part in location:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif isinstance(data, dict) and isinstance(part, str) and part.isidentifier():
            path.append(part)
            break
        else:
            continue
        path.append(part)
    return tuple(path)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def known_keys(schema: type[BaseModel], path: KeyPath = ()) -> list[str]:
    """The keys a schema knows at `path`."""
    models: list[type[BaseModel]] = [schema]
    for part in path:
        if isinstance(part, int):
            continue
        models = [
            inner
            for model in models
            for name, field_info in model.model_fields.items()
            if part == (field_info.alias or name)
            for inner in _models_in(field_info.annotation)
        ]
    return sorted({field_info.alias or name for model in models for name, field_info in model.model_fields.items()})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]


def _value_at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def flat_values(config: BaseModel, prefix: KeyPath = ()) -> Iterable[tuple[KeyPath, Any]]:
    """Every leaf of a validated configuration with its key path, in the order of the schema."""
    for name, field_info in type(config).model_fields.items():
        value, path = getattr(config, name), (*prefix, field_info.alias or name)
        if isinstance(value, BaseModel):
            yield from flat_values(value, path)
        elif isinstance(value, list) and value and all(isinstance(item, BaseModel) for item in value):
            for index, item in enumerate(value):
                yield from flat_values(item, (*path, index))
        else:
            yield path, value


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The leaves of nested mappings with dotted keys."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
