"""The key/value cache of one sequence."""

from __future__ import annotations

import torch

BLOCK = 256
"""Tokens by which a cache grows at least."""


class KeyValueCache:
    """Keys and values of the tokens that a sequence has been through; it grows in blocks.

    `ids` are those tokens, so that another sequence can go on from what they have in common.
    """

    def __init__(self, layers: int, kv_heads: int, head_width: int, device: str, dtype: torch.dtype) -> None:
        self.ids: list[int] = []
        self._store = torch.empty((layers, 2, kv_heads, 0, head_width), device=device, dtype=dtype)
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def nbytes(self) -> int:
        """Bytes that are held, free room included."""
        return self._store.nbytes

    def reserve(self, tokens: int) -> None:
        """Make room for `tokens` in all."""
        held = self._store.shape[3]
        if tokens <= held:
            return
        capacity = -(-max(tokens, held + held // 2) // BLOCK) * BLOCK
        store = self._store.new_empty((*self._store.shape[:3], capacity, self._store.shape[4]))
        store[:, :, :, : len(self.ids)] = self._store[:, :, :, : len(self.ids)]
        self._store = store
        self._layers = [(layer[0], layer[1]) for layer in store.unbind()]

    def extend(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Add keys and values of tokens that follow `ids`, each (tokens, kv_heads, head_width).

        Returns:
            All keys and all values of the layer, each (1, kv_heads, tokens, head_width).
        """
        held_keys, held_values = self._layers[layer]
        start, end = len(self.ids), len(self.ids) + len(keys)
        held_keys[:, start:end] = keys.transpose(0, 1)
        held_values[:, start:end] = values.transpose(0, 1)
        return held_keys[None, :, :end], held_values[None, :, :end]

    def keep(self, tokens: int) -> None:
        """Forget all but the first `tokens`."""
        del self.ids[tokens:]
