"""Models and adapters of a conversation: what is loaded anew, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.chat import model as models
from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.opening import open_session
from llmops_cli.chat.store import Store
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.models.resolve import ModelFiles


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


def test_an_adapter_is_changed_without_loading_the_base(
    store: Store, run_here: Path, tiny_model: Path, other_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run_here, "runs/second")
    loaded: list[str] = []
    load = models.load_engine

    def counted(choice: Any, config: Any) -> Any:
        loaded.append(choice.source.name)
        return load(choice, config)

    monkeypatch.setattr(models, "load_engine", counted)
    config = ChatConfig(model="runs/finished", generation=GenerationConfig(temperature=0, max_tokens=6))
    session = open_session(config, store, None, SilentReporter())
    with_adapter = session.ask("비가 와?").turn
    assert (session.state.model, session.state.adapter) == (str(tiny_model), "runs/finished")
    assert session.switch("runs/second") is False
    assert session.switch(str(tiny_model)) is False
    without = session.regen().turn
    assert session.switch("runs/finished") is False
    assert len(loaded) == 1
    assert session.regen().turn.text == with_adapter.text != without.text
    assert (session.why()["adapter"], session.why()["run"]) == ("runs/finished", "runs/finished")
    assert session.switch(str(other_model)) is True
    assert len(loaded) == 2


def test_an_adapter_of_another_base_is_refused(store: Store, run_here: Path, other_model: Path) -> None:
    config = ChatConfig(model="runs/finished", generation=GenerationConfig(max_tokens=6))
    session = open_session(config, store, None, SilentReporter())
    contract = run_here / "adapter/contract.json"
    base = session.model.choice.source
    assert isinstance(base, ModelFiles)
    wrong = Path(shutil.copytree(run_here, "runs/wrong")) / "adapter/contract.json"
    wrong.write_text(contract.read_text().replace(str(base.base), str(other_model)))
    with pytest.raises(InputError, match="the model is not what it was trained with: base_weights"):
        session.switch("runs/wrong")
    assert session.state.adapter == "runs/finished"
    assert len(session.ask("비가 와?").completion.token_ids) > 0
    with pytest.raises(MachineError, match="no such model"):
        session.switch("runs/nothing")
