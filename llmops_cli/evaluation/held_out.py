"""Held-out text: how well the model predicts it, beside its base and a character trigram."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops_cli import __version__
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import sha256_of_value
from llmops_cli.data.inputs import read_section
from llmops_cli.data.records import Record
from llmops_cli.evaluation.cache import Cache
from llmops_cli.evaluation.calling import find_metrics
from llmops_cli.evaluation.config import EvalConfig, EvalData
from llmops_cli.evaluation.likelihood import likelihood_of, score_missing
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item
from llmops_cli.evaluation.report import SetScores
from llmops_cli.evaluation.subject import Subject
from llmops_cli.evaluation.trigram import CharacterTrigram
from llmops_cli.models.dataset import EncodedSet, encode_records
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

METRICS = ("perplexity", "bits_per_character")


@dataclass(frozen=True)
class HeldOut:
    """Held-out text in the model's tokens; `files` describes it, and the training data, for the run record."""

    data: EvalData
    encoded: EncodedSet
    files: list[dict[str, Any]]


def encode_held_out(tokenizer: ModelTokenizer, records: Sequence[Record], data: EvalData) -> EncodedSet:
    """The records that can be scored.

    Raises:
        InputError: there is none.
    """
    encoded = encode_records(tokenizer, records, data.max_length)
    if not encoded.records:
        what = "no held-out record can be scored: no answer fits"
        raise InputError(what, where="data.eval", hint="--set data.max_length=2048")
    return encoded


def measure_held_out(
    held_out: HeldOut, subject: Subject, config: EvalConfig, cache: Cache, reporter: Reporter
) -> tuple[SetScores, dict[str, dict[str, float | None]]]:
    """The scores of the model, and the summaries of what stands beside it.

    Raises:
        InputError: the training data cannot be read, or the weights do not load.
        GateFailed: a loss is no number.
    """
    beside: dict[str, dict[str, float | None]] = {}
    if held_out.data.train:
        beside["character trigram"] = {"bits_per_character": _trigram_bits(held_out, cache, reporter)}
    source = subject.choice.source
    label = "model"
    if isinstance(source, ModelFiles) and source.adapter is not None:
        bare = replace(subject.choice, source=ModelFiles(source.base_name, source.base_name, source.base))
        beside["base"] = _scores(held_out, Subject(bare, config), "base", cache, reporter).summary
        label = "adapter"
    return _scores(held_out, subject, label, cache, reporter), beside


def _scores(held_out: HeldOut, subject: Subject, label: str, cache: Cache, reporter: Reporter) -> SetScores:
    encoded = held_out.encoded
    score_missing(encoded.records, subject, label, cache, reporter)
    items = [
        Item(source.id, output="", likelihood=likelihood_of(record, subject, cache))
        for source, record in zip(encoded.sources, encoded.records, strict=True)
    ]
    metrics = find_metrics(METRICS, {})
    rows = [(item.id, found) for item, found in measure(metrics, items, reporter)]
    return summarize(metrics, rows, intervals=True)


def _trigram_bits(held_out: HeldOut, cache: Cache, reporter: Reporter) -> float:
    """Bits per character of a trigram; the training data is not read where they are known."""
    texts = list(_learned(held_out.encoded.sources))
    training = [file["sha256"] for file in held_out.files if file["role"] == "train"]
    options = held_out.data.model_dump(exclude={"eval", "train", "max_length"})
    key = sha256_of_value(["character trigram", __version__, training, options, texts])
    bits: float | None = cache.get(key)
    if bits is None:
        with reporter.progress("character trigram", None):
            trigram = CharacterTrigram(_learned(read_section("train", held_out.data.train, held_out.data)))
            nats = math.fsum(map(trigram.nats, texts))
        bits = nats / math.log(2) / sum(map(len, texts))
        cache.put(key, bits)
    return bits


def _learned(records: Sequence[Record]) -> Iterator[str]:
    """The texts a model is asked to predict: assistant turns, or the plain text."""
    for record in records:
        yield from (message.content for message in record.messages if message.role == "assistant")
        if record.text is not None:
            yield record.text
