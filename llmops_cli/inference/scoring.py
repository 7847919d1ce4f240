"""How well a model predicts given text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmops_cli.core.console import Progress
from llmops_cli.prompts.encode import Encoded

RECORDS_AT_ONCE = 32


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


def score(model: Any, records: Sequence[Encoded], length: int, pad_id: int, device: str, progress: Progress) -> Score:
    """Score the labelled tokens of records with a causal LM of transformers, packed, in fp32 sums.

    Args:
        model: in evaluation mode, on `device`.
        records: what is scored; at least one labelled token in all.
        length: most tokens of one forward pass.
        pad_id: any token id.
        device: its name.
        progress: told how many records are done.
    """
    import torch

    from llmops_cli.models.loss import row_loss
    from llmops_cli.models.packing import Packer

    packer = Packer(length, pad_id)
    nats = 0.0
    with torch.inference_mode():
        for start in range(0, len(records), RECORDS_AT_ONCE):
            for row in packer.rows(records[start : start + RECORDS_AT_ONCE]):
                nats += float(row_loss(model, {name: tensor.to(device) for name, tensor in row.items()}))
            progress.update(min(start + RECORDS_AT_ONCE, len(records)))
    tokens = sum(record.labelled for record in records)
    return Score(nats, tokens, sum(record.characters for record in records))
