"""Errors a person can act on, and the exit codes they end in.

Every error that is the user's, the machine's or the numbers' is a :class:`LlmopsError`. Anything else that reaches
the boundary in :mod:`llmops_cli.app` is a bug of this program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Value = TypeVar("Value")

EXIT_OK = 0
EXIT_NUMBERS = 1
EXIT_INPUT = 2
EXIT_MACHINE = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where (`file:line`, a key, a path) and what to type next."""

    what: str
    where: str = ""
    hint: str = ""
    exit_code: int = EXIT_INPUT

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} -> {self.hint}" if self.hint else text


class LlmopsError(Exception):
    """Base of the errors that are shown as one line per problem, without a traceback."""

    exit_code = EXIT_BUG

    def __init__(self, what: str | Sequence[Problem], *, where: str = "", hint: str = "") -> None:
        if isinstance(what, str):
            what = [Problem(what, where, hint, self.exit_code)]
        self.problems = tuple(what)
        super().__init__("\n".join(map(str, self.problems)))


class GateFailed(LlmopsError):
    """The numbers said no: a gate failed, validation found errors, training diverged."""

    exit_code = EXIT_NUMBERS


class InputError(LlmopsError):
    """The input is wrong: configuration, arguments, data that cannot be read."""

    exit_code = EXIT_INPUT


class MachineError(LlmopsError):
    """The machine cannot: a missing extra, a model that is not here, no memory, no disk space, no permission."""

    exit_code = EXIT_MACHINE


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one error for all problems, or return when there are none. Wrong input outranks a lacking machine.

    Raises:
        InputError: when at least one problem is the input's.
        MachineError: when every problem is the machine's.
    """
    if not problems:
        return
    wrong_input = any(problem.exit_code == EXIT_INPUT for problem in problems)
    raise (InputError if wrong_input else MachineError)(problems)


class Collector:
    """Runs the parts of a plan and keeps what each one says is wrong, so that all of it is told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, part: Callable[..., Value], *arguments: Any, **options: Any) -> Value | None:
        """What `part` returns, or None when it raised an error that a person can act on."""
        try:
            return part(*arguments, **options)
        except LlmopsError as error:
            self.problems += error.problems
            return None
