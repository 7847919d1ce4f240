"""What is sent of a conversation, what no longer fits, and how little of it is computed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from workbench import QWEN2_TEMPLATE, make_model

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.model import Model
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.session import Session
from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.inference.decoder.drafts import PromptLookup
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.inference.engine import Request
from llmops_cli.inference.open import choose_engine

CONFIG = ChatConfig(model="builtin:tiny-ko", device="cpu", context=300)
SETTINGS = {"max_tokens": 10}
ROOM = 300 - 10
NO_SYSTEM = QWEN2_TEMPLATE.replace(
    "{% for message in messages %}",
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}",
    1,
).replace("{% if loop.first and messages[0]['role'] != 'system' %}", "{% if false %}")


@pytest.fixture(scope="module")
def tiny() -> Model:
    return Model(choose_engine(CONFIG), CONFIG, SilentReporter())


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


@pytest.fixture
def session(store: Store, tiny: Model) -> Session:
    """A new conversation in a context of 300 tokens, 10 of them for the answer."""
    return Session(store.new("이야기", State(settings=SETTINGS)), tiny, CONFIG)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The tokens of every span of every forward pass, without guesses at the next ones."""
    seen: list[list[int]] = []
    forward = Decoder.forward

    def recorded(self: Decoder, spans: Sequence[Span]) -> torch.Tensor:
        seen.extend(list(span.ids) for span in spans)
        return forward(self, spans)

    monkeypatch.setattr(Decoder, "forward", recorded)
    monkeypatch.setattr(PromptLookup, "propose", lambda self, ids, most: [])
    return seen


def contents(session: Session, text: str | None = None) -> list[str]:
    return [turn["content"] for turn in session.prepare(text).turns]


def test_memory_is_at_the_beginning_and_the_note_near_the_end(session: Session) -> None:
    session.system("너는 작가다.")
    session.memory("지우는 의사다.")
    session.note("쓸쓸하게")
    answer = session.ask("비가 와?").turn.text
    assert contents(session, "정말?") == ["너는 작가다.\n\n지우는 의사다.", "비가 와?", answer, "[쓸쓸하게]\n정말?"]


def test_a_model_without_a_system_role_has_it_in_the_first_turn(store: Store, tmp_path: Path) -> None:
    model = make_model(tmp_path / "plain", template=NO_SYSTEM)
    session = open_session(ChatConfig(model=str(model), system="너는 작가다."), store, None, SilentReporter())
    session.set("max_tokens", 4)
    session.ask("비가 와?")
    sent = session.prepare("정말?").turns
    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]
    assert sent[0]["content"] == "너는 작가다.\n\n비가 와?"


def test_the_tokens_on_screen_are_those_that_are_sent(session: Session, computed: list[list[int]]) -> None:
    session.memory("지우는 의사다. <|im_end|>")
    for text in ("비가 와?", "  들여쓰기 🙂\n\n둘째", "정말?"):
        prepared = session.prepare(text)
        computed.clear()
        reply = session.ask(text)
        assert reply.turn.made
        assert reply.turn.made.prompt_tokens == prepared.tokens == len(prepared.request.ids)
        assert computed[0] == list(prepared.request.ids)[-len(computed[0]) :]
        assert (prepared.limit, prepared.room, prepared.left) == (300, ROOM, ROOM - prepared.tokens)


def talk(session: Session, turns: int) -> Iterator[Any]:
    for number in range(turns):
        yield session.ask(f"{number}번째 이야기를 들려줘.")


def test_what_no_longer_fits_is_dropped_whole_and_said(session: Session) -> None:
    session.memory("지우는 의사다.")
    session.note("쓸쓸하게")
    starts: list[int] = []
    for reply in talk(session, 20):
        path = session.conversation.tree.path()
        dropped = [turn.id for turn in reply.dropped]
        assert dropped == [turn.id for turn in path[: len(dropped)]]
        assert len(dropped) % 2 == 0
        sent = session.why()["sent"]
        assert sent[0]["content"] == "지우는 의사다."
        assert sent[-1]["content"].startswith("[쓸쓸하게]\n")
        assert [turn["content"] for turn in sent[1:-1]] == [turn.text for turn in path[len(dropped) : -2]]
        assert session.why()["prompt_tokens"] <= ROOM
        assert session.why()["dropped"] == dropped
        starts.append(len(dropped))
    assert starts == sorted(starts)
    moves = len(set(starts)) - 1
    assert 3 <= moves <= len([start for start in starts if start]) / 2
    session.goto("10")
    assert not session.prepare("짧게").dropped


def test_the_beginning_that_is_kept_stays_computed(session: Session, computed: list[list[int]]) -> None:
    before, again = -1, list[int]()
    for reply in talk(session, 20):
        if len(reply.dropped) == before:
            again.append(len(computed[0]))
        before = len(reply.dropped)
        computed.clear()
    assert max(again) < 40


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("memory", "the memory"), ("note", "the note"), ("system", "the system prompt"), ("ask", "the last turn"),
    ],
)  # fmt: skip
def test_what_can_never_fit_is_refused(session: Session, part: str, said: str) -> None:
    session.ask("비가 와?")
    change = getattr(session, part)
    change("비가 온다. " * 20)
    turns = len(session.conversation.tree.turns)

    def too_much() -> None:
        change("비가 온다. " * 300)
        session.ask("정말?")

    with pytest.raises(InputError, match=rf"^the prompt has \d+ tokens, \d+ too many; the largest part is {said}: \d+"):
        too_much()
    assert len(session.conversation.tree.turns) == turns


def test_a_reserve_is_kept_for_the_answer(store: Store, tiny: Model) -> None:
    config = CONFIG.model_copy(update={"reserve": 100})
    session = Session(store.new("", State(settings=SETTINGS)), tiny, config)
    assert session.prepare("비?").room == 200
    half = Session(store.new("", State(settings={"max_tokens": 9999})), tiny, CONFIG)
    prepared = half.prepare("비?")
    assert prepared.room == 150
    assert prepared.request.settings.max_tokens == 300 - prepared.tokens


def test_only_what_is_new_is_computed(session: Session, computed: list[list[int]]) -> None:
    """The cache of the torch engine holds across another answer, a change of the last turn, the note, and a turn."""

    def first_pass() -> int:
        size = len(computed[0])
        computed.clear()
        return size

    def tokens(text: str) -> int:
        assert session.model.engine.tokenizer
        return len(session.model.engine.tokenizer.encode(text))

    around, question = 12, "3번째 이야기를 들려줘."
    session.set("temperature", 1.2)
    for reply in talk(session, 4):
        size = first_pass()
        assert size <= tokens(question) + around or reply.turn.id == 2
    session.regen()
    assert first_pass() == 1
    session.edit(session.conversation.tree.path()[-2].id, "눈이 오면 더 좋겠어.")
    session.regen()
    assert first_pass() <= tokens("눈이 오면 더 좋겠어.") + around
    session.note("쓸쓸하게")
    session.regen()
    assert first_pass() <= tokens("[쓸쓸하게]\n눈이 오면 더 좋겠어.") + around
    before = session.go_on().turn
    assert first_pass() <= 2
    session.note("")
    session.ask("그래서?")
    assert first_pass() <= tokens(before.text + "눈이 오면 더 좋겠어.그래서?") + 3 * around


def test_an_answer_in_other_tokens_than_its_text_keeps_its_cache(session: Session, computed: list[list[int]]) -> None:
    tokenizer = session.model.engine.tokenizer
    assert tokenizer
    answer = session.ask("비가 와?").turn
    text = "산책을 했다."
    letters = [token for letter in text for token in tokenizer.encode(letter)]
    assert letters != tokenizer.encode(text)
    assert tokenizer.decode(letters) == text
    assert answer.made
    session.conversation.write(answer.id, text, replace(answer.made, token_ids=(*letters, tokenizer.eos_id)))
    ids = list(session.prepare("그래서?").request.ids)
    assert any(ids[start : start + len(letters)] == letters for start in range(len(ids)))
    session.edit(answer.id, "산책을 했었다.")
    ids = list(session.prepare("그래서?").request.ids)
    assert ids == list(tokenizer.encode(_rendered(session, "그래서?")))


def _rendered(session: Session, text: str) -> str:
    turns = session.prepare(text).turns
    frame = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in turns)
    return f"{frame}<|im_start|>assistant\n"


def test_a_server_is_counted_by_an_estimate(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = type("Upstream", (), {"tokenizer": None, "context_length": 2**63 - 1})()
    from llmops_cli.chat.context import Window
    from llmops_cli.chat.frame import Frame
    from llmops_cli.chat.tree import Turn

    path = [Turn(1, None, "user", "가" * 100, "")]
    for number in range(2, 12, 2):
        path += [
            Turn(number, number - 1, "assistant", "나" * 100, ""),
            Turn(number + 1, number, "user", "다" * 100, ""),
        ]
    asked = Request(session.settings)
    prepared = Window(engine, None, None).prepare(Frame(), path, asked)
    assert (prepared.estimated, prepared.tokens, prepared.room, prepared.left) == (True, 11 * 84, None, None)
    limited = Window(engine, 600, None).prepare(Frame(), path, asked)
    assert limited.request.turns == limited.turns
    assert [turn.id for turn in limited.dropped] == [1, 2, 3, 4, 5, 6]
    assert (limited.tokens, limited.room) == (5 * 84, 590)
    with pytest.raises(InputError, match="a server cannot go on with an answer"):
        Window(engine, None, None).prepare(Frame(), path[:1], asked, begun=path[1])
