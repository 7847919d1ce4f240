"""A command that has subcommands beside a positional: `llmops eval CONFIG`, `llmops eval score FILE`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from llmops_cli.core.plugins import suggestion


class PositionalGroup(TyperGroup):
    """A group whose first word is a subcommand where it names one, and else the positional of the group's own command.

    A file that has the name of a subcommand is written with its folder: `./score`.
    """

    allow_extra_args = False
    allow_interspersed_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first in self.commands:
            ctx.args = args
            return args
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            if near := suggestion(first, list(self.commands)):
                error.message = f"{error.message.rstrip('.')}; {near}"
            raise

    def invoke(self, ctx: Any) -> Any:
        if not ctx.args:
            return super().invoke(ctx)
        name, *rest = ctx.args
        command = self.commands[name]
        # beside this context, not below it: one below would have our positional in its usage line
        with command.make_context(f"{ctx.info_name} {name}", rest, parent=ctx.parent) as inner:
            return command.invoke(inner)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        *own, subcommand = self.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(own))
        formatter.write_usage(ctx.command_path, subcommand, prefix="       ")


def positional_group(command: Callable[..., None], epilog: str) -> typer.Typer:
    """A Typer group that runs `command` where no subcommand is named, and has its help text."""
    group = typer.Typer(cls=PositionalGroup, rich_markup_mode=None)
    group.callback(invoke_without_command=True, epilog=epilog)(command)
    return group
