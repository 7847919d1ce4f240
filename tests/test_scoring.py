"""Scores and divergences are those of a pencil and of torch's own functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from workbench import CONVERSATIONS, log_probabilities

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.engine import Engine
from llmops_cli.inference.open import open_engine
from llmops_cli.inference.scoring import Score, divergence, label_log_probabilities, score, scores
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import IGNORED, Encoded, encode_conversation

BAR = SilentReporter().progress("", None).__enter__()


class Table:
    """A model whose next token depends on the last one only: row t holds the logits after token t."""

    name = "table"

    def __init__(self, logits: torch.Tensor, chunk: int = 3) -> None:
        self._logits, self._chunk = logits, chunk

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        for start in range(0, len(ids) - 1, self._chunk):
            yield self._logits[list(ids[start : min(start + self._chunk, len(ids) - 1)])]

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return label_log_probabilities(self.logits, records)


P = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
Q = torch.tensor([[0.25, 0.6, 0.15], [0.1, 0.6, 0.3], [0.5, 0.2, 0.3]])
IDS = [0, 1, 1, 2, 0, 0, 2, 1]


def test_log_probabilities_are_those_of_the_next_tokens() -> None:
    want = [math.log(P[one, other]) for one, other in pairwise(IDS)]
    for chunk in (1, 2, 3, 7, 50):
        assert log_probabilities(Table(P.log() + 5, chunk), IDS) == pytest.approx(want, rel=1e-6)
    assert log_probabilities(Table(P.log()), [1]) == []


def test_a_score_counts_labelled_tokens_only() -> None:
    records = [
        Encoded([0, 1, 2, 0], [IGNORED, 1, IGNORED, 0], characters=3),
        Encoded([2, 2], [2, 2], characters=1),  # nothing predicts the first token of a record
    ]
    found = score(Table(P.log()), records, BAR)
    nats = -math.log(0.25) - math.log(0.2) - math.log(0.6)
    assert (found.tokens, found.characters) == (3, 4)
    assert found.nats == pytest.approx(nats, rel=1e-6)
    assert found.loss == pytest.approx(nats / 3, rel=1e-6)
    assert found.perplexity == pytest.approx(math.exp(nats / 3), rel=1e-6)
    assert found.bits_per_character == pytest.approx(nats / math.log(2) / 4, rel=1e-6)
    assert Score(1e9, 1, 1).perplexity < math.inf
    first, second = scores(Table(P.log()), iter(records), BAR)
    assert (first.tokens, first.characters, second.tokens, second.characters) == (2, 3, 1, 1)
    assert (first.nats, second.nats) == pytest.approx((-math.log(0.25) - math.log(0.2), -math.log(0.6)), rel=1e-6)


def test_divergence_is_that_of_kullback_and_leibler() -> None:
    rows = [sum(p * math.log(p / q) for p, q in zip(P[at], Q[at], strict=True)) for at in range(3)]
    texts = [IDS, [2, 0], [1], [0, 1, 2, 0, 1]]
    given = [token for ids in texts for token in ids[:-1]]
    for ours, theirs in ((3, 3), (2, 3), (1, 50), (5, 2)):
        found = divergence(Table(P.log(), ours), Table(Q.log() - 9, theirs), texts, BAR)
        assert found.tokens == len(given)
        assert found.nats == pytest.approx(float(sum(rows[token] for token in given)), rel=1e-5)
        assert found.mean == pytest.approx(found.nats / len(given))
        assert found.agreeing == sum(token == 1 for token in given)
        assert found.top1_agreement == found.agreeing / len(given)
    other_way = divergence(Table(Q.log()), Table(P.log()), texts, BAR)
    assert other_way.nats != pytest.approx(found.nats, rel=0.01)
    same = divergence(Table(P.log()), Table(P.log() + 1, 2), texts, BAR)
    assert (same.nats, same.top1_agreement) == (pytest.approx(0, abs=1e-6), 1)


def test_models_of_different_vocabularies_are_not_compared() -> None:
    with pytest.raises(InputError, match="table predicts 3 tokens, table 4"):
        divergence(Table(P.log()), Table(torch.zeros(4, 4)), [IDS], BAR)


def opened(model: Path, name: str) -> Engine:
    return open_engine(EngineConfig(model=str(model), engine=name, device="cpu"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["torch", "transformers", "mlx"])
def test_every_engine_scores_as_torch_does(tiny_model: Path, other_model: Path, name: str) -> None:
    if name == "mlx":
        pytest.importorskip("mlx.core")
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(tiny_model)
    records = [encode_conversation(tokenizer, row["messages"]) for row in CONVERSATIONS[:4]]
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    other = AutoModelForCausalLM.from_pretrained(other_model)
    nats = kl = 0.0
    with torch.no_grad():
        for record in records:
            ids, labels = torch.tensor([record.ids]), torch.tensor([record.labels])
            logits = model(input_ids=ids).logits[0, :-1]
            nats += float(torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum"))
            theirs = other(input_ids=ids).logits[0, :-1].log_softmax(-1)
            kl += float(torch.nn.functional.kl_div(theirs, logits.log_softmax(-1), log_target=True, reduction="sum"))
    engine = opened(tiny_model, name)
    assert score(engine, records, BAR).nats == pytest.approx(nats, rel=1e-4)
    found = divergence(engine, opened(other_model, name), [record.ids for record in records], BAR)
    assert found.nats == pytest.approx(kl, rel=1e-4)
    assert found.tokens == sum(len(record.ids) - 1 for record in records)
