"""What the commands that write records share: their options, and how their result looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.show import number, show, show_pairs

if TYPE_CHECKING:
    from llmops_cli.data.rewrite import RewriteResult

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Files, folders or patterns, in any supported format.")
]
OutputFile = Annotated[
    str, typer.Option("-o", "--output", help="File to write: .jsonl, .parquet or .avro; a manifest appears beside it.")
]


def show_rewritten(title: str, result: RewriteResult, as_json: bool) -> None:
    """Print what a job has read, written and left out."""
    changed = {f"changed ({reason})": number(count) for reason, count in result.changed.items()}
    dropped = {f"dropped ({reason})": number(count) for reason, count in result.dropped.items()}
    written = {file.path: f"{number(file.records)} records" for file in result.outputs}
    pairs = {
        "files read": number(len(result.inputs)),
        "formats": ", ".join(f"{name} {number(count)}" for name, count in sorted(result.formats.items())),
        "records read": number(result.records),
        **changed,
        **(dropped or {"dropped": "0"}),
        **written,
        "manifest": ", ".join(str(path) for path in result.manifests),
    }
    show(result.to_json(), as_json, lambda: show_pairs(title, pairs))
