"""The record: what every format becomes and everything after reading works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from llmops_cli.core.errors import InputError

Role = Literal["system", "user", "assistant"]
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str

    def to_json(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True)
class Record:
    """One conversation or one plain text.

    Exactly one of `messages` and `text` is there. `chosen` and `rejected` are two answers to the conversation
    in `messages`, for preference training. `where` (`file:line`) and `denormalised` (the file had text that
    was not NFC) are about the reading and are not written.

    Raises:
        InputError: both or neither of `messages` and `text`, or only one of `chosen` and `rejected`.
    """

    id: str
    messages: tuple[Message, ...] = ()
    text: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    denormalised: bool = False

    def __post_init__(self) -> None:
        if bool(self.messages) == (self.text is not None):
            found = "both" if self.messages else "neither"
            raise InputError(f"a record has either messages or text, got {found}", where=self.where)
        if (self.chosen is None) != (self.rejected is None):
            raise InputError("chosen and rejected belong together, got one of them", where=self.where)
        if self.chosen is not None and not self.messages:
            raise InputError("chosen and rejected answer messages, got text", where=self.where)

    def contents(self) -> tuple[str, ...]:
        """Every text of the record: the turns or the plain text, then chosen and rejected."""
        texts = [message.content for message in self.messages] if self.messages else [self.text]
        return tuple(text for text in (*texts, self.chosen, self.rejected) if text is not None)

    def to_json(self) -> dict[str, Any]:
        """The record as a row of our JSONL: `{id, messages|text, [chosen, rejected,] source, metadata}`."""
        row: dict[str, Any] = {"id": self.id}
        if self.messages:
            row["messages"] = [message.to_json() for message in self.messages]
        else:
            row["text"] = self.text
        if self.chosen is not None:
            row |= {"chosen": self.chosen, "rejected": self.rejected}
        return row | {"source": self.source, "metadata": dict(self.metadata)}
