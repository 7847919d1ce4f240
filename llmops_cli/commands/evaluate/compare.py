"""`llmops eval compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.evaluate.texts import side_by_side
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import counted, number, show
from llmops_cli.core.console import print_result, print_rich, print_table

if TYPE_CHECKING:
    from llmops_cli.evaluation.comparison import Comparison, MetricComparison

EXAMPLES = """Examples:

  llmops eval compare runs/before runs/after

  llmops eval compare before.json runs/after --worst 10

  llmops eval compare runs/before runs/after --json
"""

_NAMED = 5


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(compare)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A run of llmops eval, or a file that its --json printed.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What is compared with A.")],
    worst: Annotated[
        int, typer.Option("--worst", metavar="N", min=0, help="Show the N items where B is worst beside A.")
    ] = 3,
    as_json: Json = False,
) -> None:
    """Compare two evaluations item by item.

    Of each metric: on how many items B is better than A, and by how much; both with 95 % intervals.
    """
    from llmops_cli.evaluation import comparison as job

    compared = job.compare(a, b)
    show(compared.to_json(), as_json, lambda: _show_comparison(compared, worst))


def _show_comparison(compared: Comparison, worst: int) -> None:
    for suite in dict.fromkeys(each.suite for each in compared.metrics):
        metrics = [each for each in compared.metrics if each.suite == suite]
        print_table(suite, ["metric", "items", "A", "B", "B - A", "95 % interval"], [_scores(each) for each in metrics])
        if wins := [_wins(each) for each in metrics if each.better]:
            header = ["metric", "won", "tied", "lost", "rate", "95 % interval"]
            print_table(f"{suite}: items where B is better", header, wins)
    print_result(f"A is {compared.a}, B is {compared.b}; a tie counts half in the rate of wins")
    for name, only in ((compared.a, compared.only_a), (compared.b, compared.only_b)):
        for suite, ids in only.items():
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            print_result(f"only in {name}: {counted(len(ids), 'item')} of {suite}: {', '.join(ids[:_NAMED])}{more}")
    for note in compared.notes:
        print_result(note)
    _show_worst(compared, worst)


def _scores(each: MetricComparison) -> list[str]:
    from llmops_cli.reporting.scores import figure, interval_text, signed

    difference = [signed(each.difference), interval_text(each.difference_interval)]
    return [_name(each), number(each.items), figure(each.a), figure(each.b), *difference]


def _wins(each: MetricComparison) -> list[str]:
    from llmops_cli.reporting.scores import figure, interval_text

    rate = [figure(each.win_rate), interval_text(each.win_rate_interval)]
    return [_name(each), number(each.wins), number(each.ties), number(each.losses), *rate]


def _name(each: MetricComparison) -> str:
    from llmops_cli.reporting.scores import ARROWS

    return f"{each.metric} {ARROWS[each.better]}".rstrip()


def _show_worst(compared: Comparison, worst: int) -> None:
    from llmops_cli.evaluation.comparison import texts_of
    from llmops_cli.reporting.scores import figure

    items = [item for item in sorted(compared.items, key=lambda item: item.change) if item.change < 0][:worst]
    texts = texts_of(compared, [(item.suite, item.id) for item in items])
    for item in items:
        both = {metric: (item.a[metric], item.b.get(metric)) for metric in item.a}
        changed = [f"{name} {figure(a)} → {figure(b)}" for name, (a, b) in both.items() if a != b]
        found = texts[item.suite, item.id]
        named = {f"A {compared.a}": found.a, f"B {compared.b}": found.b}
        answers = {name: text for name, text in named.items() if text is not None}
        print_rich(*side_by_side(f"{item.suite} {item.id}", found.prompt, answers))
        print_result(", ".join(changed))
