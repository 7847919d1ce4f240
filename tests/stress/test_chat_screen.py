"""A writing session in Korean on a real terminal: what stands on the screen, key by key."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from pathlib import Path

import pexpect
import pyte
import pytest
from screen_picture import draw

from llmops_cli.chat.store import Store

LEFT, BACK, NEWLINE, CLEAR, END = "\x1b[D", "\x7f", "\x1b\r", "\x03", "\x04"
PATIENCE = 30.0
PICTURES, FONT = os.environ.get("CHAT_PICTURES"), os.environ.get("CHAT_FONT", "")


class Terminal:
    """`llmops chat` on a pseudo-terminal, and the screen that it makes."""

    def __init__(self, *arguments: str, columns: int = 80, rows: int = 24, locale: str = "ko_KR.UTF-8") -> None:
        environment = {**os.environ, "LC_ALL": locale, "TERM": "xterm-256color"}
        command = ["-m", "llmops_cli", "chat", *arguments]
        self.process = pexpect.spawn(sys.executable, command, dimensions=(rows, columns), env=environment, echo=True)
        self.screen = pyte.Screen(columns, rows)
        self.screen.write_process_input = self.process.send
        self._stream = pyte.ByteStream(self.screen)

    def type(self, *keys: str) -> Terminal:
        """Press keys; a Hangul syllable arrives as the terminal composed it."""
        for key in keys:
            self.process.send(key)
            self.read(0.05)
        return self

    def read(self, seconds: float) -> None:
        """Draw what comes in this time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._stream.feed(self.process.read_nonblocking(65536, 0.02))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return

    def wait(self, *texts: str) -> Terminal:
        """Wait until all of the texts are on the screen."""
        until = time.monotonic() + PATIENCE
        while not all(text in self.text() for text in texts):
            assert time.monotonic() < until, f"no {texts} in\n{self.text()}"
            self.read(0.05)
        return self

    def text(self) -> str:
        """The rows of the screen without the spaces at their ends."""
        return "\n".join(row.rstrip() for row in self.screen.display)

    def row(self, start: str) -> str:
        """The last row that begins with `start`."""
        return next(row for row in reversed(self.text().splitlines()) if row.startswith(start))

    def resize(self, columns: int, rows: int) -> Terminal:
        """Change the size of the window."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)
        self.read(0.5)
        return self

    def ends(self) -> int | None:
        """Wait for the end of the program; its exit code."""
        self.read(1)
        self.process.close(force=False)
        return self.process.exitstatus

    def picture(self, name: str) -> None:
        """Draw the screen into the folder CHAT_PICTURES, if there is one, in the font CHAT_FONT."""
        self.wait("저장됨")
        if PICTURES:
            draw(self.screen, Path(PICTURES) / f"{name}.png", FONT)


def test_a_writing_session(workspace: Path) -> None:
    here = Terminal("fake:words?length=60&delay=0.03")
    here.wait("대화 1번", "저장됨")
    here.type("첫", "눈", "오느", BACK, "는 날").wait("› 첫눈오는 날")
    here.type(*[LEFT] * 4, " ").wait("› 첫눈 오는 날")
    assert here.screen.cursor.x == 2 + 5
    here.type(BACK, BACK, "비").wait("› 첫비오는 날")
    here.type("\x05", NEWLINE, "둘째 줄").wait("  둘째 줄")
    here.picture("1-typing")
    here.type("\r").read(0.6)
    here.type("미리 친 말", CLEAR).wait("(멈춤.", "› 미리 친 말")
    here.type(CLEAR).wait("Ctrl-C를 한 번 더").type("/branch 겨울\r").wait("갈래 겨울이").type("그리고 바람\r").read(3)
    here.type("/undo\r").wait("차례 2").type(CLEAR, "/tree\r").wait("[겨울]", "* 2 모델")
    here.picture("2-tree")
    here.resize(20, 12).type("/help\r").wait("/로 시작하는 글은").type("/note 밤이다\r").wait("가까이): 밤이다")
    here.picture("3-narrow")
    here.resize(100, 30).type("/regne\r").wait("/regen: 답을 다시 씁니다").type("/ab temperature=0 | seed=9\r")
    here.wait("더 나은 것: 1, 2, =").type("2 더 낫다\r").wait("고른 것: 2")
    here.picture("4-chosen")
    here.type(END)
    assert here.ends() == 0
    with Store() as store:
        kept = store.load(1)
    assert kept.tree[1].text == "첫비오는 날\n둘째 줄"
    assert kept.state.note == "밤이다"


def test_a_paste_of_100_kilobytes_keeps_the_keys_quick(workspace: Path) -> None:
    here = Terminal("fake:words?context=200000").wait("저장됨")
    here.process.send(f"\x1b[200~{'가나다라마바사 ' * 4400}\x1b[201~")
    here.wait("[붙여넣기 1: 35,200자]")
    start = time.monotonic()
    here.type("끝").wait("자]끝")
    assert time.monotonic() - start < 2
    here.type("\r").read(2)
    here.type(END)
    assert here.ends() == 0
    with Store() as store:
        assert len(store.load(1).tree[1].text) == 35_200 + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["at the prompt", "in an answer"])
def test_a_kill_leaves_the_terminal_as_it_was(workspace: Path, number: signal.Signals, moment: str) -> None:
    here = Terminal("fake:words?length=200&delay=0.03")
    before = termios.tcgetattr(here.process.child_fd)[:4]
    here.wait("저장됨")
    here.type("비가 와")
    if moment == "in an answer":
        here.type("\r").read(0.5)
    here.process.kill(number)
    until = time.monotonic() + PATIENCE
    while here.process.isalive() and time.monotonic() < until:
        here.read(0.1)
    assert termios.tcgetattr(here.process.child_fd)[:4] == before
    assert here.process.exitstatus == 143


def test_an_answer_cannot_take_over_the_terminal(workspace: Path) -> None:
    here = Terminal("fake:echo").wait("저장됨")
    here.type("\x1b[200~가\x1b[2J\x1b]0;제목\x07나\x1b[201~\r").wait("가[2J]0;제목나")
    assert here.screen.title == ""
