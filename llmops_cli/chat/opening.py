"""From a configuration to a conversation that can be written in: a new one, or one that is resumed."""

from __future__ import annotations

from typing import Any

from llmops_cli.chat.config import ChatConfig
from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.input import read_text
from llmops_cli.chat.model import Model
from llmops_cli.chat.session import Session
from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store
from llmops_cli.core.console import Reporter
from llmops_cli.inference.open import choose_engine
from llmops_cli.prompts.library import find_template


def open_session(config: ChatConfig, store: Store, number: int | None, reporter: Reporter) -> Session:
    """Begin a conversation, or resume the one of a number.

    What the configuration says of the model, the system prompt, the template and the generation lies over what a
    resumed conversation is set to, and is kept with it. One whose writer is another program is only read.

    Raises:
        InputError: there is no such conversation, template or file, or the model cannot be used.
        MachineError: no such model here, or the store cannot be written.
    """
    changes = _changes(config)
    conversation = None if number is None else store.load(number)
    try:
        model = _model(config, conversation, reporter)
        changes |= {"model": model.name, "adapter": model.adapter}
        if conversation is None:
            conversation = store.new("", State(**changes))
        elif not conversation.read_only:
            settings = {**conversation.state.settings, **changes.pop("settings", {})}
            conversation.set(**changes, settings=settings)
        return Session(conversation, model, config)
    except BaseException:
        if conversation:
            conversation.close()
        raise


def _model(config: ChatConfig, conversation: Conversation | None, reporter: Reporter) -> Model:
    if conversation and "model" not in config.model_fields_set:
        name = conversation.state.adapter or conversation.state.model
        config = config.model_copy(update={"model": name})
    return Model(choose_engine(config), config, reporter)


def _changes(config: ChatConfig) -> dict[str, Any]:
    """The fields of the state that the configuration names."""
    changes: dict[str, Any] = {}
    if config.system:
        changes["system"] = read_text(config.system)
    if config.template:
        find_template(config.template).opening(config.values)
        changes |= {"template": config.template, "values": config.values}
    if named := config.generation.model_fields_set:
        changes["settings"] = config.generation.model_dump(include=set(named))
    return changes
