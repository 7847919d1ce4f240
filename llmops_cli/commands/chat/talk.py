"""`llmops chat`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmops_cli.chat.messages import Words
from llmops_cli.chat.terminal.commands import table
from llmops_cli.commands.options import Json, Set
from llmops_cli.commands.stdin import read_stdin
from llmops_cli.core.console import ConsoleReporter, print_json, print_piece, print_result
from llmops_cli.core.errors import InputError
from llmops_cli.core.language import language

if TYPE_CHECKING:
    from llmops_cli.chat.config import ChatConfig

EXAMPLES = """Examples:

  llmops chat

  llmops chat runs/quickstart --system 'build/setting.md' --title '겨울 바다'

  llmops chat --continue

  llmops chat --once '오늘 뭐 먹지?' --set generation.temperature=0.7

  echo '안녕?' | llmops chat builtin:tiny-ko --once -

In a conversation:

\b
"""
EPILOG = EXAMPLES + "\n".join(f"  {usage:<32}  {text}" for usage, text in table(Words(language())))


def talk(
    model: Annotated[
        str | None, typer.Argument(help="Run, folder, hub name or builtin; by default the newest run here.")
    ] = None,
    resume: Annotated[
        int | None, typer.Option("--resume", metavar="ID", help="Go on with this conversation of llmops chat list.")
    ] = None,
    newest: Annotated[bool, typer.Option("--continue", help="Go on with the newest conversation.")] = False,
    title: Annotated[str | None, typer.Option("--title", help="Title of the conversation.")] = None,
    system: Annotated[
        str | None, typer.Option("--system", metavar="TEXT|FILE", help="System prompt, or the file that holds it.")
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="Prompt template of llmops prompts list.")
    ] = None,
    variables: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Value of one of the template's variables.")
    ] = None,
    once: Annotated[
        str | None, typer.Option("--once", metavar="TEXT", help="Ask this and stop; - reads it from stdin.")
    ] = None,
    overrides: Set = None,
    as_json: Json = False,
) -> None:
    """Write with a model in a conversation that is kept, or ask once: then the answer streams to stdout."""
    from llmops_cli.chat.config import ChatConfig
    from llmops_cli.config.layers import resolve

    values: dict[str, Any] = {"model": model, "system": system, "template": template, "values": _values(variables)}
    if once is not None:
        if resume is not None or newest or title is not None:
            raise InputError("keeps no conversation", where="--once", hint="leave out --resume, --continue and --title")
        values["prompt"] = once
    elif as_json:
        raise InputError("want one question", where="--json", hint="llmops chat --json --once '안녕?'")
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "echo '안녕?' | llmops chat --once -"
        raise InputError("want a question, for there is no terminal here", where="--once", hint=hint)
    elif resume is not None and newest:
        raise InputError("want one of --resume and --continue", where="--resume")
    given = {key: value for key, value in values.items() if value is not None}
    config = resolve(ChatConfig, None, overrides or [], values=given).config
    if once is None:
        _converse(config, resume, newest, title)
        return
    reporter = ConsoleReporter()
    if "model" not in config.model_fields_set:
        reporter.info(f"model: {config.model}")
    if once == "-":
        config = resolve(ChatConfig, None, overrides or [], values=given | {"prompt": read_stdin().strip()}).config
    _ask(config, as_json, reporter)


def _converse(config: ChatConfig, resume: int | None, newest: bool, title: str | None) -> None:
    from llmops_cli.chat.opening import open_session
    from llmops_cli.chat.store import Store
    from llmops_cli.chat.terminal.screen import Screen

    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))  # a terminal that goes on is left as it was
    words, reporter = Words(language()), ConsoleReporter()
    with Store() as store:
        if store.migrated:
            reporter.info(words("migrated", copy=store.migrated))
        number = store.newest() if newest else resume
        if newest and number is None:
            reporter.info(words("nothing_to_resume"))
        if number is None and "model" not in config.model_fields_set:
            _say_model(config, words)
        session = open_session(config, store, number, reporter)
        if title is not None:
            session.conversation.rename(title)
        try:
            Screen(session, store, words).run()
        finally:
            session.conversation.close()


def _say_model(config: ChatConfig, words: Words) -> None:
    from llmops_cli.chat.config import DEFAULT_MODEL

    kind = "model.builtin" if config.model == DEFAULT_MODEL else "model.newest"
    ConsoleReporter().info(words(kind, model=config.model))


def _ask(config: ChatConfig, as_json: bool, reporter: ConsoleReporter) -> None:
    from llmops_cli.chat import once as job

    plan = job.plan(config)
    if as_json:
        print_json(job.run(plan, reporter).to_json())
    else:
        job.run(plan, reporter, on_text=print_piece)
        print_result("")


def _values(variables: list[str] | None) -> dict[str, str] | None:
    if variables is None:
        return None
    for each in variables:
        if "=" not in each:
            raise InputError(f"want NAME=VALUE, got {each!r}", where="--var")
    return {name: value for name, _, value in (each.partition("=") for each in variables)}
