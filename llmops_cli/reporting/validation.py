"""The HTML report of a validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops_cli import __version__
from llmops_cli.core.files import write_text
from llmops_cli.reporting.histogram import length_histogram
from llmops_cli.reporting.page import render_page

TEMPLATE = "validation.html"
FINDINGS_SHOWN = 25
"""Of each check."""
FILES_OPEN, FILES_SHOWN = 20, 500
"""Files up to which the table is open, and up to which it is whole."""


def write_validation(report: Mapping[str, Any], target: Path) -> None:
    """Write a page that needs no other file and no network; the same report gives the same bytes.

    Args:
        report: what `ValidateResult.to_json()` gives.
        target: where the page goes; it appears whole.
    """
    found = sorted(
        ((name, check) for name, check in report["checks"].items() if check["count"]),
        key=lambda each: (each[1]["severity"] != "error", -each[1]["count"]),
    )
    examples: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for finding in report["findings"]:
        if len(examples[finding["check"]]) < FINDINGS_SHOWN:
            examples[finding["check"]].append(finding)
    limit = report["parameters"].get("length", {}).get("max_length")
    page = render_page(
        TEMPLATE,
        report=report,
        found=found,
        silent=[(name, check) for name, check in report["checks"].items() if not check["count"]],
        examples=examples,
        histograms={
            unit: length_histogram(counts, limit if unit == "tokens" else None)
            for unit, counts in report["lengths"].items()
        },
        files_open=FILES_OPEN,
        files_shown=FILES_SHOWN,
        version=__version__,
    )
    write_text(target, page)
