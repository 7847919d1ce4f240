"""The model a training starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.device import DeviceChoice
from llmops_cli.core.errors import InputError
from llmops_cli.models.load import add_adapter, load_base
from llmops_cli.models.resolve import BUILTIN_PREFIX, ModelFiles
from llmops_cli.training.plan import TrainPlan

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def trainable_model(plan: TrainPlan) -> PreTrainedModel:
    """New weights, loaded weights, or a loaded base with a new or a continued adapter, on the plan's device.

    Raises:
        InputError: weights that do not load, or `lora.targets` that name no layer.
    """
    from transformers import set_seed

    config, settings = plan.config, plan.config.train
    set_seed(settings.seed)
    if settings.architecture is not None:
        from llmops_cli.training.scratch import new_model

        return new_model(settings.architecture, plan.tokenizer, settings.dropout).to(plan.device.name)
    files = plan.files
    assert files is not None
    if settings.method == "full":
        fp32 = DeviceChoice(plan.device.name, plan.device.reason, "float32", "trained weights are fp32")
        model = load_base(files.base, fp32)
        for module in model.modules():  # every attention layer keeps its own copy of the setting
            if hasattr(module, "attention_dropout"):
                module.attention_dropout = settings.dropout
        return model
    base = load_base(files.base, plan.device)
    base.name_or_path = files.base_name if _is_hub_name(files) else str(files.base.resolve())
    if files.adapter is not None:
        return add_adapter(base, files, trainable=True)
    from peft import LoraConfig, get_peft_model

    lora = config.lora
    try:
        return get_peft_model(
            base,
            LoraConfig(
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules=lora.targets,
                bias="none",
                task_type="CAUSAL_LM",
            ),
        )
    except ValueError as error:
        raise InputError(
            f"lora.targets: {str(error).splitlines()[0]}",
            where="lora.targets",
            hint="all-linear, or names such as [q_proj, v_proj]",
        ) from None


def _is_hub_name(files: ModelFiles) -> bool:
    return not files.base_name.startswith(BUILTIN_PREFIX) and not Path(files.base_name).expanduser().is_dir()
