"""Near-duplicates among many texts: MinHash bands propose pairs, and the exact Jaccard similarity decides.

No pair that is given is under the threshold; of pairs exactly at the threshold about one in a thousand is missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops_cli.data.records import Record
from llmops_cli.data.spool import Spool
from llmops_cli.text.minhash import BandKeys, band_keys
from llmops_cli.text.shingles import LARGEST_GROUP, Hashes, Numbers, Shingles, comparable

WINDOW = 32
"""Texts of one band that a text is compared with, at most: ten thousand texts of one template are no million pairs."""

_GROUP_BYTES = 4 << 20  # of texts that are compared at a time; their hashes take some twenty times as much
_PAIR_BYTES = 2 * _GROUP_BYTES // LARGEST_GROUP  # added for each pair, so that a group has no more texts than it may
_HEAD_BITS = 20  # of a value, by which a lookup is spared


class Pair(NamedTuple):
    """Two texts by number, the earlier one first, and their Jaccard similarity."""

    first: int
    second: int
    jaccard: float


def text_of(record: Record) -> str:
    """What is compared of a record: all its contents without white space, but for system messages.

    One persona opens thousands of conversations: counted, it would make short ones alike, and hide that a conversation
    is there twice under two personas.
    """
    spoken = (message.content for message in record.messages if message.role != "system")
    return comparable("\n".join([*spoken, *record.contents()[len(record.messages) :]]))


class Signatures(NamedTuple):
    """Texts that `comparable` has made and their band keys, [texts, bands]."""

    texts: tuple[str, ...]
    keys: BandKeys

    @classmethod
    def of(cls, texts: Iterable[str], bands: int) -> Signatures:
        texts = tuple(texts)
        return cls(texts, band_keys(texts, bands))

    def only(self, rows: Sequence[int]) -> Signatures:
        """Those of some of the texts."""
        return Signatures(tuple(self.texts[row] for row in rows), self.keys[list(rows)])


_latest: dict[int, tuple[tuple[Record, ...], Signatures]] = {}


def signatures_of(records: Sequence[Record], bands: int) -> Signatures:
    """The signatures of a batch of records. Those of the latest batch are kept: two checks want the same ones."""
    batch = tuple(records)
    seen, signatures = _latest.get(bands, ((), None))
    if signatures is None or seen != batch:
        signatures = Signatures.of(map(text_of, batch), bands)
        _latest.clear()
        _latest[bands] = batch, signatures
    return signatures


def digests(texts: Iterable[str]) -> Hashes:
    """A 64-bit digest of each text; that two of a million texts share one has a chance of one in 37 million."""
    each = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(each), dtype="<u8")


def originals(values: Hashes) -> Numbers:
    """For each value the number of the first one that equals it."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse]


class NearDuplicates:
    """The pairs of texts with a Jaccard similarity of at least `threshold`, and the clusters they make.

    In memory are 16 bytes a text and 4 for each of its band keys, 72 for a threshold of 0.8; the texts are on disk.

    Where more than `WINDOW` texts share a band, each is compared with the `WINDOW` that come next in the order of the
    following band, which is by likeness again. So the work grows with the number of texts, however alike they are;
    in such a crowd not all pairs are found, but enough to hold it together as a cluster.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._keys: list[BandKeys] = []
        self._digests: list[Hashes] = []
        self._texts = Spool()

    def add(self, signatures: Signatures) -> None:
        """Take texts; they get the next numbers."""
        self._texts.extend(signatures.texts)
        self._keys.append(signatures.keys)
        self._digests.append(digests(signatures.texts))

    def pairs(self) -> Iterator[Pair]:
        """Each pair once. Of equal texts the first stands for all: each other one has a pair with it and no more."""
        if not self._keys:
            return
        original = originals(np.concatenate(self._digests))
        unique = original == np.arange(len(original))
        for copy in np.flatnonzero(~unique).tolist():
            yield Pair(int(original[copy]), copy, 1.0)
        kept = np.flatnonzero(unique)
        bands = [np.concatenate([keys[:, band] for keys in self._keys])[kept] for band in range(self._keys[0].shape[1])]
        candidates = (kept[pairs] for pairs in _sharing(bands))
        yield from _verified(self._texts, self._texts, candidates, self._threshold)

    def clusters(self) -> list[list[int]]:
        """Numbers of texts that pairs connect, in order, at least two in each."""
        parent = np.arange(len(self._texts))

        def root(number: int) -> int:
            while parent[number] != number:
                parent[number] = number = parent[parent[number]]
            return number

        for first, second, _ in self.pairs():
            low, high = sorted((root(first), root(second)))
            parent[high] = low
        members: dict[int, list[int]] = {}
        for number in np.flatnonzero(parent != np.arange(len(parent))).tolist():
            lowest = int(root(number))
            members.setdefault(lowest, [lowest]).append(number)
        return [members[lowest] for lowest in sorted(members)]


class Reference:
    """A set of texts, such as the held-out ones, in which the most alike of other texts is looked up."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._keys: list[BandKeys] = []
        self._digests: list[Hashes] = []
        self._texts = Spool()
        self._tables: list[Lookup] = []

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, signatures: Signatures) -> None:
        """Take texts; they get the next numbers."""
        self._texts.extend(signatures.texts)
        self._keys.append(signatures.keys)
        self._digests.append(digests(signatures.texts))
        self._tables = []

    def nearest(self, asked: Signatures) -> dict[int, tuple[int, float]]:
        """By place, for each text that is like one of the set: the number of the most alike, and their similarity."""
        if not self._tables:
            columns = [np.concatenate(self._digests), *np.concatenate(self._keys).T]
            self._tables = [Lookup(column) for column in columns]
        equal, *bands = self._tables
        found = {row: (number, 1.0) for number, row in equal.matches(digests(asked.texts), 1).T.tolist()}
        shared = [band.matches(column, WINDOW) for band, column in zip(bands, asked.keys.T, strict=True)]
        candidates = np.unique(np.concatenate(shared, axis=1), axis=1)
        candidates = candidates[:, ~np.isin(candidates[1], list(found))]
        texts = Spool()
        texts.extend(asked.texts)
        for number, row, jaccard in _verified(self._texts, texts, [candidates], self._threshold):
            if row not in found or jaccard > found[row][1]:
                found[row] = number, jaccard
        return found


class Lookup:
    """Which numbers have a value; values are spread evenly, as hashes are."""

    def __init__(self, values: NDArray[np.unsignedinteger]) -> None:
        self._order = np.argsort(values, kind="stable")
        self._ordered = values[self._order]
        self._heads = np.zeros(1 << _HEAD_BITS, dtype=bool)
        self._heads[_heads_of(values)] = True

    def matches(self, values: NDArray[np.unsignedinteger], limit: int) -> Numbers:
        """Pairs of a number and a row of `values` that are equal, [2, pairs]: of each row the first `limit`."""
        rows = np.flatnonzero(self._heads[_heads_of(values)])  # most values end here, at a tenth of the search's cost
        at = np.searchsorted(self._ordered, values[rows])
        found = [np.empty((2, 0), dtype=np.int64)]
        for _ in range(limit):
            rows, at = rows[at < len(self._order)], at[at < len(self._order)]
            equal = self._ordered[at] == values[rows]
            rows, at = rows[equal], at[equal]
            if not len(rows):
                break
            found.append(np.stack([self._order[at], rows]))
            at = at + 1
        return np.concatenate(found, axis=1)


def _heads_of(values: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    return values >> values.dtype.type(8 * values.itemsize - _HEAD_BITS)


def _sharing(bands: Sequence[NDArray[np.uint32]]) -> Iterator[Numbers]:
    """Pairs of numbers that share a band, [2, pairs], the smaller one first: each pair in the first band it shares."""
    for band, keys in enumerate(bands):
        following = bands[(band + 1) % len(bands)]
        order = np.argsort(keys.astype(np.uint64) << np.uint64(32) | following, kind="stable")
        ordered = keys[order]
        at = np.arange(len(order))
        for distance in range(1, WINDOW + 1):
            at = at[at < len(order) - distance]
            at = at[ordered[at] == ordered[at + distance]]
            if not len(at):
                break
            pairs = np.sort(np.stack([order[at], order[at + distance]]), axis=0)
            for earlier in bands[:band]:
                pairs = pairs[:, earlier[pairs[0]] != earlier[pairs[1]]]
            yield pairs


def _verified(left: Spool, right: Spool, candidates: Iterable[Numbers], threshold: float) -> Iterator[Pair]:
    """Those of the candidates, [2, pairs], numbers of texts in `left` and in `right`, that are alike enough."""
    for pairs in _grouped(candidates, left.sizes(), right.sizes()):
        firsts, first = np.unique(pairs[0], return_inverse=True)
        seconds, second = np.unique(pairs[1], return_inverse=True)
        shingles = Shingles.of([*left.read(firsts.tolist()), *right.read(seconds.tolist())])
        jaccard = shingles.jaccard(first, second + len(firsts))
        alike = np.flatnonzero(jaccard >= threshold)
        yield from map(Pair, *pairs[:, alike].tolist(), jaccard[alike].tolist())


def _grouped(candidates: Iterable[Numbers], left: Numbers, right: Numbers) -> Iterator[Numbers]:
    """The candidates in groups of about `_GROUP_BYTES` of texts; `left` and `right` are the sizes of those."""
    waiting = np.empty((2, 0), dtype=np.int64)
    for pairs in candidates:
        waiting = np.concatenate([waiting, pairs], axis=1)
        group = np.cumsum(left[waiting[0]] + right[waiting[1]] + _PAIR_BYTES) // _GROUP_BYTES
        for number in np.unique(group)[:-1]:
            yield waiting[:, group == number]
        waiting = waiting[:, group == group[-1:]]
    if waiting.size:
        yield waiting
