"""What a conversation is set to: everything besides its turns that decides what the model sees and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class State:
    """Settings of a conversation, kept with it.

    `adapter` names one beside the model, "" the model as it is. `template` is a prompt template with its `values`.
    `memory` stands at the beginning of what the model sees and `note`, the author's note, near its end. `names` are
    characters: code to name. `settings` lie over the generation settings of the template. `branch` is the name that the
    next turn gets, as the beginning of a branch.
    """

    model: str = ""
    adapter: str = ""
    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    memory: str = ""
    note: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    branch: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> State:
        """The state out of plain data; what this version does not know is left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})
