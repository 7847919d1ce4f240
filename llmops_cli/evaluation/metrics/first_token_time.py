"""How long the first token takes."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement, pooled_quantile

ABOUT = "seconds from the request to the first token, at a percentile of the answers"
FORMULA = "of a set, the time within which 50, 95 or 99 % of the answers have their first token (nearest rank)"
SOURCE = "time to first token (TTFT), as in MLPerf Inference"
BETTER: Better = "lower"
NEEDS = ("timing",)
TIMED = True
VARIANTS = ("p50", "p95", "p99")
VARIANT_IN_NAME = True

pool = pooled_quantile


def start(call: Call) -> Measure:
    """Seconds, and for the set the quantile."""
    quantile = int(call.variant.removeprefix("p")) / 100

    def seconds(item: Item) -> Measurement | None:
        return Measurement(item.timing.first_token, (item.timing.first_token, quantile)) if item.timing else None

    return seconds
