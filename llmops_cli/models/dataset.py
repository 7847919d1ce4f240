"""Records as a model trains on them, and what had to be said about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from llmops_cli.core.errors import InputError
from llmops_cli.data.checks import structure
from llmops_cli.data.records import Record
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import Encoded, encode_conversation, encode_text


@dataclass
class EncodedSet:
    """Encoded records, what they were made from, and the counts a user should see before a step is paid for."""

    records: list[Encoded] = field(default_factory=list)
    sources: list[Record] = field(default_factory=list)
    faulty: list[str] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    without_end: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in all."""
        return sum(len(record.ids) for record in self.records)

    @property
    def labelled(self) -> int:
        """Tokens that are learned."""
        return sum(record.labelled for record in self.records)

    def warnings(self, name: str) -> list[str]:
        """What may spoil a training, one line each."""
        lines = []
        if self.faulty:
            lines.append(f"{name}: {len(self.faulty)} records are left out, first {self.faulty[0]}")
        if self.masked:
            lines.append(
                f"{name}: {len(self.masked)} records teach nothing (all labels masked), first {self.masked[0]}"
            )
        if self.truncated:
            lines.append(
                f"{name}: {len(self.truncated)} records lose their end at data.max_length, first {self.truncated[0]}"
            )
        if self.records and self.without_end == len(self.records):
            lines.append(f"{name}: no record teaches the end-of-turn token; the model will not learn to stop")
        return lines


def encode_record(
    tokenizer: ModelTokenizer, record: Record, max_length: int | None = None, *, every_turn: bool = False
) -> Encoded:
    """Encode one record as :func:`encode_records` does; of two answers, the chosen one is what is learned.

    Raises:
        InputError: the chat template does not take this conversation; with the record's place.
    """
    if record.text is not None:
        return encode_text(tokenizer, record.text, max_length)
    turns = [message.to_json() for message in record.messages]
    if record.chosen is not None:
        turns.append({"role": "assistant", "content": record.chosen})
    try:
        return encode_conversation(tokenizer, turns, max_length, every_turn=every_turn)
    except InputError as error:
        raise InputError(error.problems[0].what, where=record.where) from None


def encode_records(
    tokenizer: ModelTokenizer, records: Iterable[Record], max_length: int, *, every_turn: bool = False
) -> EncodedSet:
    """Encode records; those whose turns are in no order to learn from, or that teach nothing, are left out and counted.

    Args:
        tokenizer: the model's.
        records: conversations or texts.
        max_length: in tokens.
        every_turn: learn the other roles' turns too.
    """
    result = EncodedSet()
    for record in records:
        if fault := next(structure.faults(record), None):
            result.faulty.append(f"{record.where}: {fault}")
            continue
        encoded = encode_record(tokenizer, record, max_length, every_turn=every_turn)
        if encoded.labelled == 0:
            result.masked.append(record.where)
            continue
        if encoded.truncated:
            result.truncated.append(record.where)
        if tokenizer.eos_id not in encoded.labels:
            result.without_end += 1
        result.records.append(encoded)
        result.sources.append(record)
    return result
