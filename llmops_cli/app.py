"""The command line: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from llmops_cli import __version__
from llmops_cli.commands import chat, config, data, doctor, evaluate, generate, init, recipe, train
from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_MACHINE,
    EXIT_OK,
    EXIT_TERMINATED,
    LlmopsError,
    Problem,
)

EPILOG = (
    "Examples: llmops init story && cd story && llmops run recipes/quickstart.yaml | llmops train configs/tiny.yaml"
)

app = typer.Typer(
    name="llmops",
    help="The life of a small Korean language model on one machine: data, training, evaluation, chat.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for module in (init, doctor, config, data, train, evaluate, generate, chat, recipe):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"llmops {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """See `app` for the help text; `main` reads --debug before Typer does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every error ends here, as lines on stderr."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    quiet_libraries()
    try:
        result = app([word for word in arguments if word != "--debug"], prog_name="llmops", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else EXIT_OK
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _report(error)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _report(error: Exception) -> int:
    if isinstance(error, LlmopsError):
        _say(error.problems)
        return error.exit_code
    if isinstance(error, TyperException):
        command = getattr(getattr(error, "ctx", None), "command_path", "llmops")
        _say([Problem(error.format_message(), hint=f"{command} --help")])
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # the reader of our output is gone; without this Python complains once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    problem = _machine_problem(error)
    if problem is not None:
        _say([problem])
        return EXIT_MACHINE
    detail = str(error).splitlines()[0] if str(error) else ""
    _say(
        [
            Problem(
                f"a bug in llmops: {type(error).__name__}: {detail}",
                hint="the same command with --debug shows where",
            )
        ]
    )
    return EXIT_BUG


def _machine_problem(error: Exception) -> Problem | None:
    """The problem behind an error of the system, of torch or of safetensors, or None when it is a bug."""
    where = str(getattr(error, "filename", None) or "")
    code = getattr(error, "errno", None)
    text = str(error)
    if code in (errno.ENOSPC, errno.EDQUOT) or "os error 28" in text or "No space left" in text:
        return Problem(
            "no space left on the disk; what was whole before still is", where, "free space and run it again"
        )
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Problem("no permission to write or read here", where, "choose another folder, or change its permissions")
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return Problem("out of memory", where, "--set train.pack_length=512, or close other programs")
    return None


def _say(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)


def _terminate(number: int, frame: FrameType | None) -> Any:
    raise SystemExit(EXIT_TERMINATED)


def run() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
