"""`llmops prompts test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import number, show, visible
from llmops_cli.core.console import print_result, print_table
from llmops_cli.core.errors import EXIT_NUMBERS, InputError, Problem

EXAMPLES = """Examples:

  llmops prompts test

  llmops prompts test scene prompts/letter.yaml
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("test", epilog=EXAMPLES)(run_tests)


def run_tests(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Templates or their files; by default all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check templates and run the tests they bring along; exit 1 when one fails."""
    from llmops_cli.prompts.library import find_path, template_paths

    paths = [find_path(name) for name in names] if names else list(template_paths().values())
    tested = [_test(path) for path in paths]
    passed = not any(row["problems"] for row in tested)
    show({"passed": passed, "templates": tested}, as_json, lambda: _print(tested))
    if not passed:
        raise typer.Exit(EXIT_NUMBERS)


def _test(path: Path) -> dict[str, Any]:
    from llmops_cli.inference.config import GenerationConfig
    from llmops_cli.prompts.prompt_template import load_template
    from llmops_cli.prompts.trials import failures

    row: dict[str, Any] = {"name": path.stem, "path": str(path), "identity": None, "tests": 0}
    problems: list[Problem] = []
    try:
        template = load_template(path)
        row |= {"name": template.name, "identity": template.identity, "tests": len(template.config.tests)}
        problems += failures(template)
        template.settings(GenerationConfig)
    except InputError as error:
        problems += error.problems
    return row | {"problems": [str(problem) for problem in problems]}


def _print(tested: list[dict[str, Any]]) -> None:
    rows = [
        [visible(row["identity"] or row["name"]), number(row["tests"]), "failed" if row["problems"] else "passed"]
        for row in tested
    ]
    print_table("", ["template", "tests", "verdict"], rows)
    for row in tested:
        for problem in row["problems"]:
            print_result(visible(problem))
