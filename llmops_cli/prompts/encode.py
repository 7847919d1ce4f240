"""From a conversation to token ids and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmops_cli.core.errors import InputError
from llmops_cli.prompts.template import Turn, render

IGNORED = -100
"""The label of a token that is not learned (the `ignore_index` of torch's cross entropy)."""
MARK, MARKS = "\ue000{}\ue001", re.compile("\ue000([0-9]+)\ue001")
"""Stands for the content of a turn where the chat template is asked what it writes around it."""


class Tokenizes(Protocol):
    """What encoding needs of a model's tokenizer."""

    @property
    def template(self) -> str:
        """The chat template."""

    @property
    def eos_token(self) -> str:
        """The token that ends a turn."""

    @property
    def eos_id(self) -> int:
        """The id that ends an assistant turn."""

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids and the character offsets of each."""


@dataclass(frozen=True)
class Encoded:
    """One record as a model trains on it.

    `ids` and `labels` have one entry per token; `labels[i]` is `ids[i]` where token i is learned, else IGNORED.
    `characters` counts the characters of the learned text, without the end-of-turn markers.
    """

    ids: list[int]
    labels: list[int]
    characters: int
    truncated: bool = False

    @property
    def labelled(self) -> int:
        """How many tokens are learned; the first token of a sequence is predicted by nothing and never counts."""
        return sum(label != IGNORED for label in self.labels[1:])


def learned_spans(tokenizer: Tokenizes, turns: Sequence[Turn], every_turn: bool) -> tuple[str, list[tuple[int, int]]]:
    """The rendered conversation and the character spans of it that are learned.

    A span is a turn's content and its end-of-turn token; what the template writes after that token is not learned.

    Raises:
        InputError: the template does not render a conversation as a beginning of the longer one, so that the place
            of a turn in it is unknown.
    """
    text = render(tokenizer.template, turns, eos_token=tokenizer.eos_token)
    spans = []
    for index, turn in enumerate(turns):
        if turn["role"] != "assistant" and not every_turn:
            continue
        before = render(
            tokenizer.template,
            turns[:index],
            add_generation_prompt=turn["role"] == "assistant",
            eos_token=tokenizer.eos_token,
        )
        after = render(tokenizer.template, turns[: index + 1], eos_token=tokenizer.eos_token)
        if not (text.startswith(after) and after.startswith(before)):
            raise InputError(
                "the chat template rewrites earlier turns; the learned tokens cannot be told",
                where="chat template",
            )
        end = after.rfind(tokenizer.eos_token, len(before))
        start = len(before)
        if turn["role"] != "assistant":  # without a generation prompt the role header is part of the rendered turn
            stop = len(after) if end < 0 else end
            places = (after.rfind(text, start, stop) for text in (turn["content"], turn["content"].strip()))
            start = next((place for place in places if place >= 0), start)
        spans.append((start, len(after) if end < 0 else end + len(tokenizer.eos_token)))
    return text, spans


def encode_conversation(
    tokenizer: Tokenizes, turns: Sequence[Turn], max_length: int | None = None, *, every_turn: bool = False
) -> Encoded:
    """Encode a conversation with the chat template; assistant turns and their end-of-turn token are learned.

    Args:
        tokenizer: the model's tokenizer with its template.
        turns: `role` and `content` of every turn.
        max_length: in tokens; what is longer loses its end and is marked `truncated`.
        every_turn: learn the other roles' turns as well.
    """
    text, spans = learned_spans(tokenizer, turns, every_turn)
    ids, offsets = tokenizer.encode_with_offsets(text)
    labels = [IGNORED] * len(ids)
    position = 0
    for start, end in spans:
        while position < len(ids) and offsets[position][0] < start:
            position += 1
        while position < len(ids) and offsets[position][0] < end:
            labels[position] = ids[position]
            position += 1
    learned = sum(len(turn["content"].strip()) for turn in turns if every_turn or turn["role"] == "assistant")
    return _cut(ids, labels, learned, offsets, spans, max_length, len(tokenizer.eos_token))


def encode_text(tokenizer: Tokenizes, text: str, max_length: int | None = None) -> Encoded:
    """Encode plain text, every token learned, an end-of-turn token behind it."""
    ids, offsets = tokenizer.encode_with_offsets(text)
    ids = [*ids, tokenizer.eos_id]
    offsets = [*offsets, (len(text), len(text))]
    return _cut(ids, list(ids), len(text), offsets, [(0, len(text))], max_length, 0)


def _cut(
    ids: list[int],
    labels: list[int],
    characters: int,
    offsets: list[tuple[int, int]],
    spans: list[tuple[int, int]],
    max_length: int | None,
    marker: int,
) -> Encoded:
    if max_length is None or len(ids) <= max_length:
        return Encoded(ids, labels, characters)
    cut = offsets[max_length - 1][1]
    kept = sum(min(end - marker, cut) - start for start, end in spans if start < cut)
    return Encoded(ids[:max_length], labels[:max_length], kept, truncated=True)


def encode_prompt(
    tokenizer: Tokenizes, turns: Sequence[Turn], given: Mapping[int, Sequence[int]] | None = None
) -> list[int]:
    """Token ids of a conversation with the assistant's turn opened, ready to be answered.

    `given` are, by the place of a turn, the tokens in which a model wrote it: they are taken as they are, because the
    same text divided into other tokens is another beginning to a key/value cache.
    """
    text = render(tokenizer.template, turns, add_generation_prompt=True, eos_token=tokenizer.eos_token)
    starts = _content_starts(tokenizer, turns, text) if given else {}
    ids, done = list[int](), 0
    for place, tokens in sorted((given or {}).items()):
        if place in starts:
            ids += [*tokenizer.encode(text[done : starts[place]]), *tokens]
            done = starts[place] + len(turns[place]["content"])
    return ids + tokenizer.encode(text[done:])


def _content_starts(tokenizer: Tokenizes, turns: Sequence[Turn], text: str) -> dict[int, int]:
    """Where the contents of turns begin in a rendered conversation; empty if the template changes any of them."""
    marked = [{**turn, "content": MARK.format(place)} for place, turn in enumerate(turns)]
    around = render(tokenizer.template, marked, add_generation_prompt=True, eos_token=tokenizer.eos_token)
    frame, *rest = MARKS.split(around)
    again, starts = frame, {}
    for place, frame in zip(map(int, rest[::2]), rest[1::2], strict=True):
        starts[place] = len(again)
        again += turns[place]["content"] + frame
    return starts if again == text else {}
