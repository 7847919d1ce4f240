"""Commands that change what the model sees and how it answers, and tell what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from llmops_cli.core.errors import InputError

if TYPE_CHECKING:
    from llmops_cli.chat.terminal.screen import Screen

NOTHING = "-"
"""What is typed to empty a text."""


def note(screen: Screen, argument: str) -> None:
    """`/note [TEXT|-]`."""
    _text(screen, "note", argument, screen.session.note)


def memory(screen: Screen, argument: str) -> None:
    """`/memory [TEXT|-]`."""
    _text(screen, "memory", argument, screen.session.memory)


def system(screen: Screen, argument: str) -> None:
    """`/system [TEXT|FILE|-]`."""
    _text(screen, "system", argument, screen.session.system)


def _text(screen: Screen, key: str, argument: str, change: Callable[[str], Any]) -> None:
    if argument:
        change("" if argument == NOTHING else argument)
    kept = getattr(screen.session.state, key)
    key = screen.words(f"state.{key}")
    if argument == NOTHING:
        screen.say(screen.words("cleared", key=key), "quiet")
    else:
        screen.say(screen.words("value", key=key, value=kept or screen.words("none")), "quiet")


def names(screen: Screen, argument: str) -> None:
    """`/names [C001=NAME …]`."""
    for code, name in pairs(argument, "/names C001=지우"):
        screen.session.names(code, name)
    named = screen.session.state.names
    for code, name in named.items():
        screen.say(screen.words("named", code=code, name=name), "quiet")
    if not named:
        screen.say(screen.words("none"), "quiet")


def pairs(text: str, example: str) -> list[tuple[str, str]]:
    """`a=b c=d`; a value may hold spaces. Raises InputError for anything else, with the example."""
    starts = [start.start() for start in re.finditer(r"(?:^|(?<=\s))[^\s=]+=", text)]
    if text and starts[:1] != [0]:
        raise InputError(f"want NAME=VALUE, got {text.split()[0]!r}", hint=example)
    parts = [text[start:end].partition("=") for start, end in pairwise([*starts, len(text)])]
    return [(name, value.strip()) for name, _, value in parts]


def template(screen: Screen, argument: str) -> None:
    """`/template [NAME|-] [VAR=VALUE …]`."""
    name, _, values = argument.partition(" ")
    if argument:
        screen.session.template("" if name == NOTHING else name, dict(pairs(values, "/template NAME VAR=VALUE")))
    kept = screen.session.template_name
    screen.say(screen.words("value", key=screen.words("state.template"), value=kept or screen.words("none")), "quiet")
    for variable, value in screen.session.state.values.items():
        screen.say(f"  {variable}: {_written(value)}", "quiet")


def templates(screen: Screen) -> Iterable[str]:
    """Names of prompt templates."""
    from llmops_cli.prompts.library import template_paths

    return list(template_paths())


def change(screen: Screen, argument: str) -> None:
    """`/set [KEY [VALUE]]`."""
    from llmops_cli.chat.terminal.drawing import two_columns

    key, _, value = argument.replace("=", " ", 1).partition(" ")
    if value:
        old, new = screen.session.set(key, value.strip())
        screen.say(screen.words("changed", key=key, old=_written(old), new=_written(new)), "quiet")
        return
    every = screen.session.settings.model_dump()
    if key and key not in every:
        screen.session.set(key, "")  # says what there is
    shown = [(name, _written(value)) for name, value in every.items() if key in ("", name)]
    screen.say_all(two_columns(shown, screen.columns))


def keys(screen: Screen) -> Iterable[str]:
    """Names of settings."""
    return list(screen.session.settings.model_dump())


def seed(screen: Screen, argument: str) -> None:
    """`/seed [NUMBER]`."""
    change(screen, f"seed {argument}".strip())


def model(screen: Screen, argument: str) -> None:
    """`/model [MODEL|RUN]`."""
    if argument:
        screen.session.switch(argument)
    screen.say(screen.words("model", model=screen.model), "quiet")


def models(screen: Screen) -> Iterable[str]:
    """Runs of this workspace."""
    from llmops_cli.core.workspace import runs_directory

    return sorted(str(path.parent) for path in runs_directory().glob("*/adapter"))


def why(screen: Screen, argument: str) -> None:
    """`/why [TURN]`."""
    made = screen.session.why(screen.turn(argument).id if argument else None)
    _table(screen, {**made, "sent": len(made["sent"])})


def stats(screen: Screen, argument: str) -> None:
    """`/stats`."""
    _table(screen, screen.session.stats())


def _table(screen: Screen, values: Mapping[str, Any]) -> None:
    from llmops_cli.chat.terminal.drawing import two_columns

    shown = {key: screen.words("yes") if value is True else value for key, value in values.items()}
    rows = ((screen.words(f"traced.{key}"), _written(value)) for key, value in shown.items() if _is_said(value))
    screen.say_all(two_columns(rows, screen.columns))


def _is_said(value: Any) -> bool:
    return value not in (None, "", False, [])


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_written(each)}" for key, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
