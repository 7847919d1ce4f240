"""What the CPU computes, the accelerator of this machine computes too; skipped where there is none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from workbench import CONVERSATIONS, Train, losses_of

from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engines.torch import TorchEngine
from llmops_cli.models.resolve import resolve_model
from llmops_cli.prompts.encode import encode_conversation, encode_prompt

AVAILABLE = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
DEVICES = [
    pytest.param(name, marks=pytest.mark.skipif(not here, reason=f"no {name} here")) for name, here in AVAILABLE.items()
]
GREEDY = GenerationConfig(temperature=0, max_tokens=24)


@pytest.fixture(scope="module")
def reference() -> TorchEngine:
    return TorchEngine(resolve_model("builtin:tiny-ko"), "cpu", "fp32")


def answers(engine: TorchEngine, together: bool) -> list[list[int]]:
    prompts = [encode_prompt(engine.tokenizer, row["messages"][:1]) for row in CONVERSATIONS[:8]]
    found: list[list[int]] = []
    for group in [prompts] if together else [[prompt] for prompt in prompts]:
        batch = engine.open_tokens()
        given: dict[int, list[int]] = {batch.add(prompt, GREEDY, "", ""): [] for prompt in group}
        while more := batch.step():
            for number, token in more:
                given[number].append(token)
        found += given.values()
    return found


def logits_of(engine: TorchEngine) -> torch.Tensor:
    turns = [turn for row in CONVERSATIONS[:12] for turn in row["messages"]]
    ids = encode_conversation(engine.tokenizer, turns).ids
    return torch.cat([rows.float().cpu() for rows in engine.logits(ids)])


@pytest.mark.parametrize("device", DEVICES)
def test_greedy_answers_are_those_of_the_cpu(reference: TorchEngine, device: str) -> None:
    engine = TorchEngine(resolve_model("builtin:tiny-ko"), device, "fp32")
    torch.testing.assert_close(logits_of(engine), logits_of(reference), atol=2e-3, rtol=0)
    wanted = answers(reference, together=False)
    for together in (False, True):
        pairs = [pair for rows in zip(answers(engine, together), wanted, strict=True) for pair in zip(*rows)]  # noqa: B905
        assert sum(ours == theirs for ours, theirs in pairs) / len(pairs) > 0.95


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("precision", "most"), [("bf16", 0.002), ("fp16", 0.002), ("int8", 0.002), ("int4", 0.06)])
def test_every_precision_is_near_to_the_cpu(reference: TorchEngine, device: str, precision: Any, most: float) -> None:
    engine = TorchEngine(resolve_model("builtin:tiny-ko"), device, precision)
    exact, close = logits_of(reference), logits_of(engine)
    divergence = (exact.softmax(-1) * (exact.log_softmax(-1) - close.log_softmax(-1))).sum(-1).mean()
    assert 0 < divergence < most
    assert len(answers(engine, together=True)) == 8


@pytest.mark.parametrize("device", DEVICES)
def test_a_training_loses_what_it_loses_on_the_cpu(train: Train, device: str) -> None:
    assert train("cpu", device="cpu").code == 0
    assert train("there", device=device).code == 0
    ours, wanted = losses_of("runs/there"), losses_of("runs/cpu")
    assert list(ours) == list(wanted)
    for step, loss in wanted.items():
        assert ours[step] == pytest.approx(loss, rel=0.03)  # the frozen weights have 16 bits there
