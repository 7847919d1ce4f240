"""`data validate` with a model: its tokenizer measures the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from llmops_cli.core.errors import Collector, InputError, raise_problems
from llmops_cli.data import validate
from llmops_cli.data.checks import Measure, Measured, length, structure
from llmops_cli.data.config import ValidateConfig
from llmops_cli.data.reading import read_records
from llmops_cli.data.records import Record
from llmops_cli.models.dataset import encode_record
from llmops_cli.models.resolve import ModelFiles, resolve_model
from llmops_cli.models.token_view import Token, tokens_of
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.prompts.encode import IGNORED

run = validate.run


@dataclass(frozen=True)
class RecordTokens:
    """A record and its tokens; `max_length` is where training cuts them, `fault` why it would leave the record out."""

    record: Record
    tokens: list[Token]
    max_length: int
    fault: str | None


def plan(config: ValidateConfig) -> validate.ValidatePlan:
    """Find the model's tokenizer, the files and the checks. No weight is read.

    Raises:
        InputError, MachineError: every problem at once; wrong input outranks a model that is not here.
    """
    if config.model is None:
        return validate.plan(config)
    collect = Collector()
    files = collect.attempt(resolve_model, config.model)
    folder = files.tokenizer if files else Path()  # without a model the plan only collects its own problems
    if files:
        collect.attempt(_tokenizer, folder)
    ready = collect.attempt(validate.plan, config, partial(_measure, folder))
    raise_problems(collect.problems)
    assert files is not None
    assert ready is not None
    return replace(ready, notes=tuple(_notes(ready, files)))


def read_tokens(config: ValidateConfig, number: int) -> RecordTokens:
    """The tokens of the record with this number, from 1 in reading order; rows that cannot be read are not counted.

    Raises:
        InputError: no model is named, there are not so many records, or the chat template refuses this one.
        MachineError: there is no such model here.
    """
    if config.model is None:
        raise InputError("the tokens of which model?", where="model", hint="--model builtin:tiny-ko")
    max_length = plan(config).parameters[length.ID].max_length
    tokenizer = _tokenizer(resolve_model(config.model).tokenizer)
    count = 0
    for count, record in enumerate(read_records(config.input, config, lambda problem: None), 1):
        if count == number:
            return RecordTokens(record, tokens_of(tokenizer, record), max_length, next(structure.faults(record), None))
    raise InputError(f"there is no record {number:,}, only {count:,} can be read", where=", ".join(config.input))


def measure_of(model: str) -> Measure:
    """What measures a record in the tokens of a model, picklable. Raises MachineError when there is no such model."""
    return partial(_measure, resolve_model(model).tokenizer)


def _notes(ready: validate.ValidatePlan, files: ModelFiles) -> Iterator[str]:
    if length.ID not in ready.checks:
        yield f"{files.name} is not used: the check {length.ID} is left out"
    elif (limit := ready.parameters[length.ID].max_length) > files.context_length:
        yield (
            f"{files.name} sees {files.context_length:,} tokens, less than the max_length {limit:,} of this validation "
            f"-> --set parameters.{length.ID}.max_length={files.context_length}"
        )


def _measure(folder: Path, record: Record) -> Measured:
    labels = encode_record(_tokenizer(folder), record).labels
    last = next((place for place in range(len(labels) - 1, -1, -1) if labels[place] != IGNORED), -1)
    return Measured(len(labels), last)


@lru_cache(maxsize=1)  # one for each worker process
def _tokenizer(folder: Path) -> ModelTokenizer:
    return load_tokenizer(folder)
