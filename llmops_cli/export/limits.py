"""What an export must stay within, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from llmops_cli.export.config import Limits
from llmops_cli.export.format import FormatLimits
from llmops_cli.export.report import Row


def limits_of(wanted: Limits, usual: FormatLimits) -> dict[str, float]:
    """The limits of an export by name: what the configuration sets, else what the format has."""
    given = {
        "kl_mean": wanted.kl_mean,
        "kl_p99": wanted.kl_p99,
        "top1_agreement": wanted.top1_agreement,
        "perplexity_rise": wanted.perplexity_rise,
        "adapter_effect": wanted.adapter_effect,
    }
    return asdict(usual) | {name: value for name, value in given.items() if value is not None}


def faults(rows: Sequence[Row], limits: Mapping[str, float]) -> list[str]:
    """Every limit that the export is past.

    Args:
        rows: the original, the export, and the bare base when there is an adapter.
        limits: of :func:`limits_of`.
    """
    original, export = rows[:2]
    if original.effect is not None and original.effect < limits["adapter_effect"]:
        what = f"KL divergence from the bare base is {original.effect:.2g} nats per token"
        return [f"the adapter has no effect: {what}, want at least {limits['adapter_effect']:g}"]
    rise = export.perplexity / original.perplexity - 1
    found = [
        f"{name} is {value:.4g}, want {'at least' if least else 'at most'} {limits[name]:g}"
        for name, value, least in (
            ("kl_mean", export.kl_mean, False),
            ("kl_p99", export.kl_p99, False),
            ("top1_agreement", export.top1_agreement, True),
            ("perplexity_rise", rise, False),
        )
        if (value < limits[name] if least else value > limits[name])
    ]
    if original.effect is not None and export.kl_mean >= original.effect:
        what = f"it is {export.kl_mean:.4g} nats per token from the original, the bare base {original.effect:.4g}"
        found.append(f"the adapter is lost in the export: {what}")
    return found


def doubts(rows: Sequence[Row]) -> list[str]:
    """What is no fault of the export, and should be known before it is used."""
    original, bare = rows[0], rows[2:]
    if bare and original.perplexity > bare[0].perplexity:
        what = f"perplexity {original.perplexity:.1f} with it, {bare[0].perplexity:.1f} without"
        return [f"the adapter makes the held-out text less likely: {what}"]
    return []
