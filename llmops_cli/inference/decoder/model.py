"""The decoder itself: from token ids, through its layers, to the logits of the next token.

Every forward pass is one flat row of tokens, whichever sequences they belong to: linear layers see all of them at
once, attention goes sequence by sequence. So prompts, single tokens and drafts of several tokens share a pass without
any padding, and no sequence depends on its companions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from llmops_cli.inference.config import Precision
from llmops_cli.inference.decoder.architecture import Architecture
from llmops_cli.inference.decoder.cache import KeyValueCache
from llmops_cli.inference.decoder.weights import Weight

BLOCK = 64
"""Tokens of a sequence that attend together: what follows them is not computed only to be masked."""


@dataclass
class Span:
    """Tokens of one sequence in a forward pass: they follow what its cache holds."""

    ids: Sequence[int]
    cache: KeyValueCache
    adapter: str = ""


@dataclass(frozen=True)
class LowRank:
    """An adapter's part of a linear layer: the product gains `(rows @ down.T) @ up.T`."""

    down: torch.Tensor
    up: torch.Tensor


@dataclass
class Linear:
    """A linear layer, perhaps of several fused ones, with adapters beside it by name."""

    weight: Weight
    bias: torch.Tensor | None = None
    adapters: dict[str, LowRank] = field(default_factory=dict)

    def __call__(self, rows: torch.Tensor, routes: Sequence[tuple[str, slice]]) -> torch.Tensor:
        result = self.weight.product(rows, self.bias)
        for name, part in routes:
            adapter = self.adapters[name]
            result[part] += (rows[part] @ adapter.down.T) @ adapter.up.T
        return result


@dataclass
class Layer:
    """One layer; queries, keys and values come from one matrix, as do gate and up."""

    attention_norm: torch.Tensor
    qkv: Linear
    output: Linear
    feed_forward_norm: torch.Tensor
    gate_up: Linear
    down: Linear


class Decoder:
    """A model in memory."""

    def __init__(
        self,
        architecture: Architecture,
        embedding: Weight,
        layers: list[Layer],
        norm: torch.Tensor,
        head: Weight,
        precision: Precision,
    ) -> None:
        self.architecture, self.precision = architecture, precision
        self.embedding, self.layers, self.norm, self.head = embedding, layers, norm, head
        self.device, self.dtype = norm.device.type, norm.dtype
        self._inverse_frequencies = torch.tensor(architecture.inverse_frequencies, device=self.device)

    @property
    def adapters(self) -> Collection[str]:
        """Names of the adapters that lie beside the weights."""
        return self.layers[0].qkv.adapters.keys()

    def nbytes(self) -> int:
        """Bytes of all matrices, each counted once."""
        linears = [part for layer in self.layers for part in (layer.qkv, layer.output, layer.gate_up, layer.down)]
        matrices = [self.embedding, *(linear.weight for linear in linears)]
        return sum(matrix.nbytes() for matrix in matrices) + (0 if self.architecture.tied else self.head.nbytes())

    def new_cache(self) -> KeyValueCache:
        """An empty cache for one sequence."""
        shape = self.architecture
        return KeyValueCache(shape.layers, shape.kv_heads, shape.head_width, self.device, self.dtype)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(rows, width) of :meth:`forward` to (rows, vocabulary)."""
        return self.head.product(hidden)

    def log_probabilities(self, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Of `tokens`, (rows,), after the rows of :meth:`forward`, in fp32; the logits are never there all at once."""
        sums, found, start = [], torch.zeros(len(hidden), device=self.device), 0
        for logits in self.head.products(hidden):
            logits = logits.float()
            sums.append(logits.logsumexp(-1))
            places = tokens - start
            inside = (places >= 0) & (places < logits.shape[1])
            chosen = logits.gather(-1, places.clamp(0, logits.shape[1] - 1)[:, None])[:, 0]
            found = torch.where(inside, chosen, found)
            start += logits.shape[1]
        return found - torch.stack(sums).logsumexp(0)

    def forward(self, spans: Sequence[Span]) -> torch.Tensor:
        """Hidden states after the last norm, (tokens of all spans, width); the caches then hold the tokens too."""
        ids = torch.tensor([token for span in spans for token in span.ids], device=self.device)
        for span in spans:
            span.cache.reserve(len(span.cache.ids) + len(span.ids))
        rotation = self._rotation(spans)
        pieces = _pieces(spans, self.architecture, self.norm)
        routes = [(span.adapter, piece.rows) for span, piece in zip(spans, pieces, strict=True) if span.adapter]

        hidden = self.embedding.lookup(ids)
        for number, layer in enumerate(self.layers):
            attended = self._attention(number, self._normed(hidden, layer.attention_norm), rotation, pieces, routes)
            hidden = hidden + layer.output(attended, routes)
            gate, up = layer.gate_up(self._normed(hidden, layer.feed_forward_norm), routes).chunk(2, dim=-1)
            hidden = hidden + layer.down(F.silu(gate) * up, routes)

        for span in spans:
            span.cache.ids.extend(span.ids)
        return self._normed(hidden, self.norm)

    def _normed(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(hidden, hidden.shape[-1:], weight, self.architecture.epsilon)

    def _rotation(self, spans: Sequence[Span]) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and signed sines of every token's rotary angles in fp32, each (tokens, 1, head_width)."""
        places = [range(len(span.cache.ids), len(span.cache.ids) + len(span.ids)) for span in spans]
        positions = torch.tensor([place for span in places for place in span], device=self.device)
        angles = positions[:, None, None] * self._inverse_frequencies
        cosines, sines = angles.cos(), angles.sin()
        return torch.cat((cosines, cosines), dim=-1), torch.cat((-sines, sines), dim=-1)

    def _attention(
        self,
        number: int,
        rows: torch.Tensor,
        rotation: tuple[torch.Tensor, torch.Tensor],
        pieces: Sequence[_Piece],
        routes: Sequence[tuple[str, slice]],
    ) -> torch.Tensor:
        """Causal attention with grouped heads, (tokens, heads * head_width), before the output projection."""
        shape = self.architecture
        heads = self.layers[number].qkv(rows, routes).view(len(rows), -1, shape.head_width)
        turned = _rotate(heads[:, : shape.heads + shape.kv_heads], rotation)
        queries, keys, values = turned[:, : shape.heads], turned[:, shape.heads :], heads[:, -shape.kv_heads :]
        attended = [
            piece.attend(queries[piece.rows], *piece.cache.extend(number, keys[piece.rows], values[piece.rows]))
            for piece in pieces
        ]
        return attended[0] if len(attended) == 1 else torch.cat(attended)


@dataclass
class _Piece:
    """A span's place in the flat row of tokens."""

    rows: slice
    cache: KeyValueCache
    blocks: list[_Block]

    def attend(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """(tokens, heads, width) to (tokens, heads * width)."""
        attended = [block.attend(queries, keys, values) for block in self.blocks]
        return attended[0] if len(attended) == 1 else torch.cat(attended)


@dataclass
class _Block:
    """Tokens of a span that attend together: none of them sees more than the first `seen` of the sequence."""

    rows: slice
    seen: int
    mask: torch.Tensor | None

    def attend(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """As :meth:`_Piece.attend`.

        The query heads of a group stand behind each other as if they were further queries of their key/value head:
        one key/value head is read once for all of them, and never copied.
        """
        queries, keys, values = queries[self.rows], keys[:, :, : self.seen], values[:, :, : self.seen]
        tokens, heads, width = queries.shape
        grouped = (
            queries.view(tokens, keys.shape[1], -1, width).permute(1, 2, 0, 3).reshape(1, keys.shape[1], -1, width)
        )
        attended = F.scaled_dot_product_attention(grouped, keys, values, attn_mask=self.mask)
        return attended.view(keys.shape[1], -1, tokens, width).permute(2, 0, 1, 3).reshape(tokens, heads * width)


def _pieces(spans: Sequence[Span], shape: Architecture, like: torch.Tensor) -> list[_Piece]:
    """The spans one after the other; masks have the dtype and the device of `like`."""
    pieces, start = [], 0
    for span in spans:
        end = start + len(span.ids)
        pieces.append(_Piece(slice(start, end), span.cache, _blocks(span, shape, like)))
        start = end
    return pieces


def _blocks(span: Span, shape: Architecture, like: torch.Tensor) -> list[_Block]:
    past, tokens, blocks = len(span.cache.ids), len(span.ids), []
    for start in range(0, tokens, BLOCK):
        end = min(start + BLOCK, tokens)
        mask = _causal_mask(past + start, end - start, shape, like) if tokens > 1 else None
        blocks.append(_Block(slice(start, end), past + end, mask))
    return blocks


def _causal_mask(past: int, tokens: int, shape: Architecture, like: torch.Tensor) -> torch.Tensor:
    """0 where a token may look and -inf elsewhere, (heads of a group * tokens, past + tokens).

    A mask of truth values would be turned into this one in every layer.
    """
    mask = like.new_full((tokens, past + tokens), -torch.inf).triu(past + 1)
    return mask.repeat(shape.heads // shape.kv_heads, 1)


def _rotate(heads: torch.Tensor, rotation: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Rotary positions (Su et al. 2021): channel i turns with channel i + width / 2, in fp32."""
    cosines, sines = rotation
    return (heads * cosines + heads.roll(heads.shape[-1] // 2, -1) * sines).to(heads.dtype)
