"""How well a model predicts given text, and how far two models are apart on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import TYPE_CHECKING, Protocol

from llmops_cli.core.console import Progress
from llmops_cli.core.errors import InputError
from llmops_cli.prompts.encode import IGNORED, Encoded

if TYPE_CHECKING:
    import torch


class Predicts(Protocol):
    """The part of an engine that is needed here; both kinds of :mod:`llmops_cli.inference.engine` have it."""

    name: str

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        """See :class:`llmops_cli.inference.engine.Engine`."""

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        """See :class:`llmops_cli.inference.engine.Engine`."""


@dataclass(frozen=True)
class Score:
    """Summed negative log-likelihood (nats) over `tokens` predicted tokens that spell `characters` characters."""

    nats: float
    tokens: int
    characters: int

    @property
    def loss(self) -> float:
        """Nats per token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """exp(nats per token). Depends on the tokenizer: compare models of one tokenizer only."""
        return math.exp(min(self.loss, 700))

    @property
    def bits_per_character(self) -> float:
        """Bits per character of the predicted text; comparable between tokenizers."""
        return self.nats / math.log(2) / self.characters


def score(engine: Predicts, records: Sequence[Encoded], progress: Progress) -> Score:
    """Score the labelled tokens of records together; at least one token has a label.

    Raises:
        MachineError: the engine has no logprobs.
    """
    found = list(scores(engine, records, progress))
    return Score(
        math.fsum(each.nats for each in found),
        sum(each.tokens for each in found),
        sum(each.characters for each in found),
    )


def scores(engine: Predicts, records: Iterable[Encoded], progress: Progress) -> Iterator[Score]:
    """Score the labelled tokens of each record, in order.

    Raises:
        MachineError: the engine has no logprobs.
    """
    given, scored = tee(records)
    for done, (found, record) in enumerate(zip(engine.log_probabilities(given), scored, strict=True), 1):
        yield Score(-math.fsum(found), record.labelled, record.characters)
        progress.update(done)


def label_log_probabilities(
    logits: Callable[[Sequence[int]], Iterator[torch.Tensor]], records: Iterable[Encoded]
) -> Iterator[list[float]]:
    """:meth:`Engine.log_probabilities` out of :meth:`Engine.logits`, a record at a time."""
    import torch

    for record in records:
        found: list[float] = []
        for chunk in logits(record.ids):
            wanted = torch.tensor(record.ids[len(found) + 1 : len(found) + 1 + len(chunk)], device=chunk.device)
            rows = chunk.log_softmax(-1).gather(-1, wanted.unsqueeze(-1))
            found += rows.squeeze(-1).tolist()
        yield [value for value, label in zip(found, record.labels[1:], strict=True) if label != IGNORED]


@dataclass(frozen=True)
class Divergence:
    """How far a model is from an original over `tokens` predictions: summed KL divergence, and where both agree."""

    nats: float
    agreeing: int
    tokens: int

    @property
    def mean(self) -> float:
        """KL divergence in nats per token; every token counts the same, however long its text is."""
        return self.nats / self.tokens

    @property
    def top1_agreement(self) -> float:
        """Share of predictions whose likeliest token is the same in both."""
        return self.agreeing / self.tokens


def divergence(original: Predicts, other: Predicts, texts: Iterable[Sequence[int]], progress: Progress) -> Divergence:
    """KL(original || other), summed over every token but the first of each text, given as token ids.

    At each position KL(P || Q) = sum over the vocabulary of P (log P - log Q), after Kullback and Leibler 1951, "On
    Information and Sufficiency"; averaged over tokens as llama.cpp's `perplexity --kl-divergence` does.

    Raises:
        InputError: the vocabularies differ in size.
        MachineError: an engine has no logprobs.
    """
    nats, agreeing, tokens = 0.0, 0, 0
    for done, ids in enumerate(texts, 1):
        for ours, theirs in _aligned(original.logits(ids), other.logits(ids)):
            if ours.shape != theirs.shape:
                what = f"{original.name} predicts {ours.shape[-1]} tokens, {other.name} {theirs.shape[-1]}"
                raise InputError(f"models of different vocabularies: {what}", where="divergence")
            p, q = ours.log_softmax(-1), theirs.to(ours.device).log_softmax(-1)
            nats += float((p.exp() * (p - q)).sum(-1).double().sum())
            agreeing += int((p.argmax(-1) == q.argmax(-1)).sum())
            tokens += len(p)
        progress.update(done)
    return Divergence(nats, agreeing, tokens)


def _aligned(
    left: Iterator[torch.Tensor], right: Iterator[torch.Tensor]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Chunks of equal length out of two iterators of chunks that hold the same number of rows together."""
    ours, theirs = next(left, None), next(right, None)
    while ours is not None and theirs is not None:
        rows = min(len(ours), len(theirs))
        yield ours[:rows], theirs[:rows]
        ours = ours[rows:] if len(ours) > rows else next(left, None)
        theirs = theirs[rows:] if len(theirs) > rows else next(right, None)
