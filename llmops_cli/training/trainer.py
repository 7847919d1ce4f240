"""The training loop: transformers' Trainer, stepping over packed rows, with checkpoints that are whole or absent."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import PrinterCallback

from llmops_cli.core.device import device_memory, peak_memory, synchronize
from llmops_cli.core.errors import GateFailed
from llmops_cli.core.files import atomic_directory
from llmops_cli.core.interrupt import Interruption
from llmops_cli.models.loss import row_loss
from llmops_cli.prompts.encode import IGNORED
from llmops_cli.training.checkpoints import FOLDER_PREFIX, checkpoint_path, rotate, seal
from llmops_cli.training.config import TrainSettings

Row = dict[str, torch.Tensor]


class PackedTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose batch is one optimizer step: rows of packed records, accumulated inside the step.

    The loss of a step is the sum over its labelled tokens divided by their number, so it does not depend on how the
    records were packed.
    """

    def __init__(self, *args: Any, held_out: Sequence[Row], device_name: str, run: Path, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)
        self.held_out = held_out
        self.device_name = device_name
        self.control: Any = self.control
        self.checkpoints = run / "checkpoints"
        self.step_tokens = 0

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward over every row of one optimizer step; returns the mean loss in nats per token."""
        model.train()
        rows: list[Row] = inputs["rows"]
        labelled = sum(int((row["labels"] != IGNORED).sum()) for row in rows)
        self.step_tokens = inputs["tokens"]
        total = torch.zeros((), device=self.args.device)
        for row in rows:
            loss = row_loss(model, self._prepare_inputs(row)) / labelled
            self.accelerator.backward(loss)
            total += loss.detach()
        self._refuse_broken("loss", float(total), self.state.global_step + 1)
        return total

    def _refuse_broken(self, what: str, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise GateFailed(
                f"the {what} is {loss} at step {step}",
                where=str(self.checkpoints.parent),
                hint="start a new run with a lower train.learning_rate",
            )

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the estimate of transformers expects one padded tensor."""
        return 0

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Mean loss over the labelled tokens of the held-out rows, in nats per token."""
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64)
        labelled = 0
        with torch.no_grad():
            for row in self.held_out:
                total += row_loss(self.model, self._prepare_inputs(row)).cpu().double()
                labelled += int((row["labels"] != IGNORED).sum())
        metrics = {"eval_loss": float(total) / labelled}
        self._refuse_broken("held-out loss", metrics["eval_loss"], self.state.global_step)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with atomic_directory(checkpoint_path(self.checkpoints, self.state.global_step)) as staging:
            self._staging = staging
            super()._save_checkpoint(model, trial)
            inner = staging / f"{FOLDER_PREFIX}{self.state.global_step}"
            for path in inner.iterdir():
                os.replace(path, staging / path.name)
            shutil.rmtree(inner)
            sort_adapter_config(staging)
            seal(staging)

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging)


def sort_adapter_config(folder: Path) -> None:
    """Rewrite peft's `adapter_config.json` with sorted keys: it writes sets, whose order changes from run to run."""
    path = folder / "adapter_config.json"
    if path.is_file():
        config = json.loads(path.read_text(encoding="utf-8"))
        config = {
            key: sorted(value) if key == "target_modules" and isinstance(value, list) else value
            for key, value in config.items()
        }
        path.write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


class RunCallback(TrainerCallback):  # type: ignore[misc]
    """When to evaluate, save and stop; what each step leaves in the record."""

    def __init__(
        self,
        trainer: PackedTrainer,
        settings: TrainSettings,
        interruption: Interruption,
        on_metrics: Callable[[dict[str, Any]], None],
    ) -> None:
        self._trainer, self._settings, self._interruption = trainer, settings, interruption
        self._on_metrics = on_metrics
        self._started = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._started = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        last = state.global_step >= state.max_steps
        every = self._settings.eval_every or self._settings.checkpoint_every
        control.should_evaluate = bool(self._trainer.held_out) and (last or state.global_step % every == 0)
        control.should_save = last or state.global_step % self._settings.checkpoint_every == 0
        if self._interruption.signal is not None:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if not logs or "loss" not in logs:
            return
        synchronize(self._trainer.device_name)
        self._on_metrics(
            {
                "step": state.global_step,
                "epoch": round(state.epoch, 4),
                "loss": logs["loss"],
                "grad_norm": logs["grad_norm"],
                "learning_rate": logs["learning_rate"],
                "tokens": self._trainer.step_tokens,
                "seconds": round(time.monotonic() - self._started, 4),
                "memory": max(peak_memory(), device_memory(self._trainer.device_name)),
            }
        )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, float] | None = None, **kwargs: Any
    ) -> None:
        assert metrics is not None
        loss = metrics["eval_loss"]
        self._on_metrics({"step": state.global_step, "eval_loss": loss, "eval_perplexity": math.exp(min(loss, 700))})
        state.log_history.append({"step": state.global_step, "eval_loss": loss})
        if state.best_metric is None or loss < state.best_metric:
            state.best_metric, state.best_global_step = loss, state.global_step
            control.should_save = True
        since = sum("eval_loss" in entry and entry["step"] > state.best_global_step for entry in state.log_history)
        if self._settings.patience is not None and since >= self._settings.patience:
            control.should_training_stop = control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        rotate(self._trainer.checkpoints, self._settings.keep_checkpoints, state.best_global_step)
