"""How fast tokens follow one another."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement, pooled_quantile

ABOUT = "tokens per second of an answer after its first token, at a percentile of the answers, the slowest last"
FORMULA = "(tokens - 1) / seconds from the first token to the last; of a set, what 50, 95 or 99 % of the answers reach"
SOURCE = "1 / time per output token (TPOT), as in MLPerf Inference"
BETTER: Better = "higher"
NEEDS = ("timing",)
TIMED = True
VARIANTS = ("p50", "p95", "p99")
VARIANT_IN_NAME = True

pool = pooled_quantile


def start(call: Call) -> Measure:
    """None for an answer of a single token. As p95 is the slow end, it is the 0.05 quantile."""
    quantile = (100 - int(call.variant.removeprefix("p"))) / 100

    def speed(item: Item) -> Measurement | None:
        timing = item.timing
        if timing is None or timing.tokens < 2 or timing.total <= timing.first_token:
            return None
        found = (timing.tokens - 1) / (timing.total - timing.first_token)
        return Measurement(found, (found, quantile))

    return speed
