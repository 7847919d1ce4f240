"""`data dedup`: records -> the same without copies and near-copies."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import orjson

from llmops_cli.core.console import Reporter
from llmops_cli.core.files import atomic_writer
from llmops_cli.data.config import DedupConfig
from llmops_cli.data.near_duplicates import NearDuplicates, Signatures, signatures_of
from llmops_cli.data.records import Record
from llmops_cli.data.rewrite import RewritePlan, RewriteResult, Rewriting, Rewritten, open_output, plan_rewrite, row_of
from llmops_cli.data.spool import Spool
from llmops_cli.text.minhash import bands_for

_AT_ONCE = 1_000  # rows


def plan(config: DedupConfig) -> RewritePlan:
    """Find the input files and check the places of the output and the report.

    Raises:
        InputError: as :func:`plan_rewrite`.
    """
    report = [Path(config.report)] if config.report else []
    return plan_rewrite("data dedup", config, [Path(config.output), *report])


def run(plan: RewritePlan, reporter: Reporter) -> RewriteResult:
    """Write one record of each cluster, and all that are in none, in the order they were read.

    Raises:
        InputError: a setting does not fit the files, or there is not one record.
    """
    config: DedupConfig = plan.config
    rewriting = Rewriting(plan, reporter)
    near, rows, lengths = NearDuplicates(config.threshold), Spool(), array("L")
    for piece, (signatures, sizes) in rewriting.rows(partial(_signed, bands_for(config.threshold))):
        near.add(signatures)
        rows.extend(data.decode() for _, data in piece)
        lengths.extend(sizes)
    clusters = [_kept_first(members, lengths if config.keep == "longest" else None) for members in near.clusters()]
    dropped = {number for _, *others in clusters for number in others}
    rewriting.dropped += _reasons(clusters, rows)
    with open_output(plan.outputs[0]) as output:
        for start in range(0, len(rows), _AT_ONCE):
            kept = [number for number in range(start, min(start + _AT_ONCE, len(rows))) if number not in dropped]
            output.write([("", row.encode()) for row in rows.read(kept)])
        rewriting.check(output.count)
    if config.report:
        _write_clusters(Path(config.report), clusters, rows)
    return rewriting.finish([(plan.outputs[0], output.count)])


def _signed(bands: int, records: Iterator[Record]) -> Rewritten:
    batch = list(records)
    signatures: Signatures = signatures_of(batch, bands)
    return Rewritten(
        [row_of(record) for record in batch], evidence=(signatures, [len(text) for text in signatures.texts])
    )


def _kept_first(members: Sequence[int], lengths: Sequence[int] | None) -> list[int]:
    """The members of a cluster, the one that stays before the others."""
    kept = members[0] if lengths is None else max(members, key=lambda number: (lengths[number], -number))
    return [kept, *(number for number in members if number != kept)]


def _reasons(clusters: Sequence[Sequence[int]], rows: Spool) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for cluster in clusters:
        kept, *others = (_content(row) for row in rows.read(cluster))
        reasons.update("copy" if other == kept else "near-copy" for other in others)
    return reasons


def _content(row: str) -> object:
    stored = orjson.loads(row)
    return [stored.get(key) for key in ("messages", "text", "chosen", "rejected")]


def _write_clusters(path: Path, clusters: Sequence[Sequence[int]], rows: Spool) -> None:
    with atomic_writer(path) as stream:
        for cluster in clusters:
            kept, *others = (orjson.loads(row)["id"] for row in rows.read(cluster))
            stream.write(json.dumps({"kept": kept, "dropped": others}, ensure_ascii=False) + "\n")
