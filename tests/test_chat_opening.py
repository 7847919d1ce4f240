"""How `llmops chat` begins: with a terminal, without one, and what does not go together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from workbench import Cli


def test_without_a_terminal_there_is_one_line(cli: Cli) -> None:
    answer = cli("chat", "fake:words")
    assert (answer.code, answer.out) == (2, "")
    assert answer.errors == [
        "--once: want a question, for there is no terminal here -> echo '안녕?' | llmops chat --once -"
    ]
    assert not Path("chats.db").exists()


@pytest.mark.parametrize(
    "arguments", [("--once", "안녕?", "--resume", "1"), ("--json",), ("--once", "안녕?", "--var", "x")]
)
def test_options_that_do_not_go_together_are_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    answer = cli("chat", "fake:words", *arguments)
    assert (answer.code, len(answer.errors)) == (2, 1)


def test_only_a_conversation_loads_the_terminal() -> None:
    code = (
        "import sys; from llmops_cli.app import main; main(['chat', 'fake:words', '--once', '안녕?'])\n"
        "main(['chat', '--help']); print('prompt_toolkit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
