"""Several records in one row, and no record sees another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from llmops_cli.prompts.encode import IGNORED, Encoded

SHAPES = 8
"""Rows come in at most this many lengths: the graph cache of MPS grows with every new shape and cannot be cleared."""


@dataclass(frozen=True)
class Packer:
    """Packs the records of one optimizer step into rows of at most `length` tokens."""

    length: int
    pad_id: int

    def rows(self, records: Sequence[Encoded]) -> list[dict[str, torch.Tensor]]:
        """First-fit decreasing; every row is padded up to the next eighth of `length`.

        Returns:
            Rows of `input_ids`, `position_ids` and `labels`, each of shape (1, tokens). Positions start again at 0
            with every record, which is how the attention of transformers knows where records end: pass no mask.
        """
        bins: list[list[Encoded]] = []
        room: list[int] = []
        for record in sorted(records, key=lambda record: -len(record.ids)):
            size = len(record.ids)
            index = next((i for i, free in enumerate(room) if free >= size), None)
            if index is None:
                bins.append([])
                room.append(self.length)
                index = len(bins) - 1
            bins[index].append(record)
            room[index] -= size
        return [self._row(group) for group in bins]

    def _row(self, records: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        ids: list[int] = []
        positions: list[int] = []
        labels: list[int] = []
        for record in records:
            ids += record.ids
            positions += range(len(record.ids))
            labels += [IGNORED, *record.labels[1:]]  # nothing before a record predicts its first token
        step = -(-self.length // SHAPES)
        padding = min(-(-len(ids) // step) * step, max(self.length, len(ids))) - len(ids)
        ids += [self.pad_id] * padding
        positions += range(padding)
        labels += [IGNORED] * padding
        return {
            "input_ids": torch.tensor([ids]),
            "position_ids": torch.tensor([positions]),
            "labels": torch.tensor([labels]),
        }

    def __call__(self, records: Sequence[Encoded]) -> dict[str, Any]:
        """The collator of the data loader: one optimizer step of records, packed, and its tokens without padding."""
        return {"rows": self.rows(records), "tokens": sum(len(record.ids) for record in records)}
