"""Near-duplicates among 100,000 short Korean-like texts: ours and datasketch, in turn, each in a process of its own.

datasketch has its fast path (sketches in bulk, xxhash in place of SHA-1, an insertion session) and gives candidates;
ours gives verified pairs. Which pairs are true is decided by Python sets.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench.gauge import gflops

PAIRS = 3
TEXTS = 100_000
PLANTED = 10_000
THRESHOLD = 0.8
PERMUTATIONS = 128
BATCH = 5_000
GRAM = 5

Found = set[tuple[int, int]]
Sample = tuple[float, float, Found]
"""Seconds, megabytes of the process at its peak, and the pairs of places."""


def run() -> None:
    """Interleaved pairs; samples whose gauge is under 90 % of the best are dropped."""
    samples = []
    for _ in range(PAIRS):
        gauge = gflops()
        ours, theirs = _alone(_ours), _alone(_datasketch)
        samples.append((gauge, ours, theirs))
        print(
            f"gauge {gauge:6.1f} GFLOP/s  llmops {ours[0]:6.2f} s {ours[1]:5.0f} MB  "
            f"datasketch {theirs[0]:6.2f} s {theirs[1]:5.0f} MB  ratio {theirs[0] / ours[0]:.1f}"
        )
    best = max(gauge for gauge, _, _ in samples)
    ratios = [theirs[0] / ours[0] for gauge, ours, theirs in samples if gauge >= 0.9 * best]
    print(f"median ratio {statistics.median(ratios):.1f} over {len(ratios)} of {PAIRS} pairs, one core each")
    _, ours, theirs = samples[-1]
    _compare(ours[2], theirs[2])


def _compare(ours: Found, theirs: Found) -> None:
    texts, planted = _texts()
    grams = [{text[start : start + GRAM] for start in range(len(text) - GRAM + 1)} for text in texts]

    def alike(pair: tuple[int, int]) -> bool:
        left, right = grams[pair[0]], grams[pair[1]]
        return len(left & right) / len(left | right) >= THRESHOLD

    true_theirs = set(filter(alike, theirs))
    true = true_theirs | set(filter(alike, ours)) | set(filter(alike, planted))
    for name, found in (("llmops", ours), ("datasketch", theirs)):
        right = len(found & true)
        print(f"{name:10} {len(found)} pairs, {len(found) - right} false; {right / len(true):.4f} of {len(true)} true")
    print(f"of the true pairs of datasketch llmops has {len(true_theirs & ours) / len(true_theirs):.4f}")


def _alone(job: Callable[[list[str]], Found]) -> Sample:
    """What `job` gives, and costs, in a fresh process on one core."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (job,))


def _measured(job: Callable[[list[str]], Found]) -> Sample:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts, _ = _texts()
    started = time.perf_counter()
    found = job(texts)
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, found


def _texts() -> tuple[list[str], Found]:
    """Texts of 60 characters on average, and the pairs of which one was made from the other, alike from 0.5 to 1."""
    draw = random.Random(7)
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4, 9)]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    texts = ["".join(draw.choices(words, k=draw.randint(8, 40))) for _ in range(TEXTS - PLANTED)]
    planted = set()
    for place in range(len(texts), TEXTS):
        source = draw.randrange(len(texts))
        copy = list(texts[source])
        for _ in range(draw.randint(1, 3)):
            copy[draw.randrange(len(copy))] = draw.choice(syllables)
        texts.append("".join(copy))
        planted.add((source, place))
    return texts, planted


def _ours(texts: list[str]) -> Found:
    from llmops_cli.data.near_duplicates import NearDuplicates, Signatures
    from llmops_cli.text.minhash import bands_for
    from llmops_cli.text.shingles import comparable

    near = NearDuplicates(THRESHOLD)
    for first in range(0, len(texts), BATCH):
        batch = map(comparable, texts[first : first + BATCH])
        near.add(Signatures.of(batch, bands_for(THRESHOLD)))
    return {(first, second) for first, second, _ in near.pairs()}


def _datasketch(texts: list[str]) -> Found:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    def sets() -> Iterator[set[bytes]]:
        for text in texts:
            yield {text[start : start + GRAM].encode() for start in range(len(text) - GRAM + 1)}

    hashes = list(MinHash.generator(sets(), num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest))
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    with index.insertion_session() as session:
        for place, each in enumerate(hashes):
            session.insert(place, each)
    return {
        (min(place, other), max(place, other))
        for place, each in enumerate(hashes)
        for other in index.query(each)
        if other != place
    }
