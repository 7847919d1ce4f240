"""Planning an evaluation: everything that is wrong with it is found before any weight is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from llmops_cli.core.device import choose_device
from llmops_cli.core.errors import Collector, InputError, Problem, raise_problems
from llmops_cli.core.files import locked_directory
from llmops_cli.core.workspace import RunRequest, new_run_directory, runs_directory
from llmops_cli.data.inputs import describe_file, describe_inputs, read_section
from llmops_cli.evaluation.answering import SuiteRun, turns_of
from llmops_cli.evaluation.artifacts import ITEMS
from llmops_cli.evaluation.baseline import read_report
from llmops_cli.evaluation.calling import canonical_name, find_metrics
from llmops_cli.evaluation.config import EvalConfig, GateConfig, SuiteItem
from llmops_cli.evaluation.held_out import METRICS, HeldOut, encode_held_out
from llmops_cli.evaluation.limits import limits_of
from llmops_cli.evaluation.report import Report
from llmops_cli.evaluation.subject import Subject
from llmops_cli.evaluation.suites import HELD_OUT, Suite, load_suite
from llmops_cli.inference.open import EngineChoice, choose_engine
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles, check_length, model_folder
from llmops_cli.models.source import check_source, tokenizer_of
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.tracking.record import RunRecord

UNVERIFIABLE = "unverifiable"
"""The verdict on the contract of a model whose files are not here."""


@dataclass(frozen=True)
class Model:
    """What is evaluated. Of a server and of a fake there are no files, and no tokenizer either."""

    choice: EngineChoice
    files: ModelFiles | GgufFile | None
    tokenizer: ModelTokenizer | None
    contract: str


@dataclass
class EvalPlan:
    """An evaluation that can start."""

    config: EvalConfig
    directory: Path
    model: Model
    subject: Subject
    held_out: HeldOut | None
    suites: list[SuiteRun]
    baseline: Report | None
    baseline_run: str | None
    """The run of the baseline, where its answers are here."""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Path, sha256 and size of every file that is read, as the run record keeps them."""
        paths = [path for run in self.suites for path in (run.suite.path, run.suite.prompts) if path]
        return [*(self.held_out.files if self.held_out else ()), *(describe_file("suite", path) for path in paths)]


def plan(config: EvalConfig, request: RunRequest) -> EvalPlan:
    """Resolve an evaluation without loading weights.

    Raises:
        InputError, MachineError: every problem at once.
    """
    collect = Collector()
    directory = collect.attempt(_run_directory, request)
    if config.device in ("mps", "cuda"):  # to ask for these imports torch; the others are always here
        collect.attempt(choose_device, config.device)
    model = collect.attempt(_model, config)
    held_out = _held_out(config, model, collect)
    suites = _suites(config, model, collect)
    baseline = collect.attempt(read_report, config.gate.baseline) if config.gate.baseline else None
    _check_gate(config.gate, held_out, suites, collect)
    raise_problems(list(dict.fromkeys(collect.problems)))
    assert directory is not None
    assert model is not None
    subject = Subject(model.choice, config)
    return EvalPlan(config, directory, model, subject, held_out, suites, baseline, _answers_of(config.gate, directory))


def _run_directory(request: RunRequest) -> Path:
    """The folder of the run; one of that name that was stopped is made anew, out of the answers it has kept."""
    stopped = runs_directory() / (request.name or "")
    if request.name and (stopped / "record.json").is_file():
        record = RunRecord.load(stopped).values
        if record["job"] == "eval" and record["status"] != "finished":
            with locked_directory(stopped):
                request = replace(request, replace=True)
    return new_run_directory(request)


def _model(config: EvalConfig) -> Model:
    choice = choose_engine(config)
    if not isinstance(choice.source, ModelFiles | GgufFile):
        return Model(choice, None, None, UNVERIFIABLE)
    tokenizer = tokenizer_of(choice.source)
    return Model(choice, choice.source, tokenizer, check_source(choice.source, tokenizer))


def _held_out(config: EvalConfig, model: Model | None, collect: Collector) -> HeldOut | None:
    data = config.data
    if data is None:
        return None
    records = collect.attempt(read_section, "eval", data.eval, data)
    training = collect.attempt(describe_inputs, {"train": data.train})
    if model is None or not collect.attempt(_tells_probabilities, model, "data"):
        return None
    if model.files:
        collect.attempt(check_length, model.files, data.max_length)
    if records is None or training is None or model.tokenizer is None:
        return None
    encoded = collect.attempt(encode_held_out, model.tokenizer, records, data)
    return HeldOut(data, encoded, describe_inputs({"eval": data.eval}) + training) if encoded else None


def _suites(config: EvalConfig, model: Model | None, collect: Collector) -> list[SuiteRun]:
    sizes: dict[str, int] = {}
    suites: list[Suite] = []
    for suite in filter(None, [collect.attempt(load_suite, name) for name in config.suites]):
        if suite.name in (*sizes, HELD_OUT):
            collect.problems.append(Problem(f"a second suite of the name {suite.name!r}", str(suite.path)))
        sizes[suite.name] = collect.attempt(suite.check, partial(_check_prompt, model, suite)) or 0
        suites.append(suite)
    wanted = {suite.name: [*suite.config.metrics, *config.metrics] for suite in suites}
    metrics = collect.attempt(find_metrics, chain(config.metrics, *wanted.values()), config.params) or []
    measured = {metric.name for metric in metrics}
    idle = [name for name in config.params if measured and canonical_name(name) not in measured]
    collect.problems += [Problem("is not measured", f"params.{name}") for name in idle]
    for metric in metrics:
        if model and "likelihood" in metric.needs:
            collect.attempt(_tells_probabilities, model, metric.name)
    runs = []
    for suite in suites:
        if metrics:
            settings = suite.config.generation.model_copy(update=config.generation.model_dump(exclude_unset=True))
            names = set(map(canonical_name, wanted[suite.name]))
            size = min(sizes[suite.name], config.limit or sizes[suite.name])
            runs.append(SuiteRun(suite, size, settings, [metric for metric in metrics if metric.name in names]))
    return runs


def _check_prompt(model: Model | None, suite: Suite, item: SuiteItem) -> None:
    if model and model.files and model.tokenizer:
        tokens, most = len(encode_prompt(model.tokenizer, turns_of(item, suite))), model.files.context_length
        if tokens >= most:
            raise InputError(f"the prompt has {tokens} tokens, the model's context {most}", hint="shorten it")


def _tells_probabilities(model: Model, what: str) -> bool:
    if model.files is None:
        raise InputError(f"tells no probabilities of text, which {what} needs", where=model.choice.source.name)
    return True


def _answers_of(gate: GateConfig, directory: Path) -> str | None:
    """The run of the baseline where it has answers, unless this evaluation takes its place."""
    folder = model_folder(gate.baseline) if gate.baseline else None
    found = folder is not None and (folder / ITEMS).is_file() and folder.resolve() != directory.resolve()
    return str(folder) if found else None


def _check_gate(gate: GateConfig, held_out: HeldOut | None, suites: list[SuiteRun], collect: Collector) -> None:
    if gate.enforce and not gate.limits and not gate.baseline:
        what = "there is nothing to decide: neither limits nor a baseline"
        collect.problems.append(Problem(what, "gate", "--baseline RUN, or gate.limits"))
    if not collect.problems:  # what is measured is known
        measured = {run.suite.name: [metric.name for metric in run.metrics] for run in suites}
        collect.attempt(limits_of, gate, measured | ({HELD_OUT: list(METRICS)} if held_out else {}))
