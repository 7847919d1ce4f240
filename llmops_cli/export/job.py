"""`llmops quantize`: a model in another format, accepted only when it still does what the original does."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from llmops_cli.config.base import DeviceName
from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import Collector, GateFailed, InputError, MachineError, Problem, raise_problems
from llmops_cli.core.files import atomic_directory
from llmops_cli.core.workspace import shipped_root
from llmops_cli.data.inputs import read_section
from llmops_cli.export.config import QuantizeConfig
from llmops_cli.export.format import FormatModule, format_module
from llmops_cli.export.limits import doubts, faults, limits_of
from llmops_cli.export.merging import MergedModel
from llmops_cli.export.report import QuantizeResult, Row, report_paths, write_report
from llmops_cli.export.verify import compare, decoding_speed
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.decoder.architecture import read_architecture
from llmops_cli.inference.engine import Engine
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine
from llmops_cli.models.contract import check_contract, make_export_contract, signed_length, write_contract
from llmops_cli.models.dataset import EncodedSet, encode_records
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import resolve_source
from llmops_cli.models.tokenizer import ModelTokenizer, copy_tokenizer, load_tokenizer

QUANTIZED_KEYS = ("quantization", "quantization_config")
"""Keys of `config.json` by which mlx-lm and everybody else say that weights are quantized."""


@dataclass
class QuantizePlan:
    """An export that can start."""

    config: QuantizeConfig
    files: ModelFiles
    tokenizer: ModelTokenizer
    contract: str
    format: FormatModule
    limits: dict[str, float]
    original: EngineChoice
    encoded: EncodedSet


def plan(config: QuantizeConfig) -> QuantizePlan:
    """Resolve an export without loading weights.

    Raises:
        InputError, MachineError: every problem at once.
    """
    collect = Collector()
    if Path(config.output).exists():
        hint = f"-o another folder, or rm -r {config.output}"
        collect.problems.append(Problem("exists, and is not overwritten", config.output, hint))
    samples = config.data.eval or [str(shipped_root() / "data" / "heldout")]
    held_out = collect.attempt(read_section, "eval", samples, config.data)
    files = collect.attempt(_unquantized, config.model)
    tokenizer = collect.attempt(load_tokenizer, files.tokenizer) if files else None
    contract = collect.attempt(check_contract, files, tokenizer) if files and tokenizer else None
    original = collect.attempt(choose_engine, _engine_config(config, config.model)) if contract else None
    module = format_module(config.to)
    if files and tokenizer and (why := module.cannot_write(files, tokenizer)):
        collect.attempt(_refuse, why, config.to)
    raise_problems(collect.problems)
    assert held_out is not None
    assert files is not None
    assert tokenizer is not None
    assert contract is not None
    assert original is not None
    step = -(-len(held_out) // config.data.records)
    encoded = encode_records(tokenizer, held_out[::step], min(config.data.max_length, files.context_length))
    if not encoded.records:
        raise InputError("no held-out record can be compared: no answer fits", where="data.eval")
    limits = limits_of(config.limits, module.FORMATS[config.to])
    return QuantizePlan(config, files, tokenizer, contract, module, limits, original, encoded)


def _unquantized(name: str) -> ModelFiles:
    """The files of a model that can be exported.

    Raises:
        InputError, MachineError: as :func:`resolve_source`; it is quantized, or no model of ours.
    """
    source = resolve_source(name)
    if not isinstance(source, ModelFiles):
        raise InputError("want the model it was made from, in safetensors", where=name)
    if any(source.architecture.get(key) for key in QUANTIZED_KEYS):
        what = "its base is quantized already" if source.adapter else "it is quantized already"
        raise InputError(f"{what}: rounding twice loses more", where=name, hint="quantize the model it was made from")
    read_architecture(source.base)
    return source


def _refuse(why: str, to: str) -> None:
    raise (MachineError if "pip install" in why else InputError)(f"cannot write {to}: {why}", where="to")


def _engine_config(config: QuantizeConfig, model: str) -> EngineConfig:
    return EngineConfig(model=model, device=config.device, precision=config.precision)


def run(plan: QuantizePlan, reporter: Reporter) -> QuantizeResult:
    """Write the export, compare it with the original, and put it in its place; the report lies beside in any case.

    Raises:
        InputError: the weights do not load, or have no place in the format.
        GateFailed: the export is past a limit, or the adapter has no effect; nothing is left under the asked name.
    """
    config, output = plan.config, Path(plan.config.output)
    model = MergedModel(plan.files)
    with atomic_directory(output) as folder:
        with reporter.progress(f"writing {config.to}", len(model.shapes)) as bar:
            plan.format.write(model, plan.tokenizer, config.to, folder, bar)
        copy_tokenizer(plan.files.tokenizer, folder)
        length = signed_length(plan.files)
        write_contract(folder, make_export_contract(plan.files, plan.tokenizer, length, config.to, folder))
        result = _verify(plan, folder, reporter)
        write_report(result, output)
        if result.problems:
            hint = f"see {report_paths(output)[1]}"
            raise GateFailed([Problem(what, config.output, hint, GateFailed.exit_code) for what in result.problems])
    for note in result.notes:
        reporter.warn(note)
    return result


@dataclass
class _Loaded:
    """A model that is compared; `seconds` is what loading it took, None when only its numbers are looked at."""

    name: str
    engine: Engine
    bytes: int
    seconds: float | None


def _verify(plan: QuantizePlan, folder: Path, reporter: Reporter) -> QuantizeResult:
    config, files, notes = plan.config, plan.files, []
    settings = _engine_config(config, config.model)
    base_bytes, adapter_bytes = _weight_bytes(files.base), _weight_bytes(files.adapter) if files.adapter else 0
    original = _load("original", plan.original, settings, base_bytes + adapter_bytes)
    try:
        export = _load_export(folder, config.device)
    except MachineError as error:  # a GGUF file is written without llama.cpp, which is needed to run it
        export = _restored_export(plan, folder)
        notes.append(f"not run by its own engine, only its numbers were compared: {error}")
    base = None
    if files.adapter:
        settings = _engine_config(config, files.base_name)
        base = _load("bare base", choose_engine(settings), settings, base_bytes)
    records = plan.encoded.records
    with reporter.progress("comparing", len(records)) as bar:
        found = compare(original.engine, export.engine, base.engine if base else None, records, bar)
    rows = [
        Row(
            model.name,
            model.engine.name,
            model.bytes,
            model.seconds,
            decoding_speed(model.engine, records) if model.seconds is not None else None,
            agreement.perplexity,
            agreement.kl_mean,
            agreement.kl_p99,
            agreement.top1_agreement,
            agreement.effect,
        )
        for model, agreement in zip((original, export, *([base] if base else [])), found, strict=True)
    ]
    return QuantizeResult(
        model=config.model,
        to=config.to,
        output=config.output,
        contract=plan.contract,
        records=len(records),
        tokens=len(found[0].divergences),
        rows=rows,
        limits=plan.limits,
        notes=notes + doubts(rows),
        problems=faults(rows, plan.limits),
    )


def _load(name: str, choice: EngineChoice, config: EngineConfig, size: int) -> _Loaded:
    started = time.perf_counter()
    engine = load_engine(choice, config)
    return _Loaded(name, engine, size, time.perf_counter() - started)


def _load_export(folder: Path, device: DeviceName) -> _Loaded:
    config = EngineConfig(model=str(folder), device=device)
    return _load("export", choose_engine(config), config, _weight_bytes(folder))


def _restored_export(plan: QuantizePlan, folder: Path) -> _Loaded:
    """A GGUF file's numbers in the torch engine."""
    from llmops_cli.export.formats import gguf

    size = _weight_bytes(folder)
    with atomic_directory(folder / "restored") as restored:
        gguf.restore(folder, plan.files.architecture, restored)
        copy_tokenizer(folder, restored)
    config = _engine_config(plan.config, str(folder / "restored"))
    loaded = _load("export", choose_engine(config), config, size)
    shutil.rmtree(folder / "restored")
    return replace(loaded, seconds=None)


def _weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for ending in ("safetensors", "gguf") for path in folder.glob(f"*.{ending}"))
