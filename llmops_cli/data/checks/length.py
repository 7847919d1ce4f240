"""Records longer than what training keeps: the rest is cut off, and with it the token that ends the answer."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.core.errors import InputError
from llmops_cli.data.checks import Check, Measure
from llmops_cli.data.records import Record

ID = "length"
SEVERITY = "warning"
ABOUT = "records longer than max_length in the model's own tokens, or that its chat template refuses (needs --model)"
FIX = "raise data.max_length, or cut the text into shorter records before training"
FAST = False
MEASURES = True
SAMPLE = 6_000_000


class Params(StrictModel):
    """Limits."""

    max_length: int = Field(1024, ge=2, description="tokens after which training cuts a record")


def start(params: Params, measure: Measure) -> Check:
    def too_long(record: Record) -> Iterator[str]:
        try:
            measured = measure(record)
        except InputError as error:
            yield error.problems[0].what
            return
        if measured.tokens > params.max_length:
            what = f"{measured.tokens:,} tokens, cut to {params.max_length:,}"
            yield what + ("; the end of the answer is lost" if measured.last_label >= params.max_length else "")

    return too_long
