"""`data mask`: records -> the same without personal data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.files import atomic_writer
from llmops_cli.data.config import MaskConfig
from llmops_cli.data.records import Message, Record
from llmops_cli.data.rewrite import RewritePlan, RewriteResult, Rewriting, Rewritten, open_output, plan_rewrite, row_of
from llmops_cli.safety import personal_data

_COLUMNS = ("id", "where", "part", "kind", "start", "end", "rule", "checksum", "context")


def plan(config: MaskConfig) -> RewritePlan:
    """Find the input files and check the places of the output and the report.

    Raises:
        InputError: as :func:`plan_rewrite`.
    """
    report = [Path(config.report)] if config.report else []
    return plan_rewrite("data mask", config, [Path(config.output), *report])


def run(plan: RewritePlan, reporter: Reporter) -> RewriteResult:
    """Write the masked records; `changed` of the result counts values by kind. Metadata is masked too, ids are not.

    Raises:
        InputError: a setting does not fit the files, or there is not one record.
    """
    config: MaskConfig = plan.config
    rewriting = Rewriting(plan, reporter)
    with ExitStack() as stack:
        output = stack.enter_context(open_output(plan.outputs[0]))
        report = csv.writer(stack.enter_context(atomic_writer(Path(config.report)))) if config.report else None
        if report:
            report.writerow(_COLUMNS)
        for rows, found in rewriting.rows(partial(_masked, config.style, config.seed)):
            output.write(rows)
            if report:
                report.writerows(found)
        rewriting.check(output.count)
    reporter.info(personal_data.NOT_COVERED)
    return rewriting.finish([(plan.outputs[0], output.count)])


def _masked(style: Any, seed: int, records: Iterator[Record]) -> Rewritten:
    result = Rewritten(evidence=[])
    for record in records:

        def mask(part: str, text: str, record: Record = record) -> str:
            masked, found = personal_data.mask(text, style, seed)
            for one in found:
                result.changed[one.kind] += 1
                where = (record.id, record.where, part, one.kind, one.start, one.end)
                result.evidence.append((*where, one.rule, one.checksum, one.context))
            return masked

        result.rows.append(row_of(_changed(record, mask)))
    return result


def _changed(record: Record, change: Callable[[str, str], str]) -> Record:
    """The record with `change(part, text)` in place of every text of it, those of the metadata included."""
    messages = (
        Message(role, change(f"messages[{index}]", content)) for index, (role, content) in enumerate(record.messages)
    )
    return record._replace(
        messages=tuple(messages),
        text=None if record.text is None else change("text", record.text),
        chosen=None if record.chosen is None else change("chosen", record.chosen),
        rejected=None if record.rejected is None else change("rejected", record.rejected),
        metadata=_inside(dict(record.metadata), "metadata", change),
    )


def _inside(value: Any, part: str, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(part, value)
    if isinstance(value, dict):
        return {key: _inside(item, f"{part}.{key}", change) for key, item in value.items()}
    if isinstance(value, list):
        return [_inside(item, f"{part}[{index}]", change) for index, item in enumerate(value)]
    return value
