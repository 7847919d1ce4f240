"""The screen of `llmops chat`: keys in, words out, with a real conversation behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.messages import Words
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.store import Store
from llmops_cli.chat.terminal.commands import COMMANDS
from llmops_cli.chat.terminal.drawing import cut, get_cwidth, pad, ranges, visible
from llmops_cli.chat.terminal.screen import Screen
from llmops_cli.chat.terminal.status import Status
from llmops_cli.config.layers import resolve
from llmops_cli.core.console import SilentReporter

ENTER, NEWLINE, END, AGAIN, CLEAR, LEFT, UP, TAB = "\r", "\x1b\r", "\x04", "\x12", "\x03", "\x1b[D", "\x1b[A", "\t"


class Shown(DummyOutput):
    """An output that keeps what is written to it."""

    def __init__(self, columns: int) -> None:
        self.text = ""
        self._columns = columns

    def write(self, data: str) -> None:
        self.text += data

    def get_size(self) -> Size:
        return Size(rows=24, columns=self._columns)


class Desk:
    """Where a writer sits: types keys, then reads what is said."""

    def __init__(self, keys: PipeInput, store: Store) -> None:
        self._keys, self.store = keys, store
        self.number: int | None = None

    def write(self, *keys: str, model: str = "fake:words?length=4", columns: int = 80, **settings: object) -> str:
        """What is said between the first key and the last; the conversation goes on with the next call."""
        config = resolve(
            ChatConfig, None, [f"{key}={value}" for key, value in settings.items()], values={"model": model}
        )
        self.session = open_session(config.config, self.store, self.number, SilentReporter())
        self.number = self.session.conversation.id
        shown = Shown(columns)
        screen = Screen(self.session, self.store, Words("en"), self._keys, shown)
        typing = Thread(target=self._keys.send_text, args=("".join(keys) + CLEAR + CLEAR,))  # a pipe holds 64 kB only
        typing.start()
        screen.run()
        typing.join()
        return shown.text

    def said(self) -> list[str]:
        """The texts up to where the writer stands."""
        return [turn.text for turn in self.session.conversation.tree.path()]

    def questions(self) -> list[str]:
        """What the writer said of it."""
        return self.said()[::2]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with create_pipe_input() as keys, Store() as store:
        yield Desk(keys, store)


def line(text: str) -> str:
    return text + ENTER


def test_enter_sends_and_the_answer_is_shown(desk: Desk) -> None:
    shown = desk.write(line("첫눈이 와"))
    question, answer = desk.said()
    assert question == "첫눈이 와"
    assert answer in shown
    assert "conversation 1; /help lists the commands" in shown
    assert "kept. llmops chat --resume 1 goes on" in shown


def test_a_turn_may_have_several_lines_and_be_changed_in_the_middle(desk: Desk) -> None:
    desk.write("가나라", LEFT, "다", NEWLINE, "\x7f", LEFT, LEFT, "\x7f", "나", ENTER)
    assert desk.questions() == ["나나다라"]
    desk.write("한 줄", NEWLINE, "두 줄", ENTER)
    assert desk.questions()[1:] == ["한 줄\n두 줄"]


def test_jamo_that_arrive_apart_are_one_syllable(desk: Desk) -> None:
    desk.write(line("\u1112\u1161\u11ab글"))
    assert desk.questions() == ["한글"]


@pytest.mark.parametrize("characters", [300, 100_000])
def test_a_paste_is_kept_whole(desk: Desk, characters: int) -> None:
    text = ("가나다라마바사아자\n" * (characters // 10)).strip()
    desk.write("앞 ", f"\x1b[200~{text}\x1b[201~", " 뒤", ENTER, model="fake:words?length=4&context=200000")
    assert desk.questions() == [f"앞 {text} 뒤"]


def test_a_long_paste_is_taken_back_by_one_key(desk: Desk) -> None:
    desk.write("앞", f"\x1b[200~{'가' * 20_000}\x1b[201~", "\x7f", ENTER)
    assert desk.questions() == ["앞"]


def test_control_characters_do_nothing(desk: Desk) -> None:
    shown = desk.write("\x1b[200~가\x1b]0;x\x07\x1b[2J나\u202e다\x1b[201~", ENTER, model="fake:echo")
    assert desk.questions() == ["가]0;x[2J나다"]
    assert "\x1b" not in shown
    assert visible("a\x1b[31m\x9b2J\u202e\u200b\r\tb\nc") == "a␛[31m<U+009B>2J<U+202E><U+200B>␍\tb\nc"


def test_ctrl_c_clears_the_line_and_twice_leaves(desk: Desk) -> None:
    desk.write("잘못", CLEAR, line("바로"), CLEAR, CLEAR)
    assert desk.questions() == ["바로"]


def test_ctrl_d_and_quit_leave(desk: Desk) -> None:
    for leaving in (END, line("/quit")):
        assert desk.write(line("비가 와"), leaving).count("kept.") == 1


def test_arrow_up_recalls_what_was_said_in_other_conversations(desk: Desk) -> None:
    desk.write(line("먼저 한 말"))
    desk.number = None
    desk.write(UP, ENTER)
    assert desk.questions() == ["먼저 한 말"]
    assert desk.number == 2


def test_tab_completes_commands_and_what_follows(desk: Desk) -> None:
    shown = desk.write("/reg", TAB, ENTER, "/set temperatu", TAB, " 0.5", ENTER)
    assert "nothing has been said yet" in shown
    assert "temperature: 0.8 -> 0.5" in shown


@pytest.mark.parametrize("again", [line("/regen"), AGAIN])
def test_an_answer_is_written_again(desk: Desk, again: str) -> None:
    desk.write(line("비가 와"), again)
    tree = desk.session.conversation.tree
    assert [turn.role for turn in tree.turns.values()] == ["user", "assistant", "assistant"]
    assert tree.head == 3


def test_ctrl_r_keeps_what_is_typed(desk: Desk) -> None:
    desk.write(line("비가 와"), "그리고", AGAIN, " 바람이 불어", ENTER)
    assert desk.questions() == ["비가 와", "그리고 바람이 불어"]


def test_one_key_writes_a_degenerate_answer_again(desk: Desk) -> None:
    shown = desk.write(
        line("비가 비가 비가 비가 비가 비가 비가 비가 비가 비가 비가 비가"), line("r"), line("r"), model="fake:echo"
    )
    assert "the answer degenerates: it goes round in circles: 비가" in shown
    assert len(desk.questions()) == 1
    assert len(desk.session.conversation.tree.turns) == 4
    desk.number = None
    desk.write(line("비가 왔다."), line("r"), model="fake:echo")
    assert desk.questions() == ["비가 왔다.", "r"]


def test_a_question_is_edited_and_answered(desk: Desk) -> None:
    desk.write(line("비가 와"), line("/edit 1"), "\x7f그쳤어", ENTER)
    assert desk.questions() == ["비가 그쳤어"]
    assert len(desk.said()) == 2
    assert desk.session.conversation.tree[1].text == "비가 와"


def test_the_models_answer_is_edited_and_goes_on(desk: Desk) -> None:
    desk.write(line("비가 와"), line("/edit"), "\x15", "그래서 우산을", ENTER, line("/continue"))
    assert desk.said()[1].startswith("그래서 우산을")
    assert len(desk.said()[1]) > len("그래서 우산을")


def test_undo_gives_the_text_back(desk: Desk) -> None:
    shown = desk.write(line("비가 와"), line("/undo"), " 정말", ENTER)
    assert "at the beginning" in shown
    assert desk.questions() == ["비가 와 정말"]


def test_the_tree_shows_where_the_writer_stands(desk: Desk) -> None:
    desk.write(line("비가 와"), line("/branch 여름"), line("그리고"), line("/goto 2"), line("그러나"))
    shown = desk.write(line("/tree"), line("/goto 여름"), columns=40)
    rows = [row for row in shown.splitlines() if row[2:3].isdigit()]
    assert [row[:3] for row in rows] == ["  1", "  2", "  3", "  4", "  5", "* 6"]
    assert rows[2].startswith("  3   you   [여름] 그리고")
    assert all(get_cwidth(row) <= 40 for row in rows)
    assert desk.questions() == ["비가 와", "그리고"]


def test_what_stands_around_the_turns_is_set_and_emptied(desk: Desk) -> None:
    Path("s.txt").write_text("차분한 문체", encoding="utf-8")
    desk.write(line("/note 밤이다"), line("/memory 첫눈"), line("/system s.txt"), line("/names C001=지우 C002=김 민준"))
    state = desk.session.state
    assert (state.note, state.memory, state.system) == ("밤이다", "첫눈", "차분한 문체")
    assert state.names == {"C001": "지우", "C002": "김 민준"}
    shown = desk.write(line("C002은 어디?"), line("/note -"), line("/names C002="), model="fake:echo")
    assert "김 민준은 어디?" in shown
    assert (desk.session.state.note, desk.session.state.names) == ("", {"C001": "지우"})


def test_settings_are_checked_and_listed(desk: Desk) -> None:
    shown = desk.write(line("/set temperature hot"), line("/set temprature 1"), line("/seed 12"), line("/set"))
    assert "error: /set" in shown
    assert "did you mean 'temperature'?" in shown
    assert "seed: 7 -> 12" in shown
    assert "dry_multiplier" in shown
    assert desk.session.settings.seed == 12


def test_the_status_counts_the_tokens_that_are_sent(desk: Desk) -> None:
    desk.write(line("비가 와"))
    expected = desk.session.prepare("바람이 불어").tokens
    parts = Status(desk.session, Words("en")).line("바람이 불어", 80)
    assert f"{expected} of 1,536 tokens, {1536 - expected:,} left" in "".join(text for _, text in parts)
    desk.write(line("바람이 불어"))
    last = desk.session.conversation.tree.path()[-1]
    assert last.made
    assert last.made.prompt_tokens == expected


def test_dropped_turns_are_named(desk: Desk) -> None:
    shown = desk.write(
        *[line(f"{number}번째로 긴 이야기를 한다") for number in range(9)], model="fake:words?length=8&context=200"
    )
    assert "no longer sent, the context is full: turns 1-" in shown


def test_two_answers_are_chosen_blind(desk: Desk) -> None:
    shown = desk.write(line("비가 와"), line("/ab temperature=0 | seed=5"), line("?"), line("2 더 낫다"))
    assert "1, 2 or =, and a word of why" in shown
    assert "temperature=0" in shown.partition("kept: 2")[0]
    rows = sqlite3.connect("chats.db").execute("SELECT kind, chosen, rejected, reason FROM choices").fetchall()
    ((kind, chosen, rejected, reason),) = rows
    assert (kind, reason) == ("ab", "더 낫다")
    assert desk.said()[-1] == chosen != rejected


def test_opinions_are_kept_with_why(desk: Desk) -> None:
    desk.write(line("비가 와"), line("/good 담백하다"), line("/bad"))
    rows = sqlite3.connect("chats.db").execute("SELECT kind, reason FROM choices ORDER BY id").fetchall()
    assert rows == [("good", "담백하다"), ("bad", "")]


def test_the_conversation_is_found_named_and_written(desk: Desk) -> None:
    shown = desk.write(
        line("비가 와"),
        line("/title 장마"),
        line("/search 비가"),
        line("/list"),
        line("/export 장마.md"),
        line("/why"),
        line("/stats"),
    )
    assert "1: 비가 와" in shown
    assert "장마" in Path("장마.md").read_text(encoding="utf-8")
    for said in ("title: 장마", "2 turns", "fake:words?length=4", "tokens a second"):
        assert said in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/regne", "there is no /regne. Nearest: /regen: write the answer again"),
        ("/goto", "/goto TURN|BRANCH: stand there"),
        ("/undo 3", "/undo: take back the last turn and its answer"),
        ("/goto 77", "no turn and no branch '77'"),
        ("/names 지우", "want NAME=VALUE, got '지우' -> /names C001=지우"),
        ("/ab a | b | c", "want two sides, got 3"),
        ("/edit 9", "no turn and no branch '9'"),
        ("/help regen", "/regen: write the answer again"),
        ("/template 없는것", "no prompt template '없는것'"),
        ("/export x.pdf", "pdf"),
        ("/continue", "nothing has been said yet"),
        ("/model builtin:nothing", "no builtin model"),
    ],
)
def test_what_a_command_cannot_do_is_one_line(desk: Desk, typed: str, said: str) -> None:
    assert said in desk.write(line(typed))
    assert desk.session.conversation.tree.turns == {}


def test_a_text_that_cannot_be_sent_stays_in_the_line(desk: Desk) -> None:
    shown = desk.write(line("가" * 500), *["\x7f"] * 497, ENTER, model="fake:words?length=4&context=200")
    assert "tokens, " in shown
    assert desk.questions() == ["가가가"]


def test_a_second_window_can_only_read(desk: Desk) -> None:
    desk.write(line("비가 와"))
    with create_pipe_input() as keys, Store() as store:
        other = Desk(keys, store)
        other.number = desk.number
        shown = other.write(line("나도"))
    assert "conversation 1 is open in another window: here it can only be read" in shown
    assert "read-only" in shown
    assert "나도" not in desk.said()


def test_what_cannot_be_saved_is_said_and_saved_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_cli.chat.store.PATIENCE", 0.05)
    desk.store.close()
    with Store() as store:
        desk.store = store
        desk.write(line("비가 와"))
        locked = sqlite3.connect("chats.db", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        shown = desk.write(line("바람이 불어"))
        assert "not saved, tried again with the next turn: " in shown
        status = Status(desk.session, Words("en"))
        assert ("class:error", "NOT SAVED") in status.line("", 80)
        locked.execute("ROLLBACK")
        assert desk.session.conversation.save()
        assert ("", "saved") in status.line("", 80)
        assert store.load(1).tree.turns[3].text == "바람이 불어"


@pytest.mark.parametrize("columns", [1, 8, 20, 200])
def test_no_width_is_too_narrow(desk: Desk, columns: int) -> None:
    commands = [line(each.name) for each in COMMANDS if each.name not in ("/quit", "/edit")]
    desk.write(line("비가 와"), line("👩‍👩‍👧 ㅎㅏㄴ"), *commands, columns=columns)


def test_cuts_and_columns_count_wide_characters() -> None:
    assert [cut("가나다 라", width) for width in (0, 1, 2, 3, 7, 9)] == ["", "…", "…", "가…", "가나다…", "가나다 라"]
    assert get_cwidth(pad("가", 5)) == 5
    assert ranges([3, 1, 2, 7]) == "1-3, 7"
