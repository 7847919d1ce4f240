"""Metrics of what two texts have in common: right on Korean, and the numbers of the libraries they go through."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench import SENTENCES

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.metrics import Item, Measurement
from llmops_cli.evaluation.tokens import TOKENIZERS
from llmops_cli.text.subsequence import common_subsequence_length

PAIRS = [tuple(line.split("|")) for line in SENTENCES]
ROUGE = [f"rouge_{kind}[{tokens}]" for kind in ("1", "2", "l") for tokens in ("char", "jamo", "word")]


def measured(name: str, output: str, reference: str | None) -> Measurement | None:
    (found,) = find_metric(name).measure([Item("a", output, reference=reference)])
    return found


def score(name: str, output: str, reference: str) -> float:
    found = measured(name, output, reference)
    assert found is not None
    return found.score


def statistics_of(name: str, pairs: Sequence[tuple[str, ...]]) -> np.ndarray:
    found = find_metric(name).measure([Item(str(n), pair[0], reference=pair[1]) for n, pair in enumerate(pairs)])
    return np.array([each.statistics or (each.score,) for each in found if each])


@pytest.mark.parametrize("metric", [*ROUGE, "exact_match"])
def test_a_korean_text_is_all_in_common_with_itself(metric: str) -> None:
    assert score(metric, "비가 그치자 아이들이 골목으로 나왔다.", "비가 그치자 아이들이 골목으로 나왔다.") == 1.0


@pytest.mark.parametrize("metric", ["bleu", "bleu[13a]", "chrf"])
def test_sacrebleu_counts_to_100(metric: str) -> None:
    text = "비가 그치자 아이들이 골목으로 나왔다."
    assert score(metric, text, text) == pytest.approx(100)


@pytest.mark.parametrize("metric", ROUGE)
@pytest.mark.parametrize(
    ("output", "reference"),
    [
        ("2024 AI 덕분에 병을 일찍 찾는다", "2024 AI 때문에 일자리가 줄었다"),
        ("갤럭시 S24 좋아요", "아이폰 S24 싫어요"),
    ],
)
def test_what_is_latin_and_digits_does_not_decide(metric: str, output: str, reference: str) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    assert RougeScorer(["rouge1"]).score(reference, output)["rouge1"].fmeasure == 1.0  # the trap
    assert score(metric, output, reference) < 0.7


@pytest.mark.parametrize("metric", ROUGE)
def test_texts_without_a_common_letter_have_nothing_in_common(metric: str) -> None:
    assert score(metric, "나무 그늘", "abc abc") == 0.0
    assert score(metric, "", "나무 그늘") == 0.0


def test_spacing_does_not_count_in_syllables() -> None:
    assert score("rouge_2[char]", "집에 갈래", "집 에갈래") == 1.0
    assert score("rouge_2[word]", "집에 갈래", "집 에갈래") == 0.0
    assert score("exact_match", " 집에\n갈래", "집에 갈래 ") == 1.0
    assert score("exact_match", "집에갈래", "집에 갈래") == 0.0


def table_length(left: str, right: str) -> int:
    """The length of the longest common subsequence by the whole table."""
    row = [0] * (len(right) + 1)
    for item in left:
        above, row = row, [0]
        for place, other in enumerate(right):
            row.append(above[place] + 1 if item == other else max(above[place + 1], row[-1]))
    return row[-1]


@settings(deadline=None, max_examples=300)
@given(st.text("가나다ㅋ", max_size=80), st.text("가나다ㅋ", max_size=80))
def test_the_bit_parallel_subsequence_is_that_of_the_table(left: str, right: str) -> None:
    assert common_subsequence_length(left, right) == table_length(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", ""),
        ("가", ""),
        ("가" * 130, "가" * 63),
        ("가나" * 70, "나가" * 70),
        ("가나다라마" * 30, "마라다나가" * 30),
        ("가" * 64 + "나" * 64, "나" * 64 + "가" * 64),
        ("나" * 129 + "가", "가" + "나" * 129),
    ],
)
def test_the_subsequence_of_adversarial_texts(left: str, right: str) -> None:
    assert common_subsequence_length(left, right) == table_length(left, right)


@pytest.mark.parametrize("tokens", ["char", "jamo", "word"])
def test_rouge_l_is_that_of_rouge_score(tokens: str) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=TOKENIZERS[tokens])
    for output, reference in PAIRS:
        expected = scorer.score(reference, output)["rougeL"].fmeasure
        assert score(f"rouge_l[{tokens}]", output, reference) == expected


@pytest.mark.parametrize("tokens", ["char", "13a"])
def test_bleu_of_a_set_is_that_of_its_corpus(tokens: str) -> None:
    import sacrebleu

    pooled = find_metric(f"bleu[{tokens}]").pool(statistics_of(f"bleu[{tokens}]", PAIRS), np.ones((1, len(PAIRS))))
    outputs, references = zip(*PAIRS, strict=True)
    assert pooled[0] == sacrebleu.corpus_bleu(outputs, [references], tokenize=tokens).score
    assert f"tok:{tokens}|smooth:exp" in str(find_metric(f"bleu[{tokens}]").signature)


def test_chrf_of_an_item_and_of_a_set_is_that_of_sacrebleu() -> None:
    import sacrebleu

    pairs = [*PAIRS, ("", "빈 답"), ("가", "가나다라마바사")]
    pooled = find_metric("chrf").pool(statistics_of("chrf", pairs), np.ones((1, len(pairs))))
    outputs, references = zip(*pairs, strict=True)
    assert pooled[0] == pytest.approx(sacrebleu.corpus_chrf(outputs, [references]).score, rel=1e-12)
    for output, reference in pairs:
        assert score("chrf", output, reference) == pytest.approx(
            sacrebleu.sentence_chrf(output, [reference]).score, rel=1e-12
        )
    assert "nc:6|nw:0" in str(find_metric("chrf").signature)


@pytest.mark.parametrize("metric", ["bleu", "chrf", "rouge_l"])
def test_an_item_counted_twice_weighs_as_if_it_were_listed_twice(metric: str) -> None:
    twice = find_metric(metric).pool(statistics_of(metric, PAIRS[:3]), np.array([[2, 0, 1], [1, 1, 1]]))
    listed = find_metric(metric).pool(statistics_of(metric, [PAIRS[0], PAIRS[0], PAIRS[2]]), np.ones((1, 3)))
    assert twice[0] == pytest.approx(listed[0], rel=1e-12)
    assert twice[0] != pytest.approx(twice[1])


@pytest.mark.parametrize("metric", [*ROUGE, "bleu", "chrf", "exact_match"])
def test_without_a_reference_there_is_no_score(metric: str) -> None:
    assert measured(metric, "답", None) is None
    assert measured(metric, "답", "") is None


def test_a_reference_too_short_for_an_n_gram_gives_no_score() -> None:
    assert measured("rouge_2[char]", "답", "답") is None
    assert measured("rouge_l[word]", "답", "  ") is None
    with pytest.raises(InputError, match="up to 9"):
        measured("rouge_10", "답", "답")


def self_bleu(outputs: list[str]) -> list[float | None]:
    items = [Item(f"i{n}", output) for n, output in enumerate(outputs)]
    return [each.score if each else None for each in find_metric("self_bleu").measure(items)]


def test_self_bleu_tells_copies_from_texts_of_their_own() -> None:
    outputs = [reply for _, reply in PAIRS]
    copies, own = self_bleu([outputs[0]] * 10), self_bleu(outputs)
    assert copies == pytest.approx([1.0] * 10)
    assert max(each for each in own if each is not None) < 0.6
    assert self_bleu(outputs[:1]) == [None]
    assert self_bleu([outputs[0], "", outputs[0]]) == [pytest.approx(1.0), None, pytest.approx(1.0)]


def test_self_bleu_is_bleu_against_every_other_output() -> None:
    from sacrebleu.metrics.bleu import BLEU

    outputs = [reply for _, reply in PAIRS]
    scorer = BLEU(tokenize="char", effective_order=True)
    expected = [
        scorer.sentence_score(output, outputs[:n] + outputs[n + 1 :]).score / 100 for n, output in enumerate(outputs)
    ]
    assert self_bleu(outputs) == pytest.approx(expected)


def test_the_sample_of_self_bleu_does_not_hang_on_the_order_of_items() -> None:
    rng = random.Random(3)
    items = [Item(f"i{n}", " ".join(rng.sample(SENTENCES, 2))) for n in range(60)]
    metric = find_metric("self_bleu", {"sample": 20})
    forth = {item.id: found for item, found in zip(items, metric.measure(items), strict=True)}
    back = {item.id: found for item, found in zip(items[::-1], metric.measure(items[::-1]), strict=True)}
    assert forth == back
    assert sum(found is not None for found in forth.values()) == 20


def test_compression_tells_a_loop_from_prose_at_any_length() -> None:
    prose = " ".join(line.replace("|", " ") for line in SENTENCES)
    short, long = (find_metric("compression_ratio").measure([Item("a", prose[:n])])[0] for n in (250, 500))
    (loop,) = find_metric("compression_ratio").measure([Item("a", "나는 갔다. 그는 왔다. " * 20)])
    assert short
    assert long
    assert loop
    assert abs(short.score - long.score) < 0.1
    assert loop.score > 4 * long.score
    of_few, of_none = find_metric("compression_ratio").measure([Item("a", prose[:50]), Item("b", "")])
    assert of_few
    assert of_few.score < short.score
    assert of_none is None


SCRIPT = """
import datasets
import evaluate

class Share(evaluate.Metric):
    def _info(self):
        features = datasets.Features({name: datasets.Value("string") for name in ("predictions", "references")})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references, times=1):
        return {"name": "share", "share": times * float(predictions == references), "other": 3}
"""


def test_a_metric_of_hugging_face_is_measured_by_the_path_of_its_script() -> None:
    Path("share.py").write_text(SCRIPT, encoding="utf-8")
    items = [Item("a", "답", reference="답"), Item("b", "답", reference="말"), Item("c", "답")]
    found = find_metric("evaluate[./share.py]", {"options": {"times": 2}}).measure(items)
    assert [each and each.score for each in found] == [2.0, 0.0, None]
    assert find_metric("evaluate[./share.py]", {"key": "other"}).measure(items[:1]) == [Measurement(3.0)]
    with pytest.raises(InputError, match="it computes share, other"):
        find_metric("evaluate[./share.py]", {"key": "name"}).measure(items)
    with pytest.raises(MachineError, match="give the path of its script"):
        find_metric("evaluate[./none.py]").measure(items)
