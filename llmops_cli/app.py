"""The command line: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import errno
import io
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
from llmops_cli.commands import (
    chat,
    config,
    data,
    doctor,
    evaluate,
    generate,
    init,
    model,
    prompts,
    quantize,
    recipe,
    train,
)
from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.errors import (
    EXIT_BUG,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_MACHINE,
    EXIT_OK,
    EXIT_TERMINATED,
    LlmopsError,
    Problem,
)

EPILOG = """Examples:

  llmops init story && cd story && llmops run recipes/quickstart.yaml

  llmops train configs/tiny.yaml --name first
"""

app = typer.Typer(
    name="llmops",
    help="The life of a small Korean language model on one machine: data, training, evaluation, chat.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for module in (init, doctor, config, data, train, evaluate, quantize, generate, chat, prompts, model, recipe):
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
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _report(error)
    except SystemExit as end:
        if end.code != 1:
            raise
        return _report(BrokenPipeError())  # the only reason for which Typer ends the program itself
    except KeyboardInterrupt:
        result = EXIT_INTERRUPTED
    if result == EXIT_INTERRUPTED:  # Typer makes this of Ctrl-C
        print("\ninterrupted", file=sys.stderr)
    return result if isinstance(result, int) else EXIT_OK


def _report(error: Exception) -> int:
    if isinstance(error, LlmopsError):
        _say(error.problems)
        return error.exit_code
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error, file=sys.stderr)
        return EXIT_INPUT
    if isinstance(error, TyperException):
        command = getattr(getattr(error, "ctx", None), "command_path", "llmops")
        _say([Problem(error.format_message(), hint=f"{command} --help")])
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # the reader of our output is gone; without this Python complains once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    problem = _machine_problem(error) or _name_problem(error)
    if problem is not None:
        _say([problem])
        return problem.exit_code
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
        what, hint = "no space left on the disk; what was whole before still is", "free space and run it again"
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        what, hint = "no permission to write or read here", "choose another folder, or change its permissions"
    elif isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        what, hint = "out of memory", "--set train.pack_length=512, or close other programs"
    elif isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "llmops_cli":
        what, hint = f"the library {error.name.partition('.')[0]} is missing", "llmops doctor tells what to install"
    else:
        return None
    return Problem(what, where, hint, EXIT_MACHINE)


def _name_problem(error: Exception) -> Problem | None:
    """The problem of a path or word of the user's that is of the wrong kind."""
    wrong = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)
    if isinstance(error, OSError) and error.errno in wrong and error.filename is not None:
        return Problem(f"cannot be used: {os.strerror(error.errno).lower()}", str(error.filename))
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        word = ascii(error.object[max(0, error.start - 40) : error.end + 40])
        return Problem(f"a file name or an argument that is not UTF-8: {word}", hint="rename it")
    return None


def _say(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)


def _terminate(number: int, frame: FrameType | None) -> Any:
    raise SystemExit(EXIT_TERMINATED)


def run() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8
    sys.exit(main())
