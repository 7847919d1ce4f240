"""A record token by token, as training sees it and as a person reads it."""

from __future__ import annotations

from typing import NamedTuple

from llmops_cli.data.records import Record
from llmops_cli.models.dataset import encode_record
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import IGNORED
from llmops_cli.prompts.template import render


class Token(NamedTuple):
    """One token of a record.

    `text` is what it adds to the text. Tokens that are a character only together have it at the last of them, the
    others an empty one. `special` tokens are the template's: they cannot be written as text.
    """

    id: int
    text: str
    learned: bool
    special: bool


def tokens_of(tokenizer: ModelTokenizer, record: Record) -> list[Token]:
    """The tokens of a record with their label mask, before anything is cut; their texts joined are the whole text.

    Raises:
        InputError: the chat template does not take this conversation.
    """
    labels = encode_record(tokenizer, record).labels
    if record.text is not None:
        text = record.text + tokenizer.eos_token
    else:
        turns = [message.to_json() for message in record.messages]
        text = render(tokenizer.template, turns, eos_token=tokenizer.eos_token)
    ids, offsets = tokenizer.encode_with_offsets(text)
    special = set(tokenizer.special_tokens.values())
    starts = [start for start, _ in offsets[1:]] + [len(text)]
    tokens = []
    told = 0
    for place, (token, label, next_start) in enumerate(zip(ids, labels, starts, strict=True)):
        end = max(told, offsets[place][1])
        whole = next_start >= end
        piece = text[told:end] if whole else ""
        told = end if whole else told
        tokens.append(Token(token, piece, place > 0 and label != IGNORED, token in special))
    return tokens
