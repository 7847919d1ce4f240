"""An evaluation as JUnit XML, as Markdown for a pull request, and as a page.

All three are made of the plain JSON of a report; the same report gives the same bytes, so the clock is in none of them.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from llmops_cli import __version__
from llmops_cli.reporting.intervals import interval_picture
from llmops_cli.reporting.marks import pieces
from llmops_cli.reporting.page import render_page
from llmops_cli.reporting.scores import (
    ARROWS,
    ScoreRow,
    beside_table,
    decisions,
    figure,
    headline,
    interval_text,
    score_rows,
    signed,
)

TEMPLATE = "evaluation.html"
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can hold in no way (https://www.w3.org/TR/xml/#charsets)."""
HEADER = ("metric", "", "value", "95 % interval", "baseline", "difference", "verdict")


def junit(report: Mapping[str, Any]) -> str:
    """JUnit XML: a test suite for each suite with its scores as properties, and a test case for each limit.

    A limit that could not be decided is skipped where the gate passes so, and else a failure.

    Args:
        report: what `Report.to_json()` gives.
    """
    found = decisions(report)
    strict = report["gate"] is not None and report["gate"]["undecided"] == "fail"
    failing = ("failed", "undecided") if strict else ("failed",)
    root = ElementTree.Element("testsuites", {"name": "llmops eval"} | _counts(found, failing))
    names = [*report["suites"], *sorted({each["suite"] for each in found} - set(report["suites"]))]
    for suite in names:
        mine = [each for each in found if each["suite"] == suite]
        node = ElementTree.SubElement(root, "testsuite", {"name": _xml(suite)} | _counts(mine, failing))
        summary = report["suites"].get(suite, {"summary": {}})["summary"]
        if summary:
            properties = ElementTree.SubElement(node, "properties")
            for metric, value in summary.items():
                ElementTree.SubElement(properties, "property", name=_xml(metric), value=str(value))
        for each in mine:
            name = f"{each['metric']} {each['limit']}".rstrip()
            case = ElementTree.SubElement(node, "testcase", classname=_xml(suite), name=_xml(name))
            if each["verdict"] in failing:
                failure = ElementTree.SubElement(case, "failure", message=_xml(each["why"]), type=each["verdict"])
                failure.text = _xml(each["why"])
            elif each["verdict"] == "undecided":
                ElementTree.SubElement(case, "skipped", message=_xml(each["why"]))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _counts(found: Sequence[Mapping[str, Any]], failing: tuple[str, ...]) -> dict[str, str]:
    failures = sum(each["verdict"] in failing for each in found)
    skipped = sum(each["verdict"] == "undecided" for each in found) if "undecided" not in failing else 0
    return {"tests": str(len(found)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}


def _xml(text: str) -> str:
    return NOT_IN_XML.sub("\ufffd", text)


def markdown(report: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> str:
    """A summary for a pull request: the verdict, what the gate decided, and every score, folded.

    Args:
        report: what `Report.to_json()` gives, and so is `baseline`.
    """
    against = f" against {_code(baseline['model'])}" if baseline else ""
    parts = [f"## Evaluation {_cell(headline(report))}", f"{_code(report['model'])}{against}"]
    rows = score_rows(report, baseline)
    decided = [[_cell(suite), *_cells(row)] for suite, each in rows.items() for row in each if row.verdict]
    if decided:
        parts.append(_table(("suite", *HEADER), decided))
    reasons = [
        f"- **{each['verdict']}** {_cell(each['suite'])}: {_cell(each['why'])}"
        for each in decisions(report)
        if each["verdict"] != "passed"
    ]
    notes = [f"- {_cell(note)}" for note in (report["gate"] or {"notes": []})["notes"]]
    parts += ["\n".join(lines) for lines in (reasons, notes) if lines]
    parts += [
        _folded(
            f"{suite}, {len(report['suites'][suite]['items'])} items", _table(HEADER, [_cells(row) for row in each])
        )
        for suite, each in rows.items()
    ]
    header, beside = beside_table(report)
    if beside:
        cells = [[_cell(name), *figures] for name, *figures in beside]
        parts.append(_folded("held-out text, beside others", _table([_cell(name) for name in header], cells)))
    parts.append(
        f"<sub>engine {_cell(report['engine'])} · model {report['fingerprint'][:12]} · llmops {__version__}</sub>"
    )
    return "\n\n".join(parts) + "\n"


def _cells(row: ScoreRow) -> list[str]:
    change = f" {row.change}" if row.change else ""
    verdict = f"**{row.verdict}**" if row.verdict == "failed" else row.verdict
    numbers = (figure(row.value), interval_text(row.interval), figure(row.baseline), signed(row.difference) + change)
    return [_code(row.metric), ARROWS[row.better], *numbers, verdict]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(title: str, body: str) -> str:
    return f"<details>\n<summary>{entities.escape(_line(title))}</summary>\n\n{body}\n\n</details>"


def _line(text: str) -> str:
    """The text in one line of characters that are shown."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _cell(text: str) -> str:
    """Text that means itself, in a cell of a table too: nothing in it is markup."""
    text = re.sub(r"([\\`*~|]|\](?=\())", r"\\\1", _line(text))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # one inside a word is no emphasis
    return entities.escape(text, quote=False)


def _code(text: str) -> str:
    """A code span that can stand in a cell; a backtick cannot be escaped in one."""
    line = _line(text)
    return _cell(text) if "`" in line or not line else f"`{line}`".replace("|", r"\|")


def html(report: Mapping[str, Any], baseline: Mapping[str, Any] | None, worst: Sequence[Mapping[str, Any]]) -> str:
    """A page that needs no other file and no network.

    Args:
        report: what `Report.to_json()` gives, and so is `baseline`.
        worst: what `evaluation.worst.worst_items` gives.
    """
    page = render_page(
        TEMPLATE,
        report=report,
        baseline=baseline,
        worst=worst,
        headline=headline(report),
        decisions=decisions(report),
        rows=score_rows(report, baseline),
        items=sum(len(scores["items"]) for scores in report["suites"].values()),
        beside=beside_table(report),
        version=__version__,
        arrows=ARROWS,
        figure=figure,
        interval=interval_text,
        signed=signed,
        picture=interval_picture,
        pieces=pieces,
    )
    return _xml(page)  # a control character that a model wrote
