"""`llmops data stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.commands.data.rewriting import Paths
from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.show import number, show, show_pairs
from llmops_cli.core.console import ConsoleReporter, print_table

if TYPE_CHECKING:
    from llmops_cli.data.stats import StatsResult, Summary

EXAMPLES = """Examples:

  llmops data stats build/train.jsonl

  llmops data stats build/train.jsonl --model builtin:tiny-ko

  llmops data stats data/train data/heldout --json
"""

_BAR = 40
"""Characters of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(stats)


def stats(
    paths: Paths,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Count tokens of this model in a sample.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Count records, turns and characters, by source and by length."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.data import stats as job
    from llmops_cli.data.config import StatsConfig
    from llmops_cli.pipeline.validating import measure_of

    values: dict[str, Any] = {"input": paths} | ({"model": model} if model else {})
    config = resolve(StatsConfig, None, overrides or [], values=values).config
    result = job.run(job.plan(config, measure_of(config.model) if config.model else None), ConsoleReporter())
    show(result.to_json(), as_json, lambda: _show_stats(result))


def _show_stats(result: StatsResult) -> None:
    from llmops_cli.reporting.histogram import length_histogram

    rows = {
        "files": number(result.files),
        "rows by format": ", ".join(f"{name} {number(count)}" for name, count in result.formats.items()),
        "rows that cannot be read": number(result.unreadable),
    }
    if result.tokens:
        sample = f"{number(result.tokens.tokens)} in a sample of {number(result.tokens.records)} records"
        rows["tokens"] = f"about {number(result.all_tokens)}: {sample}"
    show_pairs("data", rows)
    parts = [*(result.strata.items() if len(result.strata) > 1 else ()), ("together", result.all)]
    sizes = [[name, *map(number, (part.records, part.turns, part.characters, part.solid))] for name, part in parts]
    print_table("records", ["source", "records", "turns", "characters", "without spaces"], sizes)
    header = ["source", "shortest", "median", "p95", "longest", "Hangul %", "system %"]
    print_table("characters of a record, Hangul letters, system messages", header, [_shape(*part) for part in parts])
    bars = length_histogram(result.histogram).bars
    most = max(bar.count for bar in bars)
    lengths = [[f"{bar.low:,} – {bar.high - 1:,}", number(bar.count), _drawn(bar.count / most)] for bar in bars]
    print_table("records by characters", ["characters", "records", ""], lengths)


def _shape(name: str, part: Summary) -> list[str]:
    lengths = [min(part.lengths), part.percentile(50), part.percentile(95), max(part.lengths)]
    return [name, *map(number, lengths), *(f"{100 * share:.1f}" for share in (part.hangul_share, part.system_share))]


def _drawn(share: float) -> str:
    """A bar of `share` of the full width, in eighths of a character."""
    whole, eighth = divmod(round(8 * _BAR * share), 8)
    return "█" * whole + _EIGHTHS[eighth].strip()
