"""Cross entropy where labels are, in chunks, summed in fp32: full logits never exist."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from llmops_cli.prompts.encode import IGNORED

CHUNK = 256
"""Positions whose logits exist at once: 256 x 151,936 in fp32 are 156 MB."""


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Sum of -log p(label), with gradients made chunk by chunk in the forward pass.

    The gradient of cross entropy by the logits is softmax minus one-hot, so it can be made as soon as a chunk's logits
    are there, and the logits dropped.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        wants_hidden, wants_weight, _ = ctx.needs_input_grad
        grad_hidden = torch.empty_like(hidden) if wants_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(labels), CHUNK):
            part = slice(start, start + CHUNK)
            logits = (hidden[part] @ weight.T).float()
            total += F.cross_entropy(logits, labels[part], reduction="sum")
            if grad_hidden is not None or grad_weight is not None:
                gradient = torch.softmax(logits, dim=-1)
                gradient[torch.arange(len(gradient), device=gradient.device), labels[part]] -= 1
                gradient = gradient.to(hidden.dtype)
                if grad_hidden is not None:
                    grad_hidden[part] = gradient @ weight
                if grad_weight is not None:
                    grad_weight += gradient.T @ hidden[part]
        ctx.save_for_backward(grad_hidden, None if grad_weight is None else grad_weight.to(weight.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        (scale,) = grad_outputs
        grad_hidden, grad_weight = ctx.saved_tensors
        return (
            None if grad_hidden is None else grad_hidden * scale,
            None if grad_weight is None else grad_weight * scale,
            None,
        )


def token_losses(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the negative log-likelihoods (nats) of the labelled tokens, a fp32 scalar.

    Args:
        hidden: last hidden states, shape (1, tokens, width).
        weight: output embedding, shape (vocabulary, width).
        labels: shape (1, tokens); `labels[0, i]` is the token at i, predicted from position i - 1; IGNORED is skipped.
    """
    wanted = labels[0, 1:]
    where = (wanted != IGNORED).nonzero().squeeze(-1)
    loss: torch.Tensor = _ChunkedCrossEntropy.apply(hidden[0, :-1][where], weight, wanted[where])  # type: ignore[no-untyped-call]
    return loss


def row_loss(model: Any, row: dict[str, torch.Tensor]) -> torch.Tensor:
    """The summed loss (nats) of one packed row; `model` is a causal LM of transformers, with or without an adapter.

    No attention mask and no cache: only then do position resets keep packed records apart.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(
        input_ids=row["input_ids"], position_ids=row["position_ids"], use_cache=False
    ).last_hidden_state
    return token_losses(hidden, causal.get_output_embeddings().weight, row["labels"])
