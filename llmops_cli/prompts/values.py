"""The values of a prompt template's variables, checked and brought to their types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmops_cli.core.errors import Problem
from llmops_cli.core.plugins import suggestion
from llmops_cli.prompts.config import Value, Variable
from llmops_cli.text.normalize import nfc

LONGEST_TEXT = 200_000
"""Most characters of a text."""
MOST_ITEMS = 100
"""Most texts of a list."""
_COMMA = re.compile("[,，、]")


def typed_values(
    variables: Mapping[str, Variable], given: Mapping[str, Any]
) -> tuple[dict[str, Value], dict[str, Problem]]:
    """The value of every variable, its default where none is given, and the problem of each name that has one.

    A text that is given for an integer is read as a number, for a list it is split at commas; that is how values come
    from a command line.
    """
    values: dict[str, Value] = {}
    problems: dict[str, Problem] = {}
    known = {nfc(name): name for name in given}
    for name, variable in variables.items():
        value = given[known[name]] if name in known else variable.default
        try:
            values[name] = _typed(variable, value)
        except ValueError as error:
            want = f"{describe(variable)} ({variable.about.here()})"
            near = suggestion(value, variable.choices) if isinstance(value, str) else ""
            problems[name] = Problem(f"{name}: {error}, want {want}", hint=near or f"{name}=…")
    for name in known.keys() - variables.keys():
        near = suggestion(name, list(variables)) or f"there are {', '.join(variables)}"
        problems[name] = Problem(f"unknown value {name!r}", hint=near)
    return values, problems


def describe(variable: Variable) -> str:
    """What a variable takes: `a text`, `an integer from 50 to 2000`, `one of 과거, 현재`, `a list of texts`."""
    if variable.type == "choice":
        return f"one of {', '.join(variable.choices)}"
    if variable.type == "integer":
        bounds = (("from", variable.min), ("to", variable.max))
        return " ".join(["an integer", *(f"{word} {bound}" for word, bound in bounds if bound is not None)])
    return {"text": "a text", "list": "a list of texts"}[variable.type]


def _typed(variable: Variable, value: Any) -> Value:
    if value is None:
        raise ValueError("is missing")
    if variable.type == "integer":
        return _integer(variable, value)
    if variable.type == "list":
        return _list(variable, value)
    if not isinstance(value, str):
        raise _wrong(value)
    text = _text(value)
    if not text and variable.default is None:
        raise ValueError("is empty")
    if variable.type == "choice" and text not in variable.choices:
        raise _wrong(text)
    return text


def _integer(variable: Variable, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(value)
    if (variable.min is not None and value < variable.min) or (variable.max is not None and value > variable.max):
        raise _wrong(value)
    return value


def _list(variable: Variable, value: Any) -> list[str]:
    parts = _COMMA.split(value) if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise _wrong(value)
    items = [text for part in parts if (text := _text(part))]
    if len(items) > MOST_ITEMS:
        raise ValueError(f"has {len(items):,} texts, more than {MOST_ITEMS}")
    if not items and variable.default is None:
        raise ValueError("is empty")
    return items


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"is {len(value):,} characters long, more than {LONGEST_TEXT:,}")
    return nfc(value).strip()


def _wrong(value: Any) -> ValueError:
    shown = repr(value)
    return ValueError(f"got {shown if len(shown) <= 60 else shown[:57] + '...'}")
