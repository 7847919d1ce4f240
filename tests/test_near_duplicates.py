"""Near-duplicates: exact similarities, few pairs missed, and no more work for texts that are all alike."""

from __future__ import annotations

import os
import random
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from llmops_cli.data.near_duplicates import WINDOW, NearDuplicates, Pair, Reference, Signatures
from llmops_cli.data.spool import Spool
from llmops_cli.text.minhash import MISSED, ROWS, band_keys, bands_for
from llmops_cli.text.shingles import GRAM, Shingles, code_points, comparable, gram_hashes, window_hashes

THRESHOLD = 0.8
BANDS = bands_for(THRESHOLD)


def sentences(count: int, seed: int = 1, length: int = 60) -> list[str]:
    draw = random.Random(seed)
    return ["".join(chr(draw.randrange(0xAC00, 0xD7A4)) for _ in range(length)) for _ in range(count)]


def edited(text: str, edits: int, draw: random.Random) -> str:
    chars = list(text)
    for place in draw.sample(range(len(chars)), edits):
        chars[place] = "힣"
    return "".join(chars)


def grams(text: str) -> set[str]:
    padded = text.ljust(GRAM, "\0")
    return {padded[start : start + GRAM] for start in range(len(padded) - GRAM + 1)}


def jaccard(left: str, right: str) -> float:
    return len(grams(left) & grams(right)) / len(grams(left) | grams(right))


def near(texts: list[str], batch: int = 1000) -> NearDuplicates:
    found = NearDuplicates(THRESHOLD)
    for first in range(0, len(texts), batch):
        found.add(Signatures.of(texts[first : first + batch], BANDS))
    return found


def test_texts_are_compared_in_nfc_without_white_space() -> None:
    assert comparable(" 가\u3000나\n다\t") == "가나다"
    assert comparable("가") == "가"


def test_similarity_is_that_of_the_sets_of_shingles() -> None:
    draw = random.Random(2)
    texts = ["", "가", "가나다라", "가나다라마", "가가가가가가가가", "👍🏽가나다라마바"]
    texts += ["".join(draw.choices("가나다", k=draw.randrange(1, 80))) for _ in range(60)]
    pairs = np.array(list(combinations(range(len(texts)), 2)))
    found = Shingles.of(texts).jaccard(pairs[:, 0], pairs[:, 1])
    assert found.tolist() == [jaccard(texts[left], texts[right]) for left, right in pairs]


def test_a_window_has_one_hash_wherever_it_stands() -> None:
    codes = code_points("".join(sentences(1, length=150_000)))
    hashes = window_hashes(codes, 7)
    assert len(hashes) == len(codes) - 6
    for start in (0, 65_528, 65_529, 65_530, 131_060, len(codes) - 7):
        assert hashes[start] == window_hashes(codes[start : start + 7], 7)[0]
    assert len(window_hashes(codes[:3], 7)) == 0


def test_no_shingle_reaches_into_the_next_text() -> None:
    together, starts = gram_hashes(["가나다라마바", "사", "", "아자차카타"])
    assert np.diff(starts).tolist() == [2, 1, 1, 1]
    assert together.tolist() == [
        value for text in ("가나다라마바", "사", "", "아자차카타") for value in gram_hashes([text])[0]
    ]


def test_band_keys_are_the_same_on_every_machine_and_in_every_batch() -> None:
    texts = [*sentences(300), *sentences(2, length=40_000), "가", ""]
    keys = band_keys(texts, BANDS)
    assert keys.shape == (len(texts), BANDS)
    for place in (0, 150, 300, 301, 302, 303):
        assert np.array_equal(keys[place], band_keys([texts[place]], BANDS)[0])
    assert band_keys(["동해물과 백두산이"], 3).tolist() == [[3932544734, 1485497821, 3530112837]]
    assert band_keys([], BANDS).shape == (0, BANDS)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.99])
def test_the_fewest_bands_that_miss_one_pair_in_a_thousand(threshold: float) -> None:
    def missed(bands: int) -> float:
        return float((1 - threshold**ROWS) ** bands)

    assert missed(bands_for(threshold)) <= MISSED < missed(bands_for(threshold) - 1)


def test_equal_texts_need_one_band() -> None:
    assert bands_for(1.0) == 1


def test_bands_are_shared_as_often_as_the_formula_says() -> None:
    draw = random.Random(3)
    left = sentences(4_000)
    right = [edited(text, 1, draw) for text in left]
    expected = np.mean([jaccard(*pair) ** ROWS for pair in zip(left, right, strict=True)])
    shared = np.mean(band_keys(left, BANDS) == band_keys(right, BANDS))
    assert shared == pytest.approx(expected, abs=0.01)


def test_pairs_are_all_true_and_hardly_any_is_missed() -> None:
    draw = random.Random(4)
    originals = sentences(600)
    copies = [edited(draw.choice(originals), draw.randrange(1, 4), draw) for _ in range(600)]
    texts = originals + copies
    draw.shuffle(texts)
    true = {
        (first, second): jaccard(texts[first], texts[second])
        for places in _sharing_a_gram(texts)
        for first, second in combinations(places, 2)
    }
    true = {pair: value for pair, value in true.items() if value >= THRESHOLD}
    found = {(pair.first, pair.second): pair.jaccard for pair in near(texts).pairs()}
    assert len(true) > 200
    assert found.items() <= true.items()
    assert len(found) >= 0.99 * len(true)


def _sharing_a_gram(texts: list[str]) -> list[list[int]]:
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        for gram in grams(text):
            places.setdefault(gram, []).append(place)
    return list(places.values())


def test_batches_do_not_matter() -> None:
    draw = random.Random(5)
    texts = [edited(text, 1, draw) for text in sentences(100, length=120) for _ in range(4)]
    whole = list(near(texts).pairs())
    assert len(whole) > 100
    assert sorted(near(texts, batch=7).pairs()) == sorted(whole)


def test_equal_texts_have_one_pair_each_with_the_first() -> None:
    one, other = sentences(2)
    texts = [other, one, *[one] * 5_000, edited(one, 1, random.Random(6))]
    pairs = list(near(texts).pairs())
    assert pairs[:5_000] == [Pair(1, copy, 1.0) for copy in range(2, 5_002)]
    assert [(pair.first, pair.second) for pair in pairs[5_000:]] == [(1, 5_002)]


def test_a_template_filled_in_often_is_one_cluster_for_little_work() -> None:
    draw = random.Random(7)
    (template,) = sentences(1)
    texts = [template + str(draw.randrange(10**6)) for _ in range(1_000)]
    found = near(texts)
    assert found.clusters() == [list(range(1_000))]
    assert sum(1 for _ in found.pairs()) < len(texts) * WINDOW * BANDS / 4


def test_a_chain_of_pairs_is_one_cluster() -> None:
    (text,) = sentences(1, length=100)
    chain = ["힣" * edits + text[edits:] for edits in range(0, 40, 8)]
    other = sentences(2, seed=9)
    assert jaccard(chain[0], chain[-1]) < THRESHOLD
    texts = [other[0], *chain, *other[::-1]]
    assert near(texts).clusters() == [[0, 7], [1, 2, 3, 4, 5]]


def test_nothing_added_gives_nothing() -> None:
    assert list(NearDuplicates(THRESHOLD).pairs()) == []
    assert near([""]).clusters() == []


def test_the_most_alike_of_a_reference_is_found() -> None:
    draw = random.Random(8)
    texts = sentences(500)
    reference = Reference(THRESHOLD)
    for first in range(0, 500, 100):
        reference.add(Signatures.of(texts[first : first + 100], BANDS))
    close = edited(texts[321], 1, draw)
    reference.add(Signatures.of([close], BANDS))
    asked = [*sentences(50, seed=10), texts[7], edited(texts[321], 0, draw), close, edited(texts[40], 1, draw)]
    found = reference.nearest(Signatures.of(asked, BANDS))
    assert {place: number for place, (number, _) in found.items()} == {50: 7, 51: 321, 52: 500, 53: 40}
    assert found[50][1] == found[51][1] == found[52][1] == 1
    assert found[53][1] == jaccard(asked[53], texts[40])


def test_of_several_alike_the_most_alike_is_named() -> None:
    (text,) = sentences(1, length=200)
    reference = Reference(THRESHOLD)
    reference.add(Signatures.of([text + "힣" * more for more in (9, 3, 6)], BANDS))
    assert reference.nearest(Signatures.of([text], BANDS)) == {0: (1, jaccard(text, text + "힣" * 3))}


def test_a_reference_of_one_template_is_looked_up_at_once() -> None:
    draw = random.Random(11)
    (template,) = sentences(1)
    reference = Reference(THRESHOLD)
    reference.add(Signatures.of([template + str(number) for number in range(3_000)], BANDS))
    asked = [template + str(draw.randrange(10**6)) for _ in range(300)]
    assert len(reference.nearest(Signatures.of(asked, BANDS))) == 300


def test_a_spool_gives_texts_by_number_and_leaves_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool()
    spool.extend(["가나", ""])
    spool.extend(["\ud800", "a" * 100_000, "끝"])
    assert list(spool.read([4, 0, 2])) == ["끝", "가나", "\ud800"]
    spool.extend(["뒤"])
    assert list(spool.read([5, 1])) == ["뒤", ""]
    assert len(spool) == 6
    assert spool.sizes().tolist() == [6, 0, 3, 100_000, 3, 3]
    assert os.listdir(tmp_path) == []
