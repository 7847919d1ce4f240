"""`data merge`: several data files -> one, in the order they are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmops_cli.core.console import Reporter
from llmops_cli.data.config import MergeConfig
from llmops_cli.data.records import Record
from llmops_cli.data.rewrite import RewritePlan, RewriteResult, Rewriting, Rewritten, open_output, plan_rewrite, row_of


def plan(config: MergeConfig) -> RewritePlan:
    """Find the input files and check the place of the output. Raises InputError as :func:`plan_rewrite`."""
    return plan_rewrite("data merge", config, [Path(config.output)])


def run(plan: RewritePlan, reporter: Reporter) -> RewriteResult:
    """Write all records; an id that was there before gets a number.

    Raises:
        InputError: a setting does not fit the files, or there is not one record.
    """
    rewriting = Rewriting(plan, reporter)
    with open_output(plan.outputs[0]) as output:
        for rows, _ in rewriting.rows(_unchanged):
            output.write(rows)
        rewriting.check(output.count)
    return rewriting.finish([(plan.outputs[0], output.count)])


def _unchanged(records: Iterator[Record]) -> Rewritten:
    return Rewritten([row_of(record) for record in records])
