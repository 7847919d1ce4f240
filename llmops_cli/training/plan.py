"""What a training would do: every file, name and number resolved before a weight is loaded."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from llmops_cli.core.device import DeviceChoice, choose_device, total_memory
from llmops_cli.core.errors import Collector, InputError, MachineError, Problem, raise_problems
from llmops_cli.core.workspace import RunRequest, new_run_directory
from llmops_cli.data.inputs import read_section
from llmops_cli.models.contract import check_contract
from llmops_cli.models.dataset import EncodedSet, encode_records
from llmops_cli.models.resolve import ModelFiles, check_length, read_json, resolve_model
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.training.config import TrainConfig
from llmops_cli.training.memory import Shape, estimate_memory, shape_of
from llmops_cli.training.resume import Resumption, find_resumption
from llmops_cli.training.scratch import train_tokenizer
from llmops_cli.training.targets import check_targets

Value = TypeVar("Value")


@dataclass
class TrainPlan:
    """A training that can start."""

    config: TrainConfig
    directory: Path
    files: ModelFiles | None
    tokenizer: ModelTokenizer
    device: DeviceChoice
    train: EncodedSet
    held_out: EncodedSet
    steps: int
    shape: Shape
    resumption: Resumption
    warnings: list[str] = field(default_factory=list)

    @property
    def peak_memory(self) -> int:
        """Estimated peak memory in bytes."""
        return estimate_memory(self.shape, self.config, self.device)

    @property
    def disk(self) -> int:
        """Bytes the run will need on disk: its checkpoints (weights and two optimizer moments), and the result."""
        trainable = self.shape.trainable(self.config)
        return trainable * 4 * (3 * (self.config.train.keep_checkpoints + 2) + 2)

    def summary(self) -> dict[str, Any]:
        """The plan as plain data, for `--dry-run`."""
        return {
            "run": str(self.directory),
            "model": self.config.model or "new weights",
            "device": self.device.name,
            "device_reason": self.device.reason,
            "dtype": self.device.dtype if self.config.train.method == "lora" else "float32",
            "records": len(self.train.records),
            "held_out_records": len(self.held_out.records),
            "tokens_per_epoch": self.train.tokens,
            "learned_tokens_per_epoch": self.train.labelled,
            "steps": self.steps,
            "first_step": self.resumption.step,
            "trainable_parameters": self.shape.trainable(self.config),
            "estimated_peak_memory": self.peak_memory,
            "disk": self.disk,
            "warnings": self.warnings,
        }


def plan(config: TrainConfig, request: RunRequest) -> TrainPlan:
    """Resolve a training.

    Args:
        config: the validated configuration.
        request: the run's name; with `resume` and no name, the newest run of its stem.

    Raises:
        InputError, MachineError: every problem at once; wrong input outranks what the machine lacks.
    """
    collect = Collector()
    settings = config.train
    resumption = collect.attempt(find_resumption, config, request) if request.resume else Resumption.fresh()
    directory = resumption.directory if resumption else None
    if directory is None and resumption is not None:
        directory = collect.attempt(new_run_directory, request)
    device = collect.attempt(choose_device, config.device)
    files = collect.attempt(resolve_model, config.model) if config.model else None
    tokenizer = None
    read = collect.attempt(read_section, "train", config.data.train, config.data)
    held = collect.attempt(read_section, "eval", config.data.eval, config.data) if config.data.eval else []
    if held and config.data.max_eval_records is not None:
        held = evenly_spaced(held, config.data.max_eval_records)
    if settings.tokenizer is not None and read:
        tokenizer = collect.attempt(train_tokenizer, read, settings.tokenizer)
    elif files is not None:
        tokenizer = collect.attempt(load_tokenizer, files.tokenizer)
    checked = tokenizer is not None and files is not None and settings.tokenizer is None
    if checked and collect.attempt(check_contract, files, tokenizer) is None:
        tokenizer = None  # what a wrong template says of the data is not worth telling
    if files is not None and settings.architecture is None:
        collect.attempt(_check_start, config, files)
        collect.attempt(check_length, files, config.data.max_length)
    length, every = config.data.max_length, settings.train_on_prompt
    train = collect.attempt(encode_records, tokenizer, read, length, every_turn=every) if tokenizer and read else None
    held_out = collect.attempt(encode_records, tokenizer, held, length) if tokenizer and held is not None else None
    if train is not None and not train.records:
        collect.problems.append(
            Problem(
                "no record teaches anything: no assistant turn fits",
                "data.train",
                "--set data.max_length=2048",
            )
        )
    if held and held_out is not None and not held_out.records:
        collect.problems.append(Problem("no held-out record teaches anything", "data.eval"))
    raise_problems(collect.problems)
    assert resumption is not None
    assert directory is not None
    assert device is not None
    assert tokenizer is not None
    assert train is not None
    assert held_out is not None

    per_epoch = math.ceil(len(train.records) / settings.batch_size)
    steps = settings.max_steps or math.ceil(settings.epochs * per_epoch)
    shape = shape_of(config, files, tokenizer.size)
    ready = TrainPlan(config, directory, files, tokenizer, device, train, held_out, steps, shape, resumption)
    ready.warnings += resumption.notes(steps) + train.warnings("data.train") + held_out.warnings("data.eval")
    ready.warnings += _unused_settings(config, files)
    if settings.keep == "best" and not held_out.records:
        ready.warnings.append("train.keep is best, but there is no data.eval: the last step becomes the result")
    if ready.peak_memory > total_memory():
        ready.warnings.append(
            f"needs about {ready.peak_memory / 1e9:.1f} GB of {total_memory() / 1e9:.1f} GB: lower train.pack_length"
        )
    parent = directory.parent if directory.parent.is_dir() else Path()
    free = shutil.disk_usage(parent).free
    if free < ready.disk:
        raise MachineError(
            f"needs about {ready.disk / 1e9:.2f} GB on disk, {free / 1e9:.2f} GB are free",
            where=str(parent.resolve()),
            hint="free space, or --set train.keep_checkpoints=1",
        )
    return ready


def _check_start(config: TrainConfig, files: ModelFiles) -> None:
    """Whether the method of training fits the model it starts from."""
    if config.train.method == "lora" and files.adapter is None:
        check_targets(config.lora.targets, files.base)
    if config.train.method == "full" and files.adapter is not None:
        raise InputError(
            f"train.method full would leave out the adapter of {files.name}",
            where="model",
            hint=f"--set train.method=lora, or --set model={files.base_name}",
        )


def _unused_settings(config: TrainConfig, files: ModelFiles | None) -> list[str]:
    """The `lora` settings that a continued adapter overrules: its shape is what it was made with."""
    if files is None or files.adapter is None or config.train.architecture is not None:
        return []
    adapter = read_json(files.adapter / "adapter_config.json")
    pairs = (("rank", "r"), ("alpha", "lora_alpha"), ("dropout", "lora_dropout"))
    return [
        f"lora.{ours} {getattr(config.lora, ours)} is not used: the adapter of {files.name} has {adapter[theirs]}"
        for ours, theirs in pairs
        if theirs in adapter and adapter[theirs] != getattr(config.lora, ours)
    ]


def evenly_spaced(items: list[Value], count: int) -> list[Value]:
    """At most `count` of the items, from beginning to end at equal distances, so that every source is among them."""
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]
