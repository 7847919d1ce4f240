"""Rendering a conversation with a model's chat template."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import jinja2
import jinja2.sandbox

from llmops_cli.core.errors import InputError

Turn = Mapping[str, str]


@functools.lru_cache(maxsize=8)
def _compile(template: str) -> jinja2.Template:
    def raise_exception(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(template)


def render(template: str, turns: Sequence[Turn], *, add_generation_prompt: bool = False, **variables: Any) -> str:
    """The text a model sees for a conversation, as `apply_chat_template(tokenize=False)` gives it.

    Args:
        template: the chat template (Jinja2).
        turns: mappings with `role` and `content`.
        add_generation_prompt: end with the opening of an assistant turn.
        variables: further names the template may use, such as `eos_token`.

    Raises:
        InputError: the template is broken, or refuses these roles.
    """
    try:
        return _compile(template).render(
            messages=[dict(turn) for turn in turns], add_generation_prompt=add_generation_prompt, **variables
        )
    except jinja2.TemplateError as error:
        raise InputError(f"the chat template refuses this conversation: {error}", where="chat template") from None
