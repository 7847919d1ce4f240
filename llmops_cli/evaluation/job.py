"""Running an evaluation."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.device import DeviceChoice, choose_device
from llmops_cli.core.errors import Collector, GateFailed, InputError, raise_problems
from llmops_cli.core.files import write_json
from llmops_cli.core.workspace import RunRequest, clear_run, new_run_directory
from llmops_cli.data.inputs import describe_inputs, read_section
from llmops_cli.data.records import Record
from llmops_cli.evaluation.config import EvalConfig
from llmops_cli.evaluation.trigram import CharacterTrigram
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine
from llmops_cli.inference.scoring import Score, score
from llmops_cli.models.dataset import EncodedSet, encode_records
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles, check_length
from llmops_cli.models.source import check_source, tokenizer_of
from llmops_cli.tracking.record import RunRecord, now


@dataclass
class EvalPlan:
    """An evaluation that can start."""

    config: EvalConfig
    directory: Path
    choice: EngineChoice
    files: ModelFiles | GgufFile
    contract: str
    device: DeviceChoice
    encoded: EncodedSet
    train: list[Record]


@dataclass(frozen=True)
class Row:
    """One line of the result. A trigram has characters for tokens, so it has no perplexity beside the others."""

    name: str
    loss: float | None
    perplexity: float | None
    bits_per_character: float


@dataclass(frozen=True)
class EvalResult:
    """What was measured, on how much text."""

    run: str
    model: str
    contract: str
    records: int
    tokens: int
    characters: int
    rows: list[Row]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def plan(config: EvalConfig, request: RunRequest) -> EvalPlan:
    """Resolve an evaluation without loading weights.

    Raises:
        InputError, MachineError: every problem at once.
    """
    collect = Collector()
    data = config.data
    directory = collect.attempt(new_run_directory, request)
    device = collect.attempt(choose_device, config.device)
    held_out = collect.attempt(read_section, "eval", data.eval, data)
    train = collect.attempt(read_section, "train", data.train, data) if data.train else []
    choice = collect.attempt(choose_engine, config)
    files = collect.attempt(_files, choice) if choice else None
    tokenizer = collect.attempt(tokenizer_of, files) if files else None
    contract = collect.attempt(check_source, files, tokenizer) if files and tokenizer else None
    if files:
        collect.attempt(check_length, files, data.max_length)
    raise_problems(collect.problems)
    assert directory is not None
    assert device is not None
    assert held_out is not None
    assert train is not None
    assert choice is not None
    assert files is not None
    assert tokenizer is not None
    assert contract is not None
    encoded = encode_records(tokenizer, held_out, data.max_length)
    if not encoded.records:
        raise InputError(
            "no held-out record can be scored: no answer fits", where="data.eval", hint="--set data.max_length=2048"
        )
    return EvalPlan(config, directory, choice, files, contract, device, encoded, train)


def _files(choice: EngineChoice) -> ModelFiles | GgufFile:
    if not isinstance(choice.source, ModelFiles | GgufFile):
        raise InputError("tells no probabilities of text; want a model in files", where=choice.source.name)
    return choice.source


def run(plan: EvalPlan, reporter: Reporter) -> EvalResult:
    """Measure the trigram, the base and the model.

    Raises:
        InputError: the weights do not load.
        GateFailed: a loss is no number.
    """
    config = plan.config
    clear_run(plan.directory)
    record = RunRecord.create(
        plan.directory,
        "eval",
        config,
        model=config.model,
        base_model=plan.files.base_name,
        engine=plan.choice.engine,
        engine_reason=plan.choice.reason,
        contract=plan.contract,
        device=plan.device.name,
        device_reason=plan.device.reason,
        dtype=plan.device.dtype,
        data=describe_inputs({"eval": config.data.eval, "train": config.data.train}),
    )
    for line in plan.encoded.warnings("data.eval"):
        reporter.warn(line)
    try:
        result = _measure(plan, reporter)
        write_json(plan.directory / "report.json", result.to_json())
    except BaseException:
        with contextlib.suppress(OSError):  # the error itself is what has to be told
            record.update(status="failed", finished=now())
        raise
    record.update(status="finished", finished=now())
    return result


def _measure(plan: EvalPlan, reporter: Reporter) -> EvalResult:
    rows = []
    if plan.train:
        rows.append(_trigram(plan))
    files, name = plan.files, "model"
    if isinstance(files, ModelFiles) and files.adapter is not None:
        base = replace(plan.choice, source=ModelFiles(files.base_name, files.base_name, files.base))
        rows.append(_row("base", _score(plan, base, "base", reporter)))
        name = "adapter"
    scored = _score(plan, plan.choice, name, reporter)
    rows.append(_row(name, scored))
    return EvalResult(
        str(plan.directory),
        plan.config.model,
        plan.contract,
        len(plan.encoded.records),
        scored.tokens,
        scored.characters,
        rows,
    )


def _score(plan: EvalPlan, choice: EngineChoice, label: str, reporter: Reporter) -> Score:
    engine = load_engine(choice, plan.config)
    with reporter.progress(f"scoring {label}", len(plan.encoded.records)) as bar:
        scored = score(engine, plan.encoded.records, bar)
    if not math.isfinite(scored.nats):
        raise GateFailed(f"the loss of the {label} is {scored.loss}: its weights are broken", where=plan.config.model)
    return scored


def _row(name: str, scored: Score) -> Row:
    return Row(name, scored.loss, scored.perplexity, scored.bits_per_character)


def _trigram(plan: EvalPlan) -> Row:
    trigram = CharacterTrigram(_answers(plan.train))
    texts = _answers(plan.encoded.sources)
    bits = sum(map(trigram.nats, texts)) / math.log(2)
    return Row("character trigram", None, None, bits / sum(map(len, texts)))


def _answers(records: Sequence[Record]) -> list[str]:
    """The texts a model is asked to predict: assistant turns, or the plain text."""
    texts = [record.text for record in records if record.text is not None]
    turns = [message.content for record in records for message in record.messages if message.role == "assistant"]
    return texts + turns
