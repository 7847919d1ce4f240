"""An answer that is stopped, breaks off or never ends: what came is kept, and the conversation goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.session import Session
from llmops_cli.chat.store import Store
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import MachineError
from llmops_cli.core.interrupt import Interrupted
from llmops_cli.inference.decoder.batch import DecoderBatch
from llmops_cli.inference.streaming import TextBatch


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


@pytest.fixture
def quick(store: Store) -> Session:
    """A new conversation with made-up answers."""
    return open_session(ChatConfig(model="fake:words?length=6"), store, None, SilentReporter())


def kept(session: Session) -> list[tuple[str, str]]:
    """Role and text of the turns up to where the writer stands, as another program finds them in the store."""
    with Store() as store:
        return [(turn.role, turn.text) for turn in store.read(session.conversation.id).tree.path()]


class Stop:
    """Raises an error, or sends a signal, at the third piece of an answer."""

    def __init__(self, error: BaseException | signal.Signals) -> None:
        self._error, self.pieces = error, list[str]()

    def __call__(self, piece: str) -> None:
        self.pieces.append(piece)
        if len(self.pieces) == 3:
            if isinstance(self._error, signal.Signals):
                os.kill(os.getpid(), self._error)
            else:
                raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), signal.SIGINT])
def test_ctrl_c_keeps_what_came_and_the_cache(store: Store, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    session = open_session(ChatConfig(model="builtin:tiny-ko", device="cpu"), store, None, SilentReporter())
    session.set("min_tokens", 20)
    session.ask("비가 와?")
    stop = Stop(error)
    reply = session.regen(stop)
    assert reply.interrupted
    assert reply.turn.text == "".join(stop.pieces) == kept(session)[-1][1]
    assert session.why()["finish_reason"] == reply.completion.finish_reason == "interrupted"
    found: list[int] = []
    add = DecoderBatch.add

    def seen(batch: DecoderBatch, prompt: Any, *rest: Any) -> int:
        number = add(batch, prompt, *rest)
        found.append(len(prompt) - len(batch._answers[number].cache.ids))
        return number

    monkeypatch.setattr(DecoderBatch, "add", seen)
    session.ask("정말?")
    assert found[0] < 20
    assert kept(session)[1] == ("assistant", "".join(stop.pieces))


def test_ctrl_c_before_the_first_word_leaves_the_question(quick: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(batch: TextBatch) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(TextBatch, "step", interrupt)
        reply = quick.ask("비가 와?")
    assert (reply.interrupted, reply.turn.role) == (True, "user")
    assert kept(quick) == [("user", "비가 와?")]
    assert quick.regen().turn.parent == reply.turn.id


def test_sigterm_keeps_what_came_and_ends(quick: Session) -> None:
    stop = Stop(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        quick.ask("비가 와?", stop)
    assert caught.value.exit_code == 143
    assert kept(quick)[1] == ("assistant", "".join(stop.pieces))


def test_an_engine_that_breaks_keeps_what_came(quick: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, step = 0, TextBatch.step

    def breaking(batch: TextBatch) -> Any:
        nonlocal steps
        steps += 1
        if steps == 9:
            raise MachineError("gone", where="http://there")
        return step(batch)

    with monkeypatch.context() as patched:
        patched.setattr(TextBatch, "step", breaking)
        with pytest.raises(MachineError, match="gone"):
            quick.ask("비가 와?")
    assert [role for role, _ in kept(quick)] == ["user", "assistant"]
    assert quick.why()["finish_reason"] == "error"
    assert quick.go_on().turn.text.startswith(kept(quick)[1][1][:3])


def test_a_model_that_never_stops_is_stopped(store: Store) -> None:
    session = open_session(ChatConfig(model="fake:words?length=100000"), store, None, SilentReporter())
    session.set("max_tokens", 30)
    reply = session.ask("비가 와?")
    assert (reply.completion.finish_reason, len(reply.completion.token_ids)) == ("length", 30)
