"""SIGKILL at any moment of a conversation: what was said is there, at most the line being typed is lost."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.chat.store import Store

KILLS = 20
WRITER = """
import json, sys
from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.store import Store
from llmops_cli.core.console import SilentReporter
from llmops_cli.inference.config import GenerationConfig

model, number = sys.argv[1], int(sys.argv[2]) or None
config = ChatConfig(model=model, device="cpu", generation=GenerationConfig(max_tokens=60))
session = open_session(config, Store(), number, SilentReporter())


def tell(kind, **what):
    sys.stdout.write(json.dumps({"kind": kind, "number": session.conversation.id, **what}) + "\\n")
    sys.stdout.flush()


def answer(act):
    pieces = []

    def show(piece):
        pieces.append(piece)
        tell("shown", text="".join(pieces))

    turn = act(show).turn
    tell("turn", id=turn.id, text=turn.text)


tell("ready", read_only=session.conversation.read_only)
for count in range(10_000):
    text = f"{count}번째 이야기를 들려줘."
    tell("asked", text=text)
    answer(lambda show: session.ask(text, show))
    if count % 3 == 1:
        answer(session.regen)
    if count % 3 == 2:
        turn = session.edit(None, f"고친 글 {count}")
        tell("turn", id=turn.id, text=turn.text)
        session.note(f"메모 {count}")
        tell("note", text=f"메모 {count}")
"""
"""A writer who says on stdout what stands on the screen, and nothing sooner."""


class Writer:
    """A writer whose screen is a file: a full pipe would hold it up."""

    def __init__(self, model: str, number: int, screen: str = "screen.jsonl") -> None:
        self._screen = Path(screen)
        command = [sys.executable, "-c", WRITER, model, str(number)]
        with self._screen.open("wb") as stream:
            self._process = subprocess.Popen(command, stdout=stream)
        while not self.seen():
            assert self._process.poll() is None
            time.sleep(0.02)
        self.number = int(self.seen()[0]["number"])
        self.read_only = bool(self.seen()[0]["read_only"])

    def seen(self) -> list[dict[str, Any]]:
        """Everything that stood on the screen, in order."""
        lines = self._screen.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def turns(self) -> dict[int, str]:
        """The turns that it saw whole."""
        return {each["id"]: each["text"] for each in self.seen() if each["kind"] == "turn"}

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.mark.parametrize("model", ["fake:words?length=40", "builtin:tiny-ko"])
def test_a_killed_conversation_loses_nothing_that_was_shown(model: str) -> None:
    dice = random.Random(7)
    number = 0
    turns: dict[int, str] = {}
    for kill in range(KILLS):
        writer = Writer(model, number)
        assert not writer.read_only, "a killed writer keeps nobody out"
        number = writer.number
        time.sleep(dice.uniform(0, 1.5))
        writer.kill()
        turns |= writer.turns()
        with Store() as store:
            assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept = store.read(number)
        for turn, text in turns.items():
            assert kept.tree[turn].text == text
        texts = [turn.text for turn in kept.tree.turns.values()]
        last = writer.seen()[-1]
        lost = ""
        if last["kind"] == "shown":
            assert any(text.startswith(last["text"].strip()) for text in texts), last
        elif last["kind"] == "asked" and last["text"] not in texts:
            lost = last["text"]
        elif last["kind"] == "note":
            assert kept.state.note == last["text"]
        print(f"kill {kill + 1} after {last['kind']}: {len(kept.tree.turns)} turns, lost {lost or 'nothing'}")


def test_two_programs_write_to_one_store() -> None:
    """Each to its own conversation, at the same time, and one more that may only read."""
    writers = [Writer("fake:words?length=40", 0, f"{name}.jsonl") for name in "ab"]
    third = Writer("fake:words?length=40", writers[0].number, "c.jsonl")
    assert third.read_only
    time.sleep(2)
    for writer in (*writers, third):
        writer.kill()
    assert writers[0].number != writers[1].number
    with Store() as store:
        for writer in writers:
            kept = store.read(writer.number)
            assert len(writer.turns()) > 4
            assert all(kept.tree[turn].text == text for turn, text in writer.turns().items())
        assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
