"""Choosing the next token from logits."""

from __future__ import annotations

import torch

from llmops_cli.inference.config import GenerationConfig


def choose(logits: torch.Tensor, settings: GenerationConfig, generator: torch.Generator) -> int:
    """One token id from logits of shape (vocabulary,), on any device; sampling is done in fp32 on the CPU.

    Top-p after Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration": the smallest set of likeliest
    tokens whose probabilities sum to at least p.
    """
    logits = logits.float().cpu()
    if settings.temperature == 0:
        return int(logits.argmax())
    scaled = (logits - logits.max()).double() / settings.temperature  # the likeliest is 0, so nothing overflows
    probabilities = torch.softmax(scaled, dim=-1).float()
    if settings.top_p < 1:
        ranked, order = probabilities.sort(descending=True)
        ranked[ranked.cumsum(-1) - ranked >= settings.top_p] = 0
        probabilities = torch.zeros_like(probabilities).scatter(0, order, ranked)
    return int(torch.multinomial(probabilities, 1, generator=generator))
