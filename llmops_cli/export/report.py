"""What a quantization came to, as a table and in a file beside the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.files import write_json, write_text


@dataclass(frozen=True)
class Row:
    """One model. KL divergences are in nats per token: KL(original || model), and as `effect` KL(model || bare base).

    `bytes` are those of the weight files; a model restored for the comparison alone has no time to load and no speed.
    """

    name: str
    engine: str
    bytes: int
    load_seconds: float | None
    tokens_per_second: float | None
    perplexity: float
    kl_mean: float
    kl_p99: float
    top1_agreement: float
    effect: float | None


@dataclass(frozen=True)
class QuantizeResult:
    """An export beside its original, on how much text, and what was wrong with it."""

    model: str
    to: str
    output: str
    contract: str
    records: int
    tokens: int
    rows: list[Row]
    limits: dict[str, float]
    notes: list[str]
    problems: list[str]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @property
    def title(self) -> str:
        """What is compared."""
        return f"{self.model} as {self.to}, on {self.records} held-out records, {self.tokens:,} tokens"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and lines: a column for each model, a line for each measure."""
        lines = [
            ["engine", *(row.engine for row in self.rows)],
            ["size (MB)", *(_text(row.bytes / 1e6, 1) for row in self.rows)],
            ["load (s)", *(_text(row.load_seconds, 2) for row in self.rows)],
            ["tokens/s", *(_text(row.tokens_per_second, 1) for row in self.rows)],
            ["perplexity", *(_text(row.perplexity, 2) for row in self.rows)],
            ["KL from the original, mean", *(_text(row.kl_mean, 5) for row in self.rows)],
            ["KL from the original, p99", *(_text(row.kl_p99, 4) for row in self.rows)],
            ["top-1 as the original", *(_text(row.top1_agreement, 4) for row in self.rows)],
            ["KL from the bare base, mean", *(_text(row.effect, 5) for row in self.rows)],
        ]
        return ["", *(row.name for row in self.rows)], lines if self.rows[0].effect is not None else lines[:-1]


def _text(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def report_paths(output: Path) -> tuple[Path, Path]:
    """Where the report of an export goes, as JSON and as Markdown: beside its folder, which a refused one has not."""
    return output.with_name(f"{output.name}.report.json"), output.with_name(f"{output.name}.report.md")


def write_report(result: QuantizeResult, output: Path) -> None:
    """Write the report of an export."""
    as_json, as_markdown = report_paths(output)
    write_json(as_json, result.to_json())
    header, lines = result.table()
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *lines])
    verdict = [f"- refused: {problem}" for problem in result.problems] or ["- accepted"]
    said = "\n".join([*verdict, *(f"- {note}" for note in result.notes)])
    write_text(as_markdown, f"# {result.title}\n\n{table}\n\nKL divergence in nats per token.\n\n{said}\n")
