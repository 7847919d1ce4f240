"""The Jinja2 bodies of a prompt template: text, variables, conditions and lists, and nothing that runs or grows.

A template file may come from anywhere. Jinja2's sandbox keeps a body away from Python, but not from memory and time;
so a body is also limited to the parts of the language named here, which cannot compute anything large.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

import jinja2
import jinja2.meta
import jinja2.sandbox
from jinja2 import nodes

from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.prompts.config import Value
from llmops_cli.text.josa import attach
from llmops_cli.text.normalize import nfc

LONGEST = 500_000
"""Most characters of a rendered body."""
BETWEEN = ", "
END = 100
"""Characters at the end of a text by which a josa is chosen: a whole manuscript would take long to look at."""
PARTS = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.List,
)
"""What a body may be made of, besides `loop.first` and its like."""


def _as_text(value: Any) -> Any:
    return BETWEEN.join(value) if isinstance(value, list) else value


def _with_josa(word: Any, josa: str) -> str:
    text = str(_as_text(word))
    return text[:-END] + attach(text[-END:], josa)


def _joined(items: list[str], between: str = BETWEEN) -> str:
    if not isinstance(items, list):  # the characters of a text, each with another text between, are too many
        raise TypeError("join wants a list")
    return between.join(items)


def _environment() -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_as_text
    )
    kept = {name: environment.filters[name] for name in ("trim", "length", "first", "last")}
    environment.filters = kept | {"josa": _with_josa, "join": _joined}
    environment.globals.clear()
    environment.tests.clear()
    return environment


@functools.lru_cache(maxsize=64)
def _compiled(body: str) -> jinja2.Template:
    return _environment().from_string(body)


def names_in(body: str, lists: Collection[str]) -> set[str]:
    """The variables that a body uses.

    Args:
        body: the Jinja2.
        lists: variables that are lists; only they can be gone through.

    Raises:
        InputError: it is no Jinja2, or holds more than text, variables, filters, conditions and lists.
    """
    environment = _environment()
    try:
        tree = environment.parse(body)
        refused = [problem for node in tree.find_all(nodes.Node) for problem in _refusals(node, lists)]
        raise_problems(list(dict.fromkeys(refused)))
        names = jinja2.meta.find_undeclared_variables(tree)
        _compiled(body)
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"line {error.lineno}: {(error.message or '').rstrip('.')}") from None
    except (RecursionError, SyntaxError):
        raise InputError("nested too deep") from None
    except (ValueError, OverflowError):
        raise InputError("a number that is too long") from None
    return names


def _refusals(node: nodes.Node, lists: Collection[str]) -> list[Problem]:
    if isinstance(node, nodes.For):
        if not (isinstance(node.iter, nodes.Name) and node.iter.name in lists):
            return [Problem(f"line {node.lineno}: `for` goes through a variable of type list only")]
        if any(node.find_all(nodes.For)):
            return [Problem(f"line {node.lineno}: no `for` inside a `for`")]
    if isinstance(node, PARTS) or _is_of_loop(node):
        return []
    kind = type(node).__name__.lower()
    hint = "it holds text, {{ variables }}, filters, {% if %} and {% for %}"
    return [Problem(f"line {node.lineno}: no {kind} in a prompt template", hint=hint)]


def _is_of_loop(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "loop"


def render_body(body: str, values: Mapping[str, Value]) -> str:
    """The text of a body that :func:`names_in` has passed, in NFC and without blank lines around it.

    Raises:
        InputError: the values do not go with what the body does with them, or the text is too long.
    """
    pieces: list[str] = []
    size = 0
    try:
        for piece in _compiled(body).generate(values):
            size += len(piece)
            if size > LONGEST:
                raise InputError(f"is longer than {LONGEST:,} characters")
            pieces.append(piece)
    except (jinja2.TemplateError, TypeError) as error:  # of what the body does with its values
        raise InputError(f"cannot be rendered: {error}") from None
    return nfc("".join(pieces)).strip()
