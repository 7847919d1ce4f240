"""Length given against length asked for."""

from __future__ import annotations

import math
from statistics import fmean

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement
from llmops_cli.text.length_requests import LengthRequest, length_requests

ABOUT = "how far the answer misses the length that the prompt asks for: 자, 원고지 매, 문장, 문단, 줄, 어절; 0 is right"
FORMULA = (
    "|given / asked - 1|, 0 between the bounds of a range, 1 for an empty answer; the mean where several are asked"
)
SOURCE = "llmops_cli.text.length_requests, llmops_cli.text.lengths; spaces count as the prompt says, else as is nearer"
BETTER: Better = "lower"
NEEDS = ("prompt",)


def start(call: Call) -> Measure:
    """None where the prompt asks for no length. The details show what was asked and given."""
    return _deviation


def _deviation(item: Item) -> Measurement | None:
    requests = length_requests(item.prompt)
    if not requests:
        return None
    found = [request.nearest(item.output) for request in requests]
    lengths = [
        {"unit": unit, "asked": _asked(request), "given": given}
        for request, (unit, given, _) in zip(requests, found, strict=True)
    ]
    return Measurement(fmean(deviation for *_, deviation in found), details={"lengths": lengths})


def _asked(request: LengthRequest) -> float | list[float | None]:
    """A number, or the least and the greatest, None where there is none."""
    if request.low == request.high:
        return request.low
    return [request.low or None, None if math.isinf(request.high) else request.high]
