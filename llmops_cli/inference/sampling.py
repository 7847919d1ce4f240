"""Choosing the next token from logits."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch

from llmops_cli.inference.config import GenerationConfig
from llmops_cli.models.tokenizer import ModelTokenizer

BREAKERS = "\n:\"“”'‘’*「」『』"
"""Characters at which a repeated sequence ends for DRY: lines, names of speakers, quotes, emphasis."""
LONGEST_REPEAT = 50
"""Tokens after which DRY looks no further back."""
FEW = 256
"""Likeliest tokens that are ranked first: mostly they hold what top-p asks for."""


def is_plain_greedy(settings: GenerationConfig) -> bool:
    """Whether the next token is the one with the highest logit, whatever was there before."""
    return settings.temperature == 0 and settings.repetition_penalty == 1 and settings.dry_multiplier == 0


def choose(
    logits: torch.Tensor,
    settings: GenerationConfig,
    generator: torch.Generator,
    past: Sequence[int] = (),
    breakers: Collection[int] = frozenset(),
    banned: Sequence[int] = (),
) -> int:
    """One token id from logits of shape (vocabulary,), on any device; sampling is done on the CPU.

    In this order: banned tokens, repetition penalty, DRY, temperature, top-k, top-p, min-p; each sees what the one
    before left.

    Args:
        logits: of the next token; not changed.
        settings: how to choose.
        generator: of the CPU; one number is drawn unless the temperature is 0.
        past: prompt and answer so far, which the penalties look at.
        breakers: tokens at which a repeated sequence ends, see :func:`sequence_breakers`.
        banned: tokens that are not chosen.
    """
    logits = logits.float().cpu()
    if banned:
        logits = logits.index_fill(0, torch.tensor(banned), -math.inf)
    logits = _penalised(logits, settings, past, breakers)
    if settings.temperature == 0:
        return int(logits.argmax())
    return _drawn(logits, settings, generator)


def sequence_breakers(tokenizer: ModelTokenizer) -> frozenset[int]:
    """Special tokens and tokens with a character of :data:`BREAKERS`."""
    every = range(tokenizer.size)
    texts = tokenizer.backend.decode_batch([[token] for token in every], skip_special_tokens=False)
    plain = {token for token, text in zip(every, texts, strict=True) if set(text) & set(BREAKERS)}
    return frozenset(plain | set(tokenizer.special_tokens.values()))


def _penalised(
    logits: torch.Tensor, settings: GenerationConfig, past: Sequence[int], breakers: Collection[int]
) -> torch.Tensor:
    """Repetition penalty after Keskar et al. 2019, "CTRL", and DRY after p-e-w 2024 (text-generation-webui 5677).

    The first divides positive logits of tokens that were there before, and multiplies negative ones. DRY takes
    multiplier * base ** (length - allowed_length) from a token that would make a repeated sequence of `length` longer.
    """
    if not past or (settings.repetition_penalty == 1 and settings.dry_multiplier == 0):
        return logits
    logits = logits.clone()
    if settings.repetition_penalty != 1:
        seen = torch.tensor(sorted(set(past)))
        values = logits[seen]
        logits[seen] = torch.where(
            values < 0, values * settings.repetition_penalty, values / settings.repetition_penalty
        )
    if settings.dry_multiplier:
        for token, length in _repeats(past, breakers).items():
            if length >= settings.dry_allowed_length:
                logits[token] -= settings.dry_multiplier * settings.dry_base ** (length - settings.dry_allowed_length)
    return logits


def _repeats(past: Sequence[int], breakers: Collection[int]) -> dict[int, int]:
    """Tokens that followed the last tokens before, with the length of the longest sequence they would repeat."""
    repeats: dict[int, int] = {}
    if past[-1] in breakers:
        return repeats
    for end in (place for place, token in enumerate(past[:-1]) if token == past[-1]):
        length = 1
        while length < min(LONGEST_REPEAT, end + 1):
            token = past[-1 - length]
            if past[end - length] != token or token in breakers:
                break
            length += 1
        follower = past[end + 1]
        if follower not in breakers:
            repeats[follower] = max(length, repeats.get(follower, 0))
    return repeats


def _drawn(logits: torch.Tensor, settings: GenerationConfig, generator: torch.Generator) -> int:
    """A token drawn by its probability among those that top-k, top-p and min-p leave.

    Top-p after Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration": the smallest set of likeliest
    tokens whose probabilities sum to at least p. Min-p after Nguyen et al. 2024: those of at least so large a share of
    the likeliest one's probability.
    """
    weights = ((logits - logits.max()).double() / settings.temperature).exp()  # the likeliest is 1: nothing overflows
    ids = None
    if settings.top_k or settings.top_p < 1:
        weights, ids = _likeliest(weights, settings)
    if settings.min_p:
        weights = weights.where(weights >= settings.min_p, 0.0)
    heights = weights.cumsum(0)
    point = torch.rand((), generator=generator, dtype=torch.float64) * heights[-1]
    place = int(torch.searchsorted(heights, point, right=True).clamp(max=len(heights) - 1))
    return place if ids is None else int(ids[place])


def _likeliest(weights: torch.Tensor, settings: GenerationConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and ids of the tokens that top-k and top-p leave."""
    ranked, ids = weights.topk(min(settings.top_k or FEW, len(weights)))
    wanted = settings.top_p * float(ranked.sum() if settings.top_k else weights.sum())
    if ranked.sum() < wanted:
        ids = _nucleus(weights, wanted)
        return weights[ids], ids
    kept = int((ranked.cumsum(0) - ranked < wanted).sum())
    return ranked[:kept], ids[:kept]


def _nucleus(weights: torch.Tensor, wanted: float) -> torch.Tensor:
    """Ids of the largest weights that sum to at least `wanted`, sorting only those about as large as the last of them.

    Weights are counted by quarters of an octave: whole quarters are taken until one holds too much.
    """
    quarters = (-4 * weights.log2()).clamp(max=4 * 1100).long()  # less than 2 ** -1100 is 0
    sums = torch.bincount(quarters, weights).cumsum(0)
    last = min(int((sums < wanted).sum()), len(sums) - 1)
    (certain,), (border,) = (quarters < last).nonzero(as_tuple=True), (quarters == last).nonzero(as_tuple=True)
    ranked, order = weights[border].sort(descending=True)
    before = weights[certain].sum() + ranked.cumsum(0) - ranked
    return torch.cat((certain, border[order[before < wanted]]))
