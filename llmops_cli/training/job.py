"""Running a training: model, loop, result, record."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.config.layers import flatten
from llmops_cli.core.console import Progress, Reporter
from llmops_cli.core.device import device_memory, peak_memory
from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.files import write_text
from llmops_cli.core.interrupt import Interrupted, Interruption, deferred_interrupts
from llmops_cli.core.workspace import clear_run
from llmops_cli.data.inputs import describe_inputs
from llmops_cli.models.contract import make_contract
from llmops_cli.tracking.mirror import MlflowMirror
from llmops_cli.tracking.record import MetricsLog, RunRecord, config_text, now, read_metrics
from llmops_cli.training.model import trainable_model
from llmops_cli.training.plan import TrainPlan, plan
from llmops_cli.training.publish import publish

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from llmops_cli.training.trainer import PackedTrainer


__all__ = ["TrainResult", "plan", "run"]


@dataclass(frozen=True)
class TrainResult:
    """What a training came to. Losses are in nats per labelled token."""

    run: str
    result: str
    steps: int
    chosen_step: int
    train_loss: float | None
    held_out_loss: float | None
    tokens_per_second: float | None
    peak_memory: int
    already_finished: bool = False


def run(plan: TrainPlan, reporter: Reporter) -> TrainResult:
    """Train as planned, or go on where the run stopped.

    Raises:
        GateFailed: the loss is no longer finite.
        Interrupted: a signal stopped it; the checkpoint was kept.
        InputError, MachineError: weights that do not load, a full disk.
    """
    quiet_libraries()
    for line in plan.warnings:
        reporter.warn(line)
    resumed = plan.resumption.record
    if resumed is not None and plan.resumption.step >= plan.steps and resumed.values["status"] == "finished":
        reporter.info(
            f"{plan.directory} is finished at step {plan.resumption.step}; --set train.max_steps=N goes further"
        )
        return _result(plan.directory, resumed, already_finished=True)
    record = _reopened(plan, resumed) if resumed else _new_record(plan)
    mirror = _mirror(plan, record)
    metrics = MetricsLog(plan.directory / "metrics.jsonl", plan.resumption.step)
    try:
        with deferred_interrupts() as interruption:
            model = trainable_model(plan)
            trainer, seconds = _train(plan, model, metrics, mirror, interruption, reporter)
        state = trainer.state
        if interruption.signal is not None and state.global_step < plan.steps:
            raise Interrupted(
                interruption.signal,
                f"stopped at step {state.global_step} of {plan.steps}, checkpoint kept",
                where=str(plan.directory),
                hint=f"the same command with --name {plan.directory.name} --resume",
            )
        use_best = plan.config.train.keep == "best" and state.best_global_step is not None
        chosen = state.best_global_step if use_best else state.global_step
        publish(plan, model, chosen)
        record.update(
            finished=now(),
            steps=state.global_step,
            chosen_step=chosen,
            best_held_out_loss=state.best_metric,
            seconds=round(seconds + record.values.get("seconds", 0), 2),
            peak_memory=max(peak_memory(), device_memory(plan.device.name)),
        )
    except BaseException as error:
        status = "interrupted" if isinstance(error, Interrupted) else "failed"
        with contextlib.suppress(OSError):  # the error itself is what has to be told
            _close(plan, record, metrics, mirror, status)
        raise
    _close(plan, record, metrics, mirror, "finished")
    return _result(plan.directory, record)


def _close(plan: TrainPlan, record: RunRecord, metrics: MetricsLog, mirror: MlflowMirror | None, status: str) -> None:
    metrics.close()
    record.update(status=status)
    _plot(plan.directory)
    if mirror is not None:
        names = ("config.yaml", "record.json", "metrics.jsonl", "loss_curve.png", "adapter")
        ended = {"finished": "FINISHED", "interrupted": "KILLED"}.get(status, "FAILED")
        mirror.finish(ended, [plan.directory / name for name in names])


def _reopened(plan: TrainPlan, record: RunRecord) -> RunRecord:
    """The record of a run that goes on, with the configuration it goes on with."""
    write_text(plan.directory / "config.yaml", config_text(plan.config))
    record.update(status="running", resumed_at=plan.resumption.step, planned_steps=plan.steps)
    return record


def _new_record(plan: TrainPlan) -> RunRecord:
    config, files = plan.config, plan.files
    clear_run(plan.directory)
    inputs = describe_inputs({"train": config.data.train, "eval": config.data.eval})
    return RunRecord.create(
        plan.directory,
        "train",
        config,
        device=plan.device.name,
        device_reason=plan.device.reason,
        dtype=plan.device.dtype,
        dtype_reason=plan.device.dtype_reason,
        model=config.model,
        base_model=files.base_name if files else None,
        parent=files.run.name if files and files.run else None,
        contract=asdict(make_contract(files, plan.tokenizer, config.data.max_length)) if files else None,
        seed=config.train.seed,
        data=inputs,
        records=len(plan.train.records),
        held_out_records=len(plan.held_out.records),
        faulty_records=plan.train.faulty,
        masked_records=plan.train.masked,
        truncated_records=plan.train.truncated,
        tokens_per_epoch=plan.train.tokens,
        planned_steps=plan.steps,
        estimated_peak_memory=plan.peak_memory,
    )


def _mirror(plan: TrainPlan, record: RunRecord) -> MlflowMirror | None:
    tracking = plan.config.tracking
    if not tracking.mlflow:
        return None
    mirror = MlflowMirror(Path(), tracking.experiment, record)
    mirror.params(dict(flatten(plan.config.model_dump(mode="json"))))
    mirror.datasets(record.values["data"])
    return mirror


def _train(
    plan: TrainPlan,
    model: PreTrainedModel,
    metrics: MetricsLog,
    mirror: MlflowMirror | None,
    interruption: Interruption,
    reporter: Reporter,
) -> tuple[PackedTrainer, float]:
    from transformers import TrainerState, TrainingArguments

    from llmops_cli.models.packing import Packer
    from llmops_cli.training.trainer import PackedTrainer, RunCallback

    settings = plan.config.train
    packer = Packer(settings.pack_length or plan.config.data.max_length, plan.tokenizer.eos_id)
    schedule = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}[settings.schedule]
    arguments = TrainingArguments(
        output_dir=str(plan.directory / "checkpoints"),
        per_device_train_batch_size=settings.batch_size,
        max_steps=plan.steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=schedule,
        warmup_steps=math.ceil(settings.warmup * plan.steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=plan.device.name == "cpu",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    trainer = PackedTrainer(
        model=model,
        args=arguments,
        train_dataset=plan.train.records,
        data_collator=packer,
        held_out=packer.rows(plan.held_out.records),
        device_name=plan.device.name,
        run=plan.directory,
    )
    started = time.monotonic()
    with reporter.progress("training", plan.steps) as bar:
        meter = _Meter(bar, started)

        def keep(entry: dict[str, Any]) -> None:
            metrics.add(entry)
            meter.show(entry)
            if mirror is not None:
                mirror.metrics(entry)

        trainer.add_callback(RunCallback(trainer, settings, interruption, keep))
        checkpoint = plan.resumption.checkpoint
        if checkpoint is not None and plan.resumption.step >= plan.steps:  # all steps were done, not yet published
            trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        else:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer, time.monotonic() - started


class _Meter:
    """Turns the entries of `metrics.jsonl` into the text behind the progress bar."""

    def __init__(self, bar: Progress, started: float) -> None:
        self._bar, self._started = bar, started
        self._tokens = 0
        self._held_out = ""

    def show(self, entry: dict[str, Any]) -> None:
        if "eval_loss" in entry:
            self._held_out = f" held-out {entry['eval_loss']:.3f}"
            return
        self._tokens += entry["tokens"]
        rate = self._tokens / (time.monotonic() - self._started)
        note = f"loss {entry['loss']:.3f}{self._held_out}  {rate:,.0f} tokens/s  {entry['memory'] / 1e9:.1f} GB"
        self._bar.update(entry["step"], note)


def _plot(directory: Path) -> None:
    from llmops_cli.reporting.curves import plot_losses

    entries = read_metrics(directory / "metrics.jsonl")
    if any("loss" in entry for entry in entries):
        plot_losses(entries, directory / "loss_curve.png")


def _result(directory: Path, record: RunRecord, *, already_finished: bool = False) -> TrainResult:
    entries = read_metrics(directory / "metrics.jsonl")
    steps: Sequence[dict[str, Any]] = [entry for entry in entries if "loss" in entry]
    seconds = sum(entry["seconds"] for entry in steps[1:])  # the first step pays for warming up
    result = next((directory / name for name in ("adapter", "model") if (directory / name).is_dir()), directory)
    return TrainResult(
        run=str(directory),
        result=str(result),
        steps=record.values["steps"],
        chosen_step=record.values["chosen_step"],
        train_loss=steps[-1]["loss"] if steps else None,
        held_out_loss=record.values["best_held_out_loss"],
        tokens_per_second=round(sum(entry["tokens"] for entry in steps[1:]) / seconds, 1) if seconds else None,
        peak_memory=record.values["peak_memory"],
        already_finished=already_finished,
    )
