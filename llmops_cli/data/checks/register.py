"""존댓말 and 반말 in one voice: an assistant that changes its register from sentence to sentence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record
from llmops_cli.text.register import POLITE, levels

ID = "register"
SEVERITY = "warning"
ABOUT = "존댓말 and 반말 mixed in the assistant's turns or in a text, outside of quotation marks"
FIX = "rewrite the sentences of one register in the other"
FAST = False


class Params(StrictModel):
    """When a voice counts as mixed."""

    max_share: float = Field(0.25, ge=0, le=0.5, description="greatest share of sentences in the rarer register")
    min_changes: int = Field(6, ge=1, description="times that the register must change: a story in an answer is 2")


def start(params: Params) -> Check:
    def mixed(record: Record) -> Iterator[str]:
        polite = [level in POLITE for level in levels("\n".join(record.answers()))]
        rarer = min(sum(polite), len(polite) - sum(polite))
        changes = sum(first != second for first, second in pairwise(polite))
        if rarer > params.max_share * len(polite) and changes >= params.min_changes:
            yield f"{sum(polite)} sentences in 존댓말, {len(polite) - sum(polite)} in 반말"

    return mixed
