"""The tables that `learn` made from `data/train` of this repository, next to this file.

Their sha256 begin with 833416b88ef060c7 (endings), 1b4e31b05f7331c6 (syllables) and 9170c3c471605af0 (word order).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD_ORDER, ENDINGS, SYLLABLES = "word_order.npy", "endings.npy", "syllables.npy"
WORD_ORDER_BITS, ENDINGS_BITS, SYLLABLES_BITS = 17, 15, 18
STEP = 1 / 56
"""What one unit of a stored weight is worth, in nats."""


@cache
def weights(name: str) -> NDArray[np.float32]:
    """A table of weights, in nats."""
    table: NDArray[np.float32] = _stored(name).astype(np.float32) * np.float32(STEP)
    return table


@cache
def flags(name: str) -> NDArray[np.bool_]:
    """A table of yes and no."""
    return np.unpackbits(_stored(name)).astype(bool)


def _stored(name: str) -> NDArray[Any]:
    with (files(__package__) / name).open("rb") as file:
        stored: NDArray[Any] = np.load(file)
    return stored
