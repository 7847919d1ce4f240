"""`llmops prompts render`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.options import Json, TemplateName
from llmops_cli.commands.show import number, show
from llmops_cli.commands.stdin import read_stdin
from llmops_cli.core.console import ConsoleReporter, print_result
from llmops_cli.core.errors import InputError

if TYPE_CHECKING:
    from llmops_cli.prompts.few_shot import CountTokens
    from llmops_cli.prompts.template import Turn

EXAMPLES = """Examples:

  llmops prompts render romance '우산 하나를 같이 쓴다.' --var characters=하은,도윤 --var length=300

  llmops prompts render polishing - --model builtin:tiny-ko --budget 200 < draft.txt
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("render", epilog=EXAMPLES)(render)


def render(
    name: TemplateName,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What the writer types; - reads it from stdin.")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=VALUE", help="A value; a list is split at commas, or given item by item."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Count tokens as this model does.")] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", min=0, help="Most tokens of the few-shot examples; needs --model.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the turns that a template makes of values, as a model would get them."""
    from llmops_cli.prompts.library import find_template

    if budget is not None and model is None:
        raise InputError("needs a model whose tokens are counted", where="--budget", hint="add --model builtin:tiny-ko")
    template = find_template(name)
    count = _counting(model) if model is not None else None
    rendered = template.render(_values(text, values or []), count, budget)
    turns = rendered.messages
    found: dict[str, Any] = {"template": template.identity, "messages": turns, "generation": template.generation}
    if count is not None:
        found["tokens"] = {"examples": count(rendered.turns) if rendered.turns else 0, "all": count(turns)}
    show(found, as_json, lambda: print_result("\n\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in turns)))
    if count is not None and not as_json:
        tokens = found["tokens"]
        ConsoleReporter().info(f"{number(tokens['all'])} tokens, {number(tokens['examples'])} of them of examples")


def _values(text: str | None, words: list[str]) -> dict[str, Any]:
    """The values of `--var` and the text; a name that is given again has a list of them."""
    from llmops_cli.prompts.config import TEXT

    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise InputError(f"want NAME=VALUE, got {word!r}", where="--var", hint="--var length=300")
        before = given.get(name.strip())
        given[name.strip()] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    if text is not None and TEXT in given:
        raise InputError(f"{TEXT} is given twice", where="--var", hint="leave one of them out")
    return given if text is None else given | {TEXT: read_stdin() if text == "-" else text}


def _counting(model: str) -> CountTokens:
    from llmops_cli.models.resolve import resolve_model
    from llmops_cli.models.tokenizer import load_tokenizer
    from llmops_cli.prompts.encode import encode_prompt

    tokenizer = load_tokenizer(resolve_model(model).tokenizer)

    def count(turns: Sequence[Turn]) -> int:
        return len(encode_prompt(tokenizer, turns))

    return count
