"""Perplexity and bits per character: of a text, of a set, and of the tokens that answer."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from workbench import CONVERSATIONS

from llmops_cli.core.console import SilentReporter
from llmops_cli.evaluation.calling import find_metric, find_metrics
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item, Likelihood
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.open import open_engine
from llmops_cli.inference.scoring import scores
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import IGNORED, encode_conversation

NAMES = ("perplexity", "bits_per_character")


def item(name: str, nats: float, tokens: int, characters: int) -> Item:
    return Item(name, "", likelihood=Likelihood(nats, tokens, characters))


def test_each_text_has_its_own_and_a_set_counts_every_token_once() -> None:
    metrics = find_metrics(NAMES, {})
    items = [item("short", 3.0, 2, 4), item("long", 40.0, 80, 100)]
    rows = [(each.id, found) for each, found in measure(metrics, items, SilentReporter())]
    short, long = (found for _, found in rows)
    assert short["perplexity"].score == pytest.approx(math.exp(1.5))
    assert long["bits_per_character"].score == pytest.approx(0.4 / math.log(2))
    summary = summarize(metrics, rows, intervals=False).summary
    assert summary["perplexity"] == pytest.approx(math.exp(43 / 82))
    assert summary["bits_per_character"] == pytest.approx(43 / 104 / math.log(2))


def test_a_resample_counts_an_item_as_often_as_it_was_drawn() -> None:
    statistics, counts = np.array([[3.0, 2], [40.0, 80]]), np.array([[2, 0], [1, 3]])
    want = [3 / 2, 123 / 242]
    assert find_metric("perplexity").pool(statistics, counts) == pytest.approx(np.exp(want))
    assert find_metric("bits_per_character").pool(statistics, counts) == pytest.approx(want)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_without_a_prediction_has_no_score(name: str) -> None:
    metric = find_metric(name)
    assert metric.measure([Item("a", "말"), item("b", 0.0, 0, 0)]) == [None, None]
    (broken,) = metric.measure([item("c", math.nan, 3, 3)])
    assert math.isnan(broken.score)
    (huge,) = metric.measure([item("d", 1e9, 1, 1)])
    assert math.isfinite(huge.score)
    assert np.isfinite(metric.pool(np.array([huge.statistics]), np.ones((1, 1)))).all()


def test_the_tokens_of_a_conversation_that_count_are_those_of_its_answers(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(tiny_model)
    turns = [turn for row in CONVERSATIONS[:2] for turn in row["messages"]]
    record = encode_conversation(tokenizer, turns)
    answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    engine = open_engine(EngineConfig(model=str(tiny_model), device="cpu"))
    with SilentReporter().progress("", None) as bar:
        (found,) = scores(engine, [record], bar)
    assert found.tokens == sum(len(tokenizer.encode(answer)) + 1 for answer in answers)  # and the end of the turn
    assert found.characters == sum(map(len, answers))

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        rows = model(torch.tensor([record.ids])).logits[0, :-1].log_softmax(-1)
    labels = torch.tensor(record.labels[1:])
    answering = labels != IGNORED
    want = -rows[answering].gather(-1, labels[answering, None]).sum()
    assert found.nats == pytest.approx(float(want), rel=1e-5)
    (scored,) = find_metric("perplexity").measure([item("a", found.nats, found.tokens, found.characters)])
    assert scored.score == pytest.approx(math.exp(float(want) / int(answering.sum())), rel=1e-5)
