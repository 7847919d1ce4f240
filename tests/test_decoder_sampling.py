"""Choosing the next token: penalties, temperature, then what top-k, top-p and min-p leave, as transformers does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.sampling import choose, sequence_breakers
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.tokenizer import load_tokenizer

DRAWS = 4000


def shares(logits: torch.Tensor, past: list[int] | None = None, **settings: Any) -> list[float]:
    config = GenerationConfig(**{"temperature": 1.0, "top_p": 1.0, **settings})
    generator = torch.Generator().manual_seed(1)
    drawn = torch.tensor([choose(logits, config, generator, past or []) for _ in range(DRAWS)])
    return (drawn.bincount(minlength=len(logits)) / DRAWS).tolist()


def reference(logits: torch.Tensor, past: list[int], settings: dict[str, Any]) -> list[float]:
    """The probabilities that transformers' own processors leave."""
    from transformers.generation.logits_process import (
        MinPLogitsWarper,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    processors = {
        "repetition_penalty": RepetitionPenaltyLogitsProcessor,
        "temperature": TemperatureLogitsWarper,
        "top_k": TopKLogitsWarper,
        "top_p": TopPLogitsWarper,
        "min_p": MinPLogitsWarper,
    }
    scores, ids = logits[None].clone(), torch.tensor([past])
    for name, processor in processors.items():
        if name in settings:
            scores = processor(settings[name])(ids, scores)
    return scores[0].softmax(-1).tolist()


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.6},
        {"top_k": 4, "temperature": 1.5},
        {"top_p": 0.6, "temperature": 0.8},
        {"top_k": 5, "top_p": 0.7},
        {"min_p": 0.2, "temperature": 1.3},
        {"top_p": 0.9, "min_p": 0.15, "top_k": 7},
        {"repetition_penalty": 1.8, "temperature": 0.7, "top_p": 0.8},
        {"repetition_penalty": 0.5},
    ],
)
def test_shares_are_those_of_transformers(settings: dict[str, Any]) -> None:
    torch.manual_seed(5)
    logits, past = torch.randn(12) * 2, [3, 7, 3, 0]
    wanted = reference(logits, past, settings)
    found = shares(logits, past, **settings)
    assert found == pytest.approx(wanted, abs=0.03)
    assert not any(share for share, left in zip(found, wanted, strict=True) if left == 0)


@pytest.mark.parametrize("top_p", [0.5, 0.9, 0.999, 1.0])
def test_a_flat_distribution_needs_more_than_the_few_likeliest(top_p: float) -> None:
    logits = torch.linspace(0.2, 0, 2000)
    generator = torch.Generator().manual_seed(1)
    config = GenerationConfig(temperature=1, top_p=top_p)
    drawn = [choose(logits, config, generator) for _ in range(1500)]
    probabilities = logits.softmax(-1).cumsum(0)
    last = int((probabilities < top_p).sum())
    assert 0.97 * last < max(drawn) <= last
    assert sum(drawn) / len(drawn) == pytest.approx(0.5 * last, rel=0.08)


def test_the_logits_are_left_alone() -> None:
    logits = torch.randn(30)
    before = logits.clone()
    config = GenerationConfig(repetition_penalty=1.4, dry_multiplier=2.0)
    choose(logits, config, torch.Generator().manual_seed(1), [1, 2, 3, 1, 2])
    assert torch.equal(logits, before)


def dry(past: list[int], breakers: frozenset[int] = frozenset(), **settings: Any) -> dict[int, float]:
    """What DRY takes from which token: the multiplier at which it falls from the first place tells."""
    penalties, other = {}, 10
    for token in range(10):
        logits = torch.full((11,), -1e9)
        logits[token] = 0
        low, high = 0.0, 1000.0
        for _ in range(30):
            middle = (low + high) / 2
            logits[other] = -middle
            config = GenerationConfig(temperature=0, dry_multiplier=1.0, **settings)
            if choose(logits, config, torch.Generator(), past, breakers) == other:
                low = middle
            else:
                high = middle
        if low > 1e-3:
            penalties[token] = round(low, 2)
    return penalties


def test_dry_grows_with_the_length_of_what_would_be_repeated() -> None:
    assert dry([1, 2, 3, 9, 1, 2]) == {3: 1.0}  # two tokens repeated: base ** 0
    assert dry([0, 1, 2, 3, 9, 0, 1, 2]) == {3: 1.75}
    assert dry([8, 0, 1, 2, 3, 9, 8, 0, 1, 2], dry_base=2.0) == {3: 4.0}
    assert dry([1, 2, 3, 9, 2]) == {}  # one token is allowed
    assert dry([1, 2, 3, 9, 2], dry_allowed_length=1) == {3: 1.0}
    assert dry([1, 2, 3, 9, 1, 2, 4, 8, 1, 2]) == {3: 1.0, 4: 1.0}
    assert dry([]) == dry([5]) == {}


def test_dry_does_not_look_across_breakers() -> None:
    past = [0, 1, 2, 3, 9, 0, 1, 2]
    assert dry(past, frozenset({2})) == {}
    assert dry(past, frozenset({1})) == {}  # only one token is left of what is repeated
    assert dry(past, frozenset({0})) == {3: 1.0}
    assert dry(past, frozenset({3})) == {}


def test_breakers_are_lines_quotes_colons_and_special_tokens() -> None:
    tokenizer = load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko")
    breakers = sequence_breakers(tokenizer)
    for text in ("\n", ":", '"', "*"):
        assert set(tokenizer.encode(text)) <= breakers
    assert set(tokenizer.special_tokens.values()) <= breakers
    assert not set(tokenizer.encode("오늘은 비가 온다.")) & breakers
    assert len(breakers) < 0.1 * tokenizer.size


def test_extreme_settings_choose_the_likeliest() -> None:
    logits = torch.randn(500) * 3
    best, generator = int(logits.argmax()), torch.Generator().manual_seed(2)
    for settings in (
        {"temperature": 1e-30}, {"temperature": 1e-300}, {"top_k": 1}, {"top_p": 1e-9}, {"min_p": 0.9999},
        {"temperature": 0.0},
    ):  # fmt: skip
        assert choose(logits, GenerationConfig(**settings), generator) == best
