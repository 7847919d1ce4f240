"""`llmops chat`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from llmops_cli.commands.options import Json, Set
from llmops_cli.core.console import ConsoleReporter, print_json, print_piece, print_result
from llmops_cli.core.errors import InputError

EXAMPLES = """Examples:

  llmops chat --once '오늘 뭐 먹지?'

  llmops chat runs/quickstart --once '제목: 겨울 바다' --set generation.temperature=0.7

  echo '안녕?' | llmops chat builtin:tiny-ko --once -
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(chat)


def chat(
    model: Annotated[
        str | None, typer.Argument(help="Run, folder, hub name or builtin; by default the newest run here.")
    ] = None,
    once: Annotated[
        str | None, typer.Option("--once", metavar="TEXT", help="Ask this and stop; - reads it from stdin.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Ask a model; the answer streams to stdout."""
    if once is None:
        raise InputError("want a question", where="--once", hint="llmops chat --once '안녕?'")
    from llmops_cli.chat import once as job
    from llmops_cli.chat.config import ChatConfig
    from llmops_cli.config.layers import resolve

    reporter = ConsoleReporter()
    if model is None:
        model = job.newest_model()
        reporter.info(f"model: {model}")
    prompt = _stdin() if once == "-" else once
    config = resolve(ChatConfig, None, overrides or [], values={"model": model, "prompt": prompt}).config
    plan = job.plan(config)
    if as_json:
        print_json(asdict(job.run(plan, reporter)))
    else:
        job.run(plan, reporter, on_text=print_piece)
        print_result("")


def _stdin() -> str:
    try:
        return sys.stdin.read().strip()
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 (byte {error.start})", where="stdin") from None
