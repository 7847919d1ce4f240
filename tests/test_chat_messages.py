"""What the conversation's screen says, in both languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from llmops_cli.chat.messages import MESSAGES, Text, Words
from llmops_cli.chat.terminal.commands import COMMANDS, Command, table, unknown
from llmops_cli.core.workspace import PACKAGE
from llmops_cli.evaluation.degeneration.analysis import PARTS

HANGUL = re.compile("[가-힣]")


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_says_the_same_in_both_languages(key: str) -> None:
    english, korean = MESSAGES[key]
    assert english
    assert korean
    assert values(english) == values(korean)
    assert not HANGUL.search(english)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_explained_in_both_languages(command: Command) -> None:
    for text in (command.arguments, command.help):
        assert bool(text.en) == bool(text.ko)
        assert not HANGUL.search(text.en)
    assert HANGUL.search(command.help.ko)
    assert len(command.name) < 12


def test_every_part_that_may_be_broken_has_a_name() -> None:
    assert {f"defect.{part}" for part in (*PARTS, "empty")} == {key for key in MESSAGES if key.startswith("defect.")}


def test_every_command_of_the_table_is_named_once() -> None:
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names)) == len(list(table(Words("en"))))


@pytest.mark.parametrize(("name", "said"), [("지우", "C001은 지우"), ("민준", "C001은 민준")])
def test_josa_agree_with_what_they_follow(name: str, said: str) -> None:
    assert Words("ko")("named", code="C001", name=name) == said
    assert (
        Words("ko")("branched", name=name).split(" 시작")[0] == f"여기서 갈래 {name}{'가' if name == '지우' else '이'}"
    )
    assert Words("en")("named", code="C001", name=name) == f"C001 is {name}"


def test_an_unknown_command_names_the_nearest() -> None:
    assert unknown("/regne", Words("en")) == "there is no /regne. Nearest: /regen: write the answer again"
    assert unknown("/쓰기", Words("ko")) == "/쓰기는 없는 명령입니다. /help에 모두 있습니다"


def test_a_text_of_the_writer_may_hold_braces() -> None:
    assert Words("ko")("retitled", title="{0} {x:은}") == "제목: {0} {x:은}"
    assert Words("ko").of(Text("a", "가")) == "가"


def test_the_readme_has_the_table_of_the_commands() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    rows = [f"| `{usage.replace('|', chr(92) + '|')}` | {text} |" for usage, text in table(Words("en"))]
    assert "\n".join(rows) in readme
