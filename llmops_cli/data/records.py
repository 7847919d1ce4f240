"""The record: what every format becomes and everything after reading works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from llmops_cli.core.errors import InputError

Role = Literal["system", "user", "assistant"]
ROLES: tuple[str, ...] = get_args(Role)


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    content: str

    def to_json(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


class _Fields(NamedTuple):
    id: str
    messages: tuple[Message, ...] = ()
    text: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    source: str = ""
    metadata: Mapping[str, Any] = {}
    where: str = ""
    denormalised: bool = False


class Record(_Fields):
    """One conversation or one plain text.

    Exactly one of `messages` and `text` is there. `chosen` and `rejected` are two answers to the conversation
    in `messages`, for preference training. `where` (`file:line`) and `denormalised` (the file had text that
    was not NFC) are about the reading and are not written.

    Raises:
        InputError: both or neither of `messages` and `text`, or only one of `chosen` and `rejected`.
    """

    __slots__ = ()

    def __new__(cls, *values: Any, **fields: Any) -> Record:
        self = super().__new__(cls, *values, **fields)
        if bool(self.messages) == (self.text is not None):
            found = "both" if self.messages else "neither"
            raise InputError(f"a record has either messages or text, got {found}", where=self.where)
        if self.chosen is not self.rejected:
            if self.chosen is None or self.rejected is None:
                raise InputError("chosen and rejected belong together, got one of them", where=self.where)
            if not self.messages:
                raise InputError("chosen and rejected answer messages, got text", where=self.where)
        return self

    @classmethod
    def of_messages(
        cls, name: str, messages: tuple[Message, ...], source: str, metadata: Mapping[str, Any], where: str
    ) -> Record:
        """A conversation of at least one message, made without the tests that it cannot fail: the commonest case."""
        return tuple.__new__(cls, (name, messages, None, None, None, source, metadata, where, False))

    def contents(self) -> tuple[str, ...]:
        """Every text of the record: the turns or the plain text, then chosen and rejected."""
        texts = [message.content for message in self.messages] if self.messages else [self.text]
        return tuple(text for text in (*texts, self.chosen, self.rejected) if text is not None)

    def answers(self) -> list[str]:
        """What a model would learn to write: the assistant's turns and the chosen answer, or the plain text."""
        texts = [content for role, content in self.messages if role == "assistant"]
        return [*texts, *(text for text in (self.text, self.chosen) if text is not None)]

    def with_contents(self, change: Callable[[str], str]) -> Record:
        """The record with `change` applied to every text of it."""
        texts: dict[str, Any] = {
            name: None if (text := getattr(self, name)) is None else change(text)
            for name in ("text", "chosen", "rejected")
        }
        return self._replace(messages=tuple(Message(role, change(content)) for role, content in self.messages), **texts)

    def to_json(self) -> dict[str, Any]:
        """The record as a row of our JSONL: `{id, messages|text, [chosen, rejected,] source, metadata}`."""
        row: dict[str, Any] = {"id": self.id}
        if self.messages:
            row["messages"] = [{"role": role, "content": content} for role, content in self.messages]
        else:
            row["text"] = self.text
        if self.chosen is not None:
            row |= {"chosen": self.chosen, "rejected": self.rejected}
        return row | {"source": self.source, "metadata": dict(self.metadata)}
