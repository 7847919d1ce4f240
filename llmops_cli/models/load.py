"""Loading weights into a model, and refusing files that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmops_cli.core.device import DeviceChoice, torch_dtype
from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.errors import InputError
from llmops_cli.models.resolve import ModelFiles

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def load_base(folder: Path, choice: DeviceChoice) -> PreTrainedModel:
    """Load full weights from safetensors onto the chosen device.

    Raises:
        InputError: a tensor is missing, spare or of the wrong shape, or a file is cut.
    """
    quiet_libraries()
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch_dtype(choice.dtype), local_files_only=True, use_safetensors=True,
            trust_remote_code=False, output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
    except (SafetensorError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"the weights cannot be loaded: {str(error).splitlines()[0]}", where=str(folder)) from error
    for key, what in (
        ("missing_keys", "lack"),
        ("unexpected_keys", "have a spare"),
        ("mismatched_keys", "have a wrong shape of"),
    ):
        if report[key]:
            first = min(name[0] if isinstance(name, tuple) else str(name) for name in report[key])
            raise InputError(f"the weights {what} {first} ({len(report[key])} in all)", where=str(folder))
    return model.to(choice.name)


def add_adapter(model: PreTrainedModel, files: ModelFiles, *, trainable: bool = False) -> PreTrainedModel:
    """Put a LoRA adapter on a loaded base; returns the base unchanged when there is no adapter.

    Raises:
        InputError: the adapter was made for a model of another shape, a tensor is missing or spare, or a file is cut.
    """
    if files.adapter is None:
        return model
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError, safe_open

    def refuse(what: str) -> InputError:
        return InputError(f"the adapter does not fit {files.base_name}: {what}", where=str(files.adapter))

    try:
        with safe_open(files.adapter / "adapter_model.safetensors", "pt") as tensors:
            found = set(tensors.keys())
        model = PeftModel.from_pretrained(model, files.adapter, is_trainable=trainable)
    except FileNotFoundError:
        raise refuse("adapter_model.safetensors is missing") from None
    except (SafetensorError, RuntimeError, ValueError, TypeError) as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise refuse(lines[1] if lines[0].endswith(":") and lines[1:] else lines[0]) from error
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    if missing := wanted - found:  # peft would fill it with its start value
        raise refuse(f"it lacks {min(missing)} ({len(missing)} in all)")
    if spare := {name for name in found - wanted if ".lora_" in name}:
        raise refuse(f"it has a spare {min(spare)} ({len(spare)} in all)")
    return model
