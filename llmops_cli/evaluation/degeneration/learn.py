"""Learn the tables of this folder anew: `python -m llmops_cli.evaluation.degeneration.learn data/train`.

They are learned from nothing but texts of this repository. On one machine the same texts give the same bytes.
"""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.evaluation.degeneration import endings, syllables, tables, word_order
from llmops_cli.evaluation.degeneration.features import word
from llmops_cli.text.sentences import split_sentences

Rows = NDArray[np.int64]
Table = NDArray[np.float32]

_SEED = 7
_BATCH, _RATE, _FIRST_SQUARE = 512, 0.15, 1e-2
_ORDER_EPOCHS, _ENDING_EPOCHS = 8, 6
_NEAR, _OTHERS = 40, 6
"""Each pair is told from so many others, with a right word that stands at most so many words away."""
_CHATS_TOGETHER, _STORY_WEIGHT = 5, 2.0
_CUTS, _BETWEEN_WORDS = 2, 0.4
_HANGUL = re.compile("[가-힣]$")
_AFTER_THE_ENDING = re.compile(r"[\s.!?…~^;ㄱ-ㅣ\"'”’)\]]+$")


class Adagrad:
    """A table of hashed weights under Adagrad (Duchi, Hazan and Singer 2011)."""

    def __init__(self, bits: int) -> None:
        self.weights: Table = np.zeros(1 << bits, np.float32)
        self._squares: Table = np.full(1 << bits, _FIRST_SQUARE, np.float32)

    def step(self, rows: Rows, gradients: NDArray[np.float64]) -> None:
        """One step for the weights at `rows`, [..., features], by the gradients of their sums, [...]."""
        each = np.repeat(gradients.ravel(), rows.shape[-1])
        summed = np.bincount(rows.ravel(), each, len(self.weights)).astype(np.float32) / len(rows)
        touched = np.flatnonzero(summed)
        self._squares[touched] += summed[touched] ** 2
        self.weights[touched] -= _RATE * summed[touched] / np.sqrt(self._squares[touched])


def read(path: str) -> tuple[list[str], list[str]]:
    """The stories and the chats of a folder."""
    works: dict[str, list[str]] = defaultdict(list)
    chats = []
    for record in read_records([path], ReadOptions()):
        if work := record.metadata.get("work"):
            works[work] += [message.content for message in record.messages if message.role == "assistant"]
        else:
            chats.append("\n".join(message.content for message in record.messages))
    return ["\n".join(parts) for parts in works.values()], chats


def learn_word_order(stories: Sequence[str], chats: Sequence[str]) -> Table:
    """Weights that tell the word behind a word from others near by (noise contrastive; Gutmann and Hyvärinen 2010)."""
    rng = np.random.default_rng(_SEED)
    together = ["\n".join(chats[first : first + _CHATS_TOGETHER]) for first in range(0, len(chats), _CHATS_TOGETHER)]
    texts = []
    for text in (*stories, *together):
        lines = [line.split() for line in text.splitlines()]
        begins_line = np.array([place == 0 for line in lines for place in range(len(line))])
        hashes = word_order.hashes_of([word(each) for line in lines for each in line], begins_line)
        texts.append((hashes, np.flatnonzero(~begins_line[1:]), _STORY_WEIGHT if text in stories else 1.0))
    learned = Adagrad(tables.WORD_ORDER_BITS)
    for _ in range(_ORDER_EPOCHS):
        drawn = [_with_others(hashes, left, rng) for hashes, left, _ in texts]
        rows = np.concatenate(drawn)
        shares = np.repeat([weight for _, _, weight in texts], [len(each) for each in drawn])
        for batch in _batches(len(rows), rng):
            nats = learned.weights[rows[batch]].sum(-1)
            odds = np.exp(nats - nats.max(1, keepdims=True))
            gradients = odds / odds.sum(1, keepdims=True)
            gradients[:, 0] -= 1
            learned.step(rows[batch], gradients * shares[batch, None])
    return learned.weights


def _with_others(hashes: word_order.Hashes, left: Rows, rng: np.random.Generator) -> Rows:
    """The rows of each pair and, behind it, of its left word with others near by, [pairs, 1 + others, features]."""
    size = hashes.left.shape[1]
    lowest = np.maximum(0, np.minimum(left - _NEAR, size - 2 * _NEAR))
    highest = np.minimum(size, lowest + 2 * _NEAR)
    rights = [left + 1, *rng.integers(lowest, highest, (_OTHERS, len(left)))]
    return np.stack([word_order.rows_of(hashes.left[:, left], hashes.right[:, right]).T for right in rights], 1)


def learn_endings(texts: Sequence[str]) -> Table:
    """Weights that tell sentences without their stops from beginnings of sentences (logistic regression)."""
    draw, rng = random.Random(_SEED), np.random.default_rng(_SEED)
    sentences = [sentence for text in texts for line in text.splitlines() for sentence in split_sentences(line)]
    whole = [utterance for each in sentences if _HANGUL.search(utterance := _AFTER_THE_ENDING.sub("", each))]
    cut = [beginning for each in whole for beginning in _beginnings(each, draw)]
    rows = endings.rows_of([*whole, *cut]).T
    is_whole = np.arange(len(rows)) < len(whole)
    shares = np.where(is_whole, len(cut) / len(whole), 1.0)
    learned = Adagrad(tables.ENDINGS_BITS)
    for _ in range(_ENDING_EPOCHS):
        for batch in _batches(len(rows), rng):
            nats = learned.weights[rows[batch]].sum(-1)
            learned.step(rows[batch], (1 / (1 + np.exp(-nats)) - is_whole[batch]) * shares[batch])
    return learned.weights


def _beginnings(sentence: str, draw: random.Random) -> list[str]:
    """Some beginnings of a sentence, cut between words or inside one."""
    between = [place for place, character in enumerate(sentence) if character == " "]
    cuts = []
    for _ in range(_CUTS):
        places: Sequence[int] = (
            between if between and draw.random() < _BETWEEN_WORDS else range(1, max(2, len(sentence) - 1))
        )
        cuts.append(sentence[: draw.choice(places)].rstrip())
    return [cut for cut in cuts if cut != sentence and _HANGUL.search(cut)]


def learn_syllables(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Flags of the pairs of syllables that stand in words."""
    known = np.zeros(1 << tables.SYLLABLES_BITS, dtype=bool)
    for text in texts:
        _, left, right = syllables.pairs(text)
        known[syllables.rows_of(left, right)] = True
    return np.packbits(known)


def _batches(size: int, rng: np.random.Generator) -> Iterable[Rows]:
    order = rng.permutation(size)
    return (order[first : first + _BATCH] for first in range(0, size, _BATCH))


def main(path: str) -> None:
    """Learn every table from the records under `path` and write it where it belongs."""
    stories, chats = read(path)
    learners: dict[str, Callable[[], Table]] = {
        tables.WORD_ORDER: lambda: learn_word_order(stories, chats),
        tables.ENDINGS: lambda: learn_endings([*stories, *chats]),
    }
    folder = Path(__file__).parent
    for name, learn in learners.items():
        units = np.round(learn() / tables.STEP)
        np.save(folder / name, np.clip(units, -127, 127).astype(np.int8))
    np.save(folder / tables.SYLLABLES, learn_syllables([*stories, *chats]))


if __name__ == "__main__":
    main(*sys.argv[1:])
