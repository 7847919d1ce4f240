"""Characters that no writer typed."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement
from llmops_cli.text.broken_characters import broken_characters

ABOUT = "broken characters per 1,000: U+FFFD, lone surrogates and jamo, control characters, mojibake"
FORMULA = "1000 * broken characters / characters"
SOURCE = "llmops_cli.text.broken_characters"
BETTER: Better = "lower"
NEEDS = ()
SHOWN = 10


def start(call: Call) -> Measure:
    """None for an empty answer. The details show what is broken, in ASCII where it is a single character."""
    return _broken


def _broken(item: Item) -> Measurement | None:
    if not item.output.strip():
        return None
    found = broken_characters(item.output)
    details: dict[str, list[str]] = {
        damage: [_shown(span) for span in spans[:SHOWN]] for damage, spans in found.items()
    }
    count = sum(len(span) for spans in found.values() for span in spans)
    return Measurement(1000 * count / len(item.output), details=details)


def _shown(span: str) -> str:
    return f"U+{ord(span):04X}" if len(span) == 1 else span.encode("utf-8", "backslashreplace").decode()
