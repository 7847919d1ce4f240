"""How far an export is from its original on given text, and whether the adapter is still in it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from llmops_cli.core.console import Progress
from llmops_cli.core.errors import GateFailed
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Engine, Event, Request, complete_all
from llmops_cli.prompts.encode import IGNORED, Encoded

ROWS = 64
"""Predictions that are compared at once: 64 x 151,936 in fp32 are 39 MB for each model."""
PROMPTS, PROMPT_TOKENS, ANSWER_TOKENS = 3, 32, 32
"""Of the text whose continuation is timed."""


@dataclass
class Agreement:
    """A model beside the original, over the tokens that carry a label. KL divergence and losses are in nats."""

    divergences: list[float] = field(default_factory=list)
    """KL(original || model) at each prediction."""
    effects: list[float] = field(default_factory=list)
    """KL(model || bare base) at each prediction, of a model with an adapter."""
    agreeing: int = 0
    nats: float = 0.0

    @property
    def kl_mean(self) -> float:
        """KL divergence from the original, nats per token."""
        return math.fsum(self.divergences) / len(self.divergences)

    @property
    def kl_p99(self) -> float:
        """What 99 of 100 tokens stay within (nearest rank)."""
        return sorted(self.divergences)[math.ceil(0.99 * len(self.divergences)) - 1]

    @property
    def top1_agreement(self) -> float:
        """Share of predictions whose likeliest token is that of the original."""
        return self.agreeing / len(self.divergences)

    @property
    def perplexity(self) -> float:
        """exp(nats per token)."""
        return math.exp(min(self.nats / len(self.divergences), 700))

    @property
    def effect(self) -> float | None:
        """What the adapter changes: KL divergence from the bare base, nats per token."""
        return math.fsum(self.effects) / len(self.effects) if self.effects else None


def compare(
    original: Engine, export: Engine, base: Engine | None, records: Sequence[Encoded], progress: Progress
) -> list[Agreement]:
    """Run models over the same records, in one pass.

    KL(P || Q) = sum over the vocabulary of P (log P - log Q), after Kullback and Leibler 1951, "On Information and
    Sufficiency"; every token counts the same.

    Args:
        original: what the others are compared with.
        export: what was made of it.
        base: the original without its adapter, when it has one.
        records: at least one of their tokens carries a label.
        progress: is told of every record.

    Returns:
        One for each model that was given, in their order.

    Raises:
        GateFailed: a model gives nan.
    """
    engines = [original, export, *([base] if base else [])]
    found = [Agreement() for _ in engines]
    for done, record in enumerate(records, 1):
        labels = torch.tensor(record.labels[1:])
        chunks = zip(*(_chunks(engine.logits(record.ids)) for engine in engines), strict=True)
        for logits, wanted in zip(chunks, torch.split(labels, ROWS), strict=True):
            labelled = wanted != IGNORED
            predictions = [rows.cpu()[labelled].log_softmax(-1) for rows in logits]
            for agreement, prediction in zip(found, predictions, strict=True):
                agreement.divergences += _divergence(predictions[0], prediction)
                agreement.effects += _divergence(prediction, predictions[-1]) if base else []
                agreement.agreeing += int((predictions[0].argmax(-1) == prediction.argmax(-1)).sum())
                agreement.nats -= float(prediction.gather(-1, wanted[labelled, None]).double().sum())
        progress.update(done)
    if not all(math.isfinite(agreement.nats) for agreement in found):
        raise GateFailed("a model gives nan: its weights are broken")
    return found


def _divergence(model: torch.Tensor, other: torch.Tensor) -> list[float]:
    """KL(model || other) of log-probabilities (rows, vocabulary), for each row."""
    rows: list[float] = (model.exp() * (model - other)).sum(-1).tolist()
    return rows


def _chunks(pieces: Iterator[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Rows of several tensors in chunks of `ROWS`, the last one shorter; each is valid until the next is asked for."""
    held: torch.Tensor | None = None
    for piece in pieces:
        held = piece if held is None else torch.cat((held, piece))
        while len(held) > ROWS:
            yield held[:ROWS]
            held = held[ROWS:]
        held = held.clone()
    if held is not None:
        yield held


def decoding_speed(engine: Engine, records: Sequence[Encoded]) -> float | None:
    """Tokens per second of one greedy stream after its first token; None when every answer ends there."""
    assert engine.tokenizer is not None
    settings = GenerationConfig(temperature=0, max_tokens=ANSWER_TOKENS)
    texts = [engine.tokenizer.decode(record.ids[:PROMPT_TOKENS]) for record in records[:PROMPTS]]
    seconds, tokens = 0.0, 0
    for text in texts:
        moments: list[float] = []

        def note(event: Event, moments: list[float] = moments) -> None:
            moments.extend([time.perf_counter()] * len(event.token_ids))

        for _ in complete_all(engine, [Request(settings, text=text)], on_event=note):
            seconds, tokens = seconds + moments[-1] - moments[0], tokens + len(moments) - 1
    return tokens / seconds if seconds else None
