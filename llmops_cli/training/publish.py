"""From a checkpoint to the result of a run: an adapter or a model that every command can use."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.files import atomic_directory
from llmops_cli.models.contract import make_contract, write_contract
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import copy_tokenizer
from llmops_cli.training.checkpoints import checkpoint_path
from llmops_cli.training.plan import TrainPlan

if TYPE_CHECKING:
    from transformers import PreTrainedModel


NEW_WEIGHTS = "none: trained from random weights"


def publish(plan: TrainPlan, model: PreTrainedModel, step: int) -> None:
    """Make the checkpoint of `step` the run's `adapter/`, or `model/` after full training.

    The folder appears whole: weights, tokenizer, template and contract.
    """
    full = plan.config.train.method == "full"
    checkpoint = checkpoint_path(plan.directory / "checkpoints", step)
    with atomic_directory(plan.directory / ("model" if full else "adapter")) as folder:
        if full:
            _publish_full(plan, model, checkpoint, folder)
            files = ModelFiles(folder.name, plan.files.base_name if plan.files else NEW_WEIGHTS, folder)
        else:
            assert plan.files is not None
            for name in ("adapter_config.json", "adapter_model.safetensors"):
                shutil.copyfile(checkpoint / name, folder / name)
            copy_tokenizer(plan.files.tokenizer, folder)
            files = plan.files
        contract = make_contract(files, plan.tokenizer, plan.config.data.max_length)
        write_contract(folder, contract)


def _publish_full(plan: TrainPlan, model: PreTrainedModel, checkpoint: Path, folder: Path) -> None:
    from safetensors.torch import load_file

    from llmops_cli.core.device import torch_dtype

    model.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)  # a tied head is stored once
    if plan.config.train.save_dtype is not None:
        model = model.to(torch_dtype(plan.config.train.save_dtype))
    model.config.attention_dropout = 0.0
    model.save_pretrained(folder)
    if plan.config.train.tokenizer is not None:
        from llmops_cli.training.scratch import save_tokenizer

        save_tokenizer(plan.tokenizer, folder)
    elif plan.files is not None:
        copy_tokenizer(plan.files.tokenizer, folder)
