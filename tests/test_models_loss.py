"""Packing changes no number: the loss is that of plain transformers, record by record, and logits stay small."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from workbench import CONVERSATIONS

from llmops_cli.models import loss
from llmops_cli.models.loss import row_loss, token_losses
from llmops_cli.models.packing import SHAPES, Packer
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import IGNORED, Encoded, encode_conversation


@pytest.fixture(scope="module")
def records(tiny_model: Path) -> list[Encoded]:
    tokenizer = load_tokenizer(tiny_model)
    return [encode_conversation(tokenizer, row["messages"]) for row in CONVERSATIONS]


@pytest.fixture
def model(tiny_model: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)


def reference_loss(model: Any, records: list[Encoded]) -> torch.Tensor:
    """The summed loss of transformers itself, one record at a time."""
    losses = [
        model(input_ids=torch.tensor([record.ids]), labels=torch.tensor([record.labels])).loss * record.labelled
        for record in records
    ]
    return torch.stack(losses).sum()


def rows_of(records: list[Encoded], length: int) -> list[dict[str, torch.Tensor]]:
    rows = Packer(length, 0).rows(records)
    assert sum(int((row["labels"] != IGNORED).sum()) for row in rows) == sum(record.labelled for record in records)
    return rows


@pytest.mark.parametrize("length", [64, 100, 250, 800])
@pytest.mark.parametrize("training", [True, False])
def test_packed_loss_is_the_sum_of_separate_losses(model: Any, records: Any, length: int, training: bool) -> None:
    model.train(training)
    packed = sum(row_loss(model, row) for row in rows_of(records, length))
    assert packed.item() == pytest.approx(reference_loss(model, records).item(), rel=1e-5)


def test_gradients_are_those_of_separate_records(model: Any, records: Any) -> None:
    def gradients(total: Any) -> dict[str, torch.Tensor]:
        model.zero_grad()
        total.backward()
        return {name: weight.grad.clone() for name, weight in model.named_parameters()}

    want = gradients(reference_loss(model, records))
    got = gradients(sum(row_loss(model, row) for row in rows_of(records, 250)))
    assert got.keys() == want.keys()  # the tied head is in the embedding's gradient
    for name, gradient in want.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("training", [True, False])
def test_no_record_sees_another(model: Any, records: Any, training: bool) -> None:
    seen: list[torch.Tensor] = []
    model.model.register_forward_hook(lambda module, arguments, output: seen.append(output.last_hidden_state))
    model.train(training)
    (row,) = rows_of(records[:4], 256)
    starts = [*(row["position_ids"][0] == 0).nonzero().flatten().tolist(), row["input_ids"].shape[1]]
    row_loss(model, row)
    changed = row["input_ids"].clone()
    changed[0, starts[1] + 2] = (changed[0, starts[1] + 2] + 7) % 400
    row_loss(model, row | {"input_ids": changed})
    before, after = seen
    own = slice(starts[1], starts[2])
    assert not torch.equal(before[0, own], after[0, own])
    others = torch.ones(len(before[0]), dtype=torch.bool)
    others[own] = False
    assert torch.equal(before[0, others], after[0, others])


def test_rows_have_few_lengths_and_hold_every_token_once() -> None:
    draw = random.Random(7)
    lengths = set()
    for _ in range(300):
        sizes = [draw.randint(2, 96) for _ in range(draw.randint(1, 12))]
        records = [Encoded([number] * size, [number] * size, 1) for number, size in enumerate(sizes, 1)]
        rows = Packer(96, 0).rows(records)
        tokens = sorted(token for row in rows for token in row["input_ids"][0].tolist() if token)
        assert tokens == sorted(token for record in records for token in record.ids)
        lengths |= {row["input_ids"].shape[1] for row in rows}
        assert len(rows) <= 2 * sum(sizes) / 96 + 1  # first fit: no two rows are half empty
    assert len(lengths) <= SHAPES
    assert max(lengths) <= 96


def reference_sum(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    logits = (hidden[0, :-1] @ weight.T).float()
    return F.cross_entropy(logits, labels[0, 1:], ignore_index=IGNORED, reduction="sum")


@pytest.mark.parametrize("chunk", [1, 3, 64, 256])
@pytest.mark.parametrize("tied", [True, False])
def test_chunked_cross_entropy_is_that_of_torch(monkeypatch: pytest.MonkeyPatch, chunk: int, tied: bool) -> None:
    monkeypatch.setattr(loss, "CHUNK", chunk)
    torch.manual_seed(3)
    ids = torch.randint(0, 50, (1, 70))
    labels = ids.where(torch.rand(1, 70) < 0.7, IGNORED)
    labels[0, 0] = 5  # nothing predicts it

    def run(function: Any) -> list[torch.Tensor]:
        torch.manual_seed(4)
        embedding, head = (torch.randn(50, 16, requires_grad=True) for _ in range(2))
        weight = embedding if tied else head
        hidden = embedding[ids].cumsum(1).tanh()
        hidden.retain_grad()
        value = function(hidden, weight, labels) / 7
        value.backward()
        assert hidden.grad is not None
        return [value.detach(), hidden.grad, embedding.grad if tied else head.grad]

    for ours, torchs in zip(run(token_losses), run(reference_sum), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-5, atol=1e-6)


def test_no_label_is_no_loss() -> None:
    hidden = torch.randn(1, 5, 8, requires_grad=True)
    value = token_losses(hidden, torch.randn(9, 8), torch.full((1, 5), IGNORED))
    value.backward()
    assert value.item() == 0
    assert not hidden.grad.any()  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_fp32(dtype: torch.dtype) -> None:
    torch.manual_seed(5)
    hidden = torch.randn(1, 1025, 64).to(dtype)
    weight = (torch.randn(8192, 64) / 8).to(dtype)
    labels = torch.randint(0, 8192, (1, 1025))
    exact = reference_sum(hidden.double(), weight.double(), labels)
    value = token_losses(hidden, weight, labels)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(exact), rel=5e-4)


class LargestTensor(TorchDispatchMode):
    """Notes the size of the largest tensor any operation makes."""

    largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self.largest = max(self.largest, tensor.numel())
        return result


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)


@pytest.mark.parametrize("trained", ["embedding", "layer"])
def test_full_logits_never_exist(trained: str) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    vocabulary, tokens = 5000, 640
    torch.manual_seed(6)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=1, tie_word_embeddings=True,
        )
    )  # fmt: skip
    model.requires_grad_(trained == "embedding")
    model.model.layers.requires_grad_(True)
    records = [Encoded(ids, ids, 1) for ids in torch.randint(0, vocabulary, (8, tokens // 8)).tolist()]
    (row,) = rows_of(records, tokens)
    with LargestTensor() as ours:
        row_loss(model, row).backward()
    with LargestTensor() as plain:
        model(input_ids=row["input_ids"], labels=row["labels"]).loss.backward()
    assert ours.largest < 0.5 * tokens * vocabulary
    assert plain.largest >= tokens * vocabulary  # what would be seen if they did
