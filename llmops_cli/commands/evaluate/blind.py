"""`llmops eval blind`."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.evaluate.texts import side_by_side
from llmops_cli.commands.options import Json
from llmops_cli.commands.show import number, show, show_pairs
from llmops_cli.core.console import ConsoleReporter, print_result, print_rich
from llmops_cli.core.errors import InputError
from llmops_cli.core.interrupt import Interrupted

if TYPE_CHECKING:
    from llmops_cli.evaluation.blind import Session, Standing

EXAMPLES = """Examples:

  llmops eval blind runs/before runs/after

  llmops eval blind before.jsonl after.jsonl --name reader-two --seed 2

  llmops data validate runs/blind-before-after/preferences.jsonl
"""

ASKED = "1 or 2: that one is better, =: as good, s: skip, q: stop"
KEYS = {key: key for key in "12=sq"} | {"S": "s", "Q": "q", "ㄴ": "s", "ㅂ": "q"}
"""By what comes from the keyboard, which may be set to Hangul."""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog=EXAMPLES)(blind)


def blind(
    a: Annotated[str, typer.Argument(metavar="A", help="A run of llmops eval, or JSON lines with prompt and output.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What it is judged against.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Folder in runs that keeps the choices; blind-A-B by default.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the order of pairs and sides.")] = 0,
    as_json: Json = False,
) -> None:
    """Judge pairs of answers without seeing whose they are.

    Every choice is kept at once, and a later call goes on where this one stopped; the choices become preference rows.
    Decide beforehand how many pairs you judge: who stops at the first p under 0.05 finds differences that are not
    there.
    """
    from llmops_cli.evaluation.blind import open_session

    with open_session(a, b, name, seed) as session:
        interrupted = False
        try:
            _judge(session)
        except KeyboardInterrupt:
            interrupted = True
        standing = session.finish()
        show(asdict(standing) | {"verdict": standing.verdict}, as_json, lambda: _show_standing(session, standing))
        if interrupted:
            kept, hint = "interrupted: every choice is kept", "the same command goes on from there"
            raise Interrupted(signal.SIGINT, kept, where=str(session.directory), hint=hint)


def _judge(session: Session) -> None:
    waiting = session.waiting()
    keys = _keys()
    for place, pair in waiting:
        shown = dict(zip("12", pair.shown, strict=True))
        print_rich(*side_by_side(f"{place} of {session.total}", pair.prompt, shown), stderr=True)
        ConsoleReporter().info(ASKED)
        key = next((KEYS[key] for key in keys if key in KEYS), None)
        if key is None and place == waiting[0][0]:
            hint = "run it in a terminal, or pipe keys into it"
            raise InputError("nobody is there to judge: no key came", where="stdin", hint=hint)
        if key is None or key == "q":
            return
        session.record(pair, pair.winner(int(key)) if key in "12" else "tie" if key == "=" else "skip")


def _keys() -> Iterator[str]:
    """Keys as they are pressed, or the characters of what is piped in."""
    if sys.stdin is not None and sys.stdin.isatty():
        with contextlib.suppress(EOFError):  # Ctrl-D
            while True:
                yield typer.getchar()
    for line in sys.stdin or ():
        yield from line


def _show_standing(session: Session, standing: Standing) -> None:
    judged = {
        f"{standing.a} better": number(standing.wins_a),
        f"{standing.b} better": number(standing.wins_b),
        "ties": number(standing.ties),
        "skipped": number(standing.skipped),
        "the same text in both, not shown": number(standing.identical),
        "left": number(standing.left),
    }
    show_pairs("judged blind", judged)
    print_result(standing.verdict)
    files = " and ".join(path.name for path in (session.choices, session.preferences) if path.is_file())
    print_result(f"{session.directory}: {files}")
