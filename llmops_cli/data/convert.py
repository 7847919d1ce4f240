"""`data convert`: raw files of any known format -> one file of records and its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.plugins import load_plugins, suggestion
from llmops_cli.data import checks
from llmops_cli.data.checks import structure
from llmops_cli.data.config import ConvertConfig
from llmops_cli.data.records import Record
from llmops_cli.data.rewrite import RewritePlan, RewriteResult, Rewriting, Rewritten, open_output, plan_rewrite, row_of

_ALL = "all"


def plan(config: ConvertConfig) -> RewritePlan:
    """Find the input files and check the place of the output.

    Raises:
        InputError: inputs that are not there, an output that is an input or no file, a check without a repair.
    """
    known = _repairs()
    for name in config.fix:
        if name != _ALL and name not in known:
            hint = suggestion(name, list(known)) or f"there are {', '.join(known)}"
            raise InputError(f"no repair for {name!r}", where="fix", hint=hint)
    return plan_rewrite("data convert", config, [Path(config.output)])


def run(plan: RewritePlan, reporter: Reporter) -> RewriteResult:
    """Read, write and describe. The output and its manifest appear whole or not at all.

    A row that cannot be read, or whose turns are in no order that can be trained on, is dropped and counted.

    Raises:
        InputError: a setting does not fit the files, or not one record can be written.
    """
    config: ConvertConfig = plan.config
    names = tuple(_repairs()) if _ALL in config.fix else tuple(config.fix)
    rewriting = Rewriting(plan, reporter)
    with open_output(plan.outputs[0]) as output:
        for rows, _ in rewriting.rows(partial(_converted, names)):
            output.write(rows if config.limit is None else rows[: config.limit - output.count])
            if output.count == config.limit:
                break
        rewriting.check(output.count)
    return rewriting.finish([(plan.outputs[0], output.count)])


def _converted(fixes: tuple[str, ...], records: Iterator[Record]) -> Rewritten:
    result = Rewritten()
    for record in records:
        for name in fixes:
            fixed = record.with_contents(_repairs()[name])
            if fixed != record:
                result.changed[name] += 1
                record = fixed
        if fault := next(structure.faults(record), None):
            result.drop(fault.partition(" in message")[0], Problem(fault, record.where))
        else:
            result.rows.append(row_of(record))
    return result


@cache
def _repairs() -> Mapping[str, Callable[[str], str]]:
    """How the findings of a check are mended, by the name of the check."""
    modules = load_plugins(checks).values()
    return {module.ID: module.repair for module in modules if hasattr(module, "repair")}
