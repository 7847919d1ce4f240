"""How likely the decoder finds given text: several short records share a forward pass, a long one takes several."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import torch

from llmops_cli.inference.decoder.cache import KeyValueCache
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.prompts.encode import IGNORED, Encoded

CHUNK = 512
"""Most tokens in one forward pass."""


class _Reading:
    """A record on its way through the decoder: after `ids[i]` the token `labels[i]` is predicted, where it is one."""

    def __init__(self, record: Encoded, cache: KeyValueCache) -> None:
        labels = record.labels[1:]
        end = max((place for place, label in enumerate(labels, 1) if label != IGNORED), default=0)
        self._ids, self._labels, self.cache = record.ids[:end], labels[:end], cache
        self.found: list[float] = []

    @property
    def left(self) -> int:
        """Tokens that the cache lacks."""
        return len(self._ids) - len(self.cache.ids)

    def next(self, most: int) -> tuple[Span, list[int]]:
        """The next tokens and their labels."""
        piece = slice(len(self.cache.ids), len(self.cache.ids) + most)
        return Span(self._ids[piece], self.cache), self._labels[piece]


def label_log_probabilities(decoder: Decoder, records: Iterable[Encoded]) -> Iterator[list[float]]:
    """As :meth:`llmops_cli.inference.engine.Engine.log_probabilities`."""
    waiting = iter(records)
    readings: deque[_Reading] = deque()
    while True:
        room = CHUNK - sum(reading.left for reading in readings)
        while room > 0 and (record := next(waiting, None)):
            readings.append(_Reading(record, decoder.new_cache()))
            room -= readings[-1].left
        if not readings:
            return
        _read_on(decoder, readings)
        while readings and not readings[0].left:
            yield readings.popleft().found


@torch.inference_mode()
def _read_on(decoder: Decoder, readings: Iterable[_Reading]) -> None:
    """One forward pass over the next tokens of the readings."""
    spans: list[Span] = []
    labels: list[int] = []
    predicting: list[_Reading] = []
    for reading in readings:
        span, wanted = reading.next(CHUNK - len(labels))
        if span.ids:
            spans.append(span)
            labels += wanted
            predicting += [reading] * len(wanted)
    if not spans:
        return
    hidden = decoder.forward(spans)
    tokens = torch.tensor(labels, device=hidden.device)
    rows = (tokens != IGNORED).nonzero()[:, 0]
    found = decoder.log_probabilities(hidden[rows], tokens[rows])
    for row, value in zip(rows.tolist(), found.tolist(), strict=True):
        predicting[row].found.append(value)
