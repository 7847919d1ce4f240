"""How the tokens of a record look: what is learned, what is context, and where training cuts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llmops_cli.commands.show import visible
from llmops_cli.core.console import print_rich

if TYPE_CHECKING:
    from llmops_cli.models.token_view import Token
    from llmops_cli.pipeline.validating import RecordTokens

LEARNED, CONTEXT = "bold green", "cyan"
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"

Styled = tuple[str, str]


def show_tokens(shown: RecordTokens) -> None:
    """Print the tokens, in brackets and colours, and what they mean."""
    from rich.text import Text

    print_rich(Text.assemble(*_heading(shown), *_body(shown), *_legend(shown)), wrapped=False)


def tokens_to_json(shown: RecordTokens) -> list[dict[str, Any]]:
    """The tokens as plain data."""
    return [{"id": token.id, "text": token.text, "learned": token.learned} for token in shown.tokens]


def _heading(shown: RecordTokens) -> Iterator[Styled]:
    yield f"{visible(shown.record.where)}  {visible(shown.record.id)}\n", "bold"
    if shown.fault:
        yield f"training leaves this record out: {shown.fault}\n", "bold red"
    yield "\n", ""


def _body(shown: RecordTokens) -> Iterator[Styled]:
    waiting, text = 0, ""
    for place, token in enumerate(shown.tokens):
        if place == shown.max_length:
            yield f"✂ max_length {shown.max_length:,} ✂", "bold red"
        waiting += 1
        if not token.text:
            continue
        text = "↵".join(visible(line) for line in token.text.split("\n"))
        several = _subscript(waiting) if waiting > 1 else ""
        style = LEARNED if token.learned else CONTEXT
        style += " underline" if token.special else ""
        style += " dim strike" if place >= shown.max_length else ""
        yield (f"[{text}{several}]" if token.learned else f"‹{text}{several}›"), style
        if text.endswith("↵"):
            yield "\n", ""
        waiting = 0
    yield ("\n" if text.endswith("↵") else "\n\n"), ""


def _legend(shown: RecordTokens) -> Iterator[Styled]:
    yield "[learned]", LEARNED
    yield "  ", ""
    yield "‹context›", CONTEXT
    yield "  ↵ line break  ₂ tokens that are text only together\n", ""
    cut = shown.tokens[shown.max_length :]
    loss = f"{len(cut):,}, {_learned(cut):,} of them learned" if cut else "nothing"
    yield f"{len(shown.tokens):,} tokens, {_learned(shown.tokens):,} learned; ", ""
    yield f"max_length {shown.max_length:,} cuts {loss}", ""


def _learned(tokens: list[Token]) -> int:
    return sum(token.learned for token in tokens)


def _subscript(count: int) -> str:
    return "".join(_SUBSCRIPTS[int(digit)] for digit in str(count))
