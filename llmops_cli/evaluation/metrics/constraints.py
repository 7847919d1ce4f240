"""What of the asked-for an answer fulfils, as far as a program can tell."""

from __future__ import annotations

from llmops_cli.evaluation.constraints import check
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement

ABOUT = "constraints of the item that the answer fulfils, 0 to 1"
FORMULA = "constraints fulfilled / constraints; an empty answer fulfils none"
SOURCE = "Zhou et al. 2023 (IFEval, strict, by instruction); what is checked: llmops_cli.evaluation.constraints"
BETTER: Better = "higher"
NEEDS = ("constraints",)


def start(call: Call) -> Measure:
    """None for an item without constraints. The details show why some are not fulfilled."""
    return _fulfilled


def _fulfilled(item: Item) -> Measurement | None:
    outcomes = check(item.constraints, item.output) if item.constraints else []
    if not outcomes:
        return None
    failed = {outcome.name: outcome.why for outcome in outcomes if not outcome.fulfilled}
    return Measurement(1 - len(failed) / len(outcomes), details=failed)
