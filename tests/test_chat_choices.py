"""What a writer chooses: two answers at once, good and bad, and rows of it that can be trained on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli, Train

from llmops_cli.chat.choosing import Variant
from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.preferences import preference_rows
from llmops_cli.chat.session import Session
from llmops_cli.chat.store import Store
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.streaming import TextBatch


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


@pytest.fixture
def session(store: Store) -> Session:
    """A new conversation with made-up answers."""
    return open_session(ChatConfig(model="fake:words?length=6"), store, None, SilentReporter())


def rows(store: Store) -> list[dict[str, Any]]:
    return list(preference_rows(store.choices()))


def test_the_better_of_two_answers_is_gone_on_from(session: Session, store: Store) -> None:
    shown = ["", ""]

    def show(place: int, piece: str) -> None:
        shown[place] += piece

    pair = session.ab(Variant({"temperature": "0"}), "비가 와?", show)
    first, second = (reply.turn for reply in pair.replies)
    assert shown == [first.text, second.text]
    assert first.parent == second.parent == pair.question.id
    temperatures = [turn.made.settings["temperature"] for turn in (first, second) if turn.made]
    assert temperatures[pair.other] == 0
    assert temperatures[1 - pair.other] == 0.8
    assert session.choose(pair, 1, "담백하다").id == second.id
    assert [turn.text for turn in session.conversation.tree.path()] == ["비가 와?", second.text]
    assert session.conversation.tree[first.id] == first
    (choice,) = store.choices()
    assert (choice.kind, choice.turn, choice.reason) == ("ab", second.id, "담백하다")
    assert (choice.chosen, choice.rejected) == (second.text, first.text)
    assert {choice.made[key]["settings"]["temperature"] for key in ("chosen", "rejected")} == {0, 0.8}


def test_which_is_first_is_left_to_chance(session: Session) -> None:
    session.ask("비가 와?")
    assert {session.ab(Variant({"temperature": "0"})).other for _ in range(20)} == {0, 1}


def test_the_last_question_is_answered_twice_with_other_seeds(session: Session) -> None:
    session.ask("비가 와?")
    pair = session.ab(Variant())
    seeds = {reply.turn.made.settings["seed"] for reply in pair.replies if reply.turn.made}
    assert (pair.question.id, seeds) == (1, {8, 9})
    assert len(session.conversation.tree.children(1)) == 3


def test_both_answers_share_the_steps(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[set[int]] = []
    step = TextBatch.step

    def counted(batch: TextBatch) -> Any:
        events = step(batch)
        steps.append({event.number for event in events})
        return events

    monkeypatch.setattr(TextBatch, "step", counted)
    session.ab(Variant({"temperature": "0"}), "비가 와?")
    assert {1, 2} in steps


def test_two_templates(session: Session) -> None:
    name = "restyling"
    pair = session.ab(Variant(template=name, values={}), "비가 온다.")
    sent = [session.why(reply.turn.id) for reply in pair.replies]
    assert sent[pair.other]["template"].startswith(f"{name}@")
    assert sent[1 - pair.other]["template"] == ""
    assert sent[1 - pair.other]["sent"][-1]["content"] == "비가 온다."
    assert sent[pair.other]["sent"][-1]["content"] != "비가 온다."
    chosen = session.choose(pair, pair.other)
    assert session.prepare("더").turns[-3]["content"] == sent[pair.other]["sent"][-1]["content"]
    assert session.why(chosen.id)["sent"] == sent[pair.other]["sent"]


def test_two_adapters(store: Store, run_here: Path, tiny_model: Path, other_model: Path) -> None:
    shutil.copytree(run_here, "runs/second")
    config = ChatConfig(model="runs/finished", generation=GenerationConfig(temperature=0, max_tokens=8))
    session = open_session(config, store, None, SilentReporter())
    alone = session.ask("비가 와?").turn.text
    pair = session.ab(Variant(model=str(tiny_model)))
    texts = [reply.turn.text for reply in pair.replies]
    assert texts[1 - pair.other] == alone != texts[pair.other]
    made = pair.replies[pair.other].turn.made
    assert made
    assert (made.adapter, session.state.adapter) == ("", "runs/finished")
    assert session.ab(Variant(model="runs/second")).replies[0].turn.text == alone
    with pytest.raises(InputError, match=r"other.* is no adapter of .*: two answers come from one base"):
        session.ab(Variant(model=str(other_model)))


@pytest.mark.parametrize(
    "other", [Variant({"temprature": "1"}), Variant({"seed": "x"}), Variant(template="없다"), Variant(model="runs/no")]
)
def test_a_variant_that_cannot_be_changes_nothing(session: Session, other: Variant) -> None:
    from llmops_cli.core.errors import LlmopsError

    with pytest.raises(LlmopsError):
        session.ab(other, "비가 와?")
    assert not session.conversation.tree.turns


def test_good_and_bad_answers_to_the_same_turns_are_pairs(session: Session, store: Store) -> None:
    answers = [session.ask("비가 와?").turn, session.regen().turn, session.regen().turn]
    session.good("좋다", answers[0].id)
    session.bad("늘어진다", answers[1].id)
    session.good("", answers[2].id)
    session.bad("다시 보니", answers[2].id)
    session.note("짧게")
    session.regen()
    session.good("다른 물음이다")
    found = [(row["chosen"][0]["content"], row["rejected"][0]["content"], row["reason"]) for row in rows(store)]
    assert found == [
        (answers[0].text, answers[1].text, "좋다 / 늘어진다"),
        (answers[0].text, answers[2].text, "좋다 / 다시 보니"),
    ]
    with pytest.raises(InputError, match="turn 1 is no answer"):
        session.good("", 1)


def test_answers_that_are_the_same_say_nothing(session: Session, store: Store) -> None:
    session.set("temperature", 0)
    session.choose(session.ab(Variant(), "비가 와?"), 0)
    assert len(store.choices()) == 1
    assert rows(store) == []


def test_names_stand_in_the_rows(store: Store) -> None:
    session = open_session(ChatConfig(model="fake:echo"), store, None, SilentReporter())
    session.names("C001", "지우")
    answer = session.ask("C001은 갔다.").turn
    session.edit(answer.id, "C001이 왔다.")
    session.good()
    session.bad("", answer.id)
    (row,) = rows(store)
    assert row["prompt"] == [{"role": "user", "content": "지우는 갔다."}]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("지우가 왔다.", "지우는 갔다.")


def test_choices_pass_validation_and_are_trained_on(session: Session, store: Store, cli: Cli, train: Train) -> None:
    for number in range(8):
        session.choose(session.ab(Variant({"temperature": 1.1}), f"{number}번째 이야기"), number % 2, "낫다")
        session.undo()
    written = rows(store)
    assert len(written) == 8
    Path("preferences.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written))
    checked = cli("data", "validate", "preferences.jsonl", "--json")
    assert checked.code == 0, checked.err
    assert checked.json()["formats"] == {"preference": 8}
    trained = train("a", data__train="preferences.jsonl", data__eval="preferences.jsonl", train__max_steps=2)
    assert trained.code == 0, trained.err
    assert "left out" not in trained.err
    assert "teach nothing" not in trained.err
