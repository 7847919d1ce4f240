"""The commands of a conversation: one table of their names, arguments, help and functions.

The table is also the help text of `llmops chat`, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmops_cli.chat.messages import Text, Words
from llmops_cli.chat.terminal import answers, places, settings
from llmops_cli.core.plugins import suggestion

if TYPE_CHECKING:
    from llmops_cli.chat.terminal.screen import Screen

AGAIN = "/regen"
NOTHING = Text("", "")


def _no_choices(screen: Screen) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Command:
    """What is typed as `name arguments`. Arguments in brackets may be left out; without any, there are none."""

    name: str
    arguments: Text
    help: Text
    run: Callable[[Screen, str], None]
    choices: Callable[[Screen], Iterable[str]] = _no_choices
    """Words that may stand as arguments."""

    def usage(self, words: Words) -> str:
        """How it is typed."""
        return f"{self.name} {words.of(self.arguments)}".rstrip()

    def takes(self, argument: str) -> bool:
        """Whether there is an argument where one is wanted, and none where not."""
        if not argument:
            return not self.arguments.en or self.arguments.en.endswith("]")
        return bool(self.arguments.en)


def show_help(screen: Screen, argument: str) -> None:
    """`/help`: all commands, or one."""
    from llmops_cli.chat.terminal.drawing import two_columns

    if argument:
        name = f"/{argument.removeprefix('/')}"
        command = find(name)
        screen.say(_line(command, screen.words) if command else unknown(name, screen.words))
        return
    screen.say_all(two_columns(table(screen.words), screen.columns))
    screen.say(screen.words("help.keys"), "quiet")


def leave(screen: Screen, argument: str) -> None:
    """`/quit`."""
    screen.is_over = True


COMMANDS: tuple[Command, ...] = (
    Command(
        "/help",
        Text("[COMMAND]", "[명령]"),
        Text("these lines", "명령을 보여 줍니다"),
        show_help,
        lambda screen: [each.name for each in COMMANDS],
    ),
    Command("/regen", NOTHING, Text("write the answer again", "답을 다시 씁니다"), answers.regenerate),
    Command("/continue", NOTHING, Text("go on with the answer", "답을 이어 씁니다"), answers.go_on),
    Command(
        "/edit",
        Text("[TURN]", "[차례]"),
        Text("change a turn, also an answer; the old one stays", "차례를 고칩니다. 모델의 답도 되고, 옛것은 남습니다"),
        answers.edit,
    ),
    Command("/undo", NOTHING, Text("take back the last turn and its answer", "마지막 말과 답을 무릅니다"), places.undo),
    Command(
        "/branch",
        Text("NAME", "이름"),
        Text("name a branch that begins here", "여기서 시작하는 갈래에 이름을 붙입니다"),
        places.branch,
    ),
    Command("/tree", NOTHING, Text("all turns; * is where you stand", "모든 차례. *가 지금 자리입니다"), places.tree),
    Command(
        "/goto", Text("TURN|BRANCH", "차례|갈래"), Text("stand there", "그 자리로 갑니다"), places.goto, places.branches
    ),
    Command(
        "/note",
        Text("[TEXT|-]", "[글|-]"),
        Text(
            "author's note near the end of the context; - empties it", "컨텍스트 끝 가까이 두는 작가 노트. -로 비웁니다"
        ),
        settings.note,
    ),
    Command(
        "/memory",
        Text("[TEXT|-]", "[글|-]"),
        Text("what stands at the beginning of the context", "컨텍스트 맨 앞에 두는 메모리"),
        settings.memory,
    ),
    Command(
        "/names",
        Text("[C001=NAME …]", "[C001=이름 …]"),
        Text("characters by their codes", "등장인물의 코드와 이름"),
        settings.names,
    ),
    Command(
        "/system", Text("[TEXT|FILE|-]", "[글|파일|-]"), Text("the system prompt", "시스템 프롬프트"), settings.system
    ),
    Command(
        "/template",
        Text("[NAME|-] [VAR=VALUE …]", "[이름|-] [변수=값 …]"),
        Text("the prompt template", "프롬프트 템플릿"),
        settings.template,
        settings.templates,
    ),
    Command(
        "/set",
        Text("[KEY [VALUE]]", "[설정 [값]]"),
        Text("how tokens are chosen; alone, all settings", "토큰을 고르는 설정. 혼자 쓰면 모두 보입니다"),
        settings.change,
        settings.keys,
    ),
    Command("/seed", Text("[NUMBER]", "[수]"), Text("the random seed", "무작위 씨앗"), settings.seed),
    Command(
        "/model",
        Text("[MODEL|RUN]", "[모델|run]"),
        Text(
            "another model; an adapter of the same base loads at once", "다른 모델. 바탕이 같은 어댑터는 바로 바뀝니다"
        ),
        settings.model,
        settings.models,
    ),
    Command(
        "/ab",
        Text("[A |] B", "[가 |] 나"),
        Text(
            "the last turn answered twice, blind; a side is KEY=VALUE, template=NAME or model=NAME",
            "마지막 말에 두 번 답하게 하고 이름 없이 고릅니다. 한쪽은 설정=값, template=이름, model=이름",
        ),
        answers.compare,
        answers.sides,
    ),
    Command(
        "/good", Text("[WHY]", "[까닭]"), Text("keep the answer as a good one", "좋은 답으로 남깁니다"), answers.good
    ),
    Command("/bad", Text("[WHY]", "[까닭]"), Text("keep the answer as a bad one", "나쁜 답으로 남깁니다"), answers.bad),
    Command(
        "/why",
        Text("[TURN]", "[차례]"),
        Text("what made an answer: model, template, seed, settings", "답을 만든 것: 모델, 템플릿, 씨앗, 설정"),
        settings.why,
    ),
    Command("/stats", NOTHING, Text("turns, tokens and speed", "차례, 토큰, 속도"), settings.stats),
    Command(
        "/search",
        Text("WORDS", "낱말"),
        Text("turns of all conversations that hold the words", "모든 대화에서 낱말이 든 차례"),
        places.search,
    ),
    Command("/list", NOTHING, Text("all conversations", "모든 대화"), places.conversations),
    Command(
        "/export",
        Text("FILE", "파일"),
        Text("write it as .md, .txt, .jsonl or .docx", ".md, .txt, .jsonl, .docx로 내보냅니다"),
        places.export,
    ),
    Command("/title", Text("[TEXT]", "[글]"), Text("the conversation's title", "대화의 제목"), places.title),
    Command(
        "/quit", NOTHING, Text("leave; everything is kept already", "나갑니다. 모두 이미 저장되어 있습니다"), leave
    ),
)


def find(name: str) -> Command | None:
    """The command of a name."""
    return next((command for command in COMMANDS if command.name == name), None)


def table(words: Words) -> Iterator[tuple[str, str]]:
    """How each command is typed, and what it does."""
    return ((command.usage(words), words.of(command.help)) for command in COMMANDS)


def carry_out(screen: Screen, line: str) -> None:
    """Carry out the command of a line. Raises LlmopsError as what it does."""
    name, _, argument = line.partition(" ")
    command = find(name)
    if command is None:
        screen.say(unknown(name, screen.words), "error")
    elif not command.takes(argument.strip()):
        screen.say(_line(command, screen.words), "error")
    else:
        command.run(screen, argument.strip())


def unknown(name: str, words: Words) -> str:
    """That there is no such command, with the nearest one."""
    _, mark, near = suggestion(name, [command.name for command in COMMANDS]).partition("'")
    command = find(near.partition("'")[0]) if mark else None
    hint = words("nearest", usage=_line(command, words)) if command else words("see_help")
    return words("unknown_command", name=name, near=hint)


def _line(command: Command, words: Words) -> str:
    return words("usage", usage=command.usage(words), help=words.of(command.help))
