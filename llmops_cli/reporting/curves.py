"""Pictures of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops_cli.core.files import staging_path


def plot_losses(entries: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Write a PNG of training and held-out loss (nats per token) over steps.

    Args:
        entries: the lines of a `metrics.jsonl`: `step` with `loss`, or `step` with `eval_loss`.
        target: where the picture goes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for key, label, style in (
        ("loss", "training", {"alpha": 0.6, "linewidth": 1}),
        ("eval_loss", "held-out", {"marker": "o"}),
    ):
        points = [(entry["step"], entry[key]) for entry in entries if key in entry]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, **style)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per token)")
    axes.grid(alpha=0.3)
    axes.legend()
    staging = staging_path(target)
    figure.savefig(staging, format="png", metadata={"Software": None})
    staging.replace(target)
