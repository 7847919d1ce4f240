"""A LoRA adapter as peft writes it: which projections it changes, and by what."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from llmops_cli.core.errors import InputError
from llmops_cli.inference.decoder.architecture import Architecture, projections
from llmops_cli.inference.decoder.checkpoint import refuse_broken
from llmops_cli.models.resolve import ModelFiles, read_json

PREFIX = "base_model.model."
PLAIN_STARTS = (True, False, "gaussian", "orthogonal", "eva")
"""Ways to start an adapter that leave the base as it is."""
REFUSED = (
    "use_dora", "use_qalora", "rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform",
    "layer_replication", "exclude_modules", "target_parameters", "trainable_token_indices", "alora_invocation_tokens",
    "fan_in_fan_out", "lora_bias",
)  # fmt: skip


class LoraAdapter:
    """Low-rank updates after Hu et al. 2021: W + scale * up @ down, scale = alpha / r, or alpha / sqrt(r) for rsLoRA.

    Raises:
        InputError: it is no plain LoRA (the setting is named), it was made for a model of another shape, or a tensor
            is missing, spare or not finite.
    """

    def __init__(self, files: ModelFiles, architecture: Architecture) -> None:
        assert files.adapter is not None
        self._folder, self._base_name, self._architecture = files.adapter, files.base_name, architecture
        config = read_json(self._folder / "adapter_config.json")
        self._check_kind(config)
        rank = config["r"]
        self._scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
        shapes: dict[str, tuple[int, int]] = {}
        for module, name in (item for layer in range(architecture.layers) for item in projections(layer)):
            if _targets(config["target_modules"], module):
                outputs, inputs = architecture.projection_shape(name)
                shapes[f"{module}.lora_A.weight"], shapes[f"{module}.lora_B.weight"] = (rank, inputs), (outputs, rank)
        self._tensors = self._read(shapes)

    def update(self, module: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled `up` (outputs, rank) and `down` (rank, inputs) of a projection in fp32; the rank is 0 if untouched."""
        if f"{module}.lora_A.weight" not in self._tensors:
            outputs, inputs = self._architecture.projection_shape(module.rpartition(".")[2])
            return torch.zeros(outputs, 0), torch.zeros(0, inputs)
        return self._tensors[f"{module}.lora_B.weight"] * self._scale, self._tensors[f"{module}.lora_A.weight"]

    def _check_kind(self, config: Mapping[str, Any]) -> None:
        kind, start = config.get("peft_type"), config.get("init_lora_weights", True)
        targets = config.get("target_modules") or []
        beside = [name for name in ("lm_head", "embed_tokens") if isinstance(targets, list) and name in targets]
        faults = [
            *([f"peft_type {kind}"] if kind != "LORA" else []),
            *(key for key in REFUSED if config.get(key)),
            *([f"bias {config['bias']!r}"] if config.get("bias", "none") != "none" else []),
            *([f"init_lora_weights {start!r}"] if start not in PLAIN_STARTS else []),
            *(f"target_modules {name}" for name in beside),
        ]
        if faults:
            what = f"the torch engine applies plain LoRA on the layers' projections, not {', '.join(faults)}"
            raise InputError(what, where=str(self._folder / "adapter_config.json"), hint="engine: transformers")

    def _read(self, shapes: Mapping[str, tuple[int, int]]) -> dict[str, torch.Tensor]:
        path = self._folder / "adapter_model.safetensors"
        try:
            with safe_open(path, "pt") as file:
                found = {name.removeprefix(PREFIX): name for name in file.keys()}  # noqa: SIM118
                if missing := sorted(shapes.keys() - found.keys()):
                    raise self._refusal(f"it lacks {PREFIX}{missing[0]} ({len(missing)} in all)")
                if spare := sorted(found[name] for name in found.keys() - shapes.keys()):
                    raise self._refusal(f"it has a spare {spare[0]} ({len(spare)} in all)")
                tensors = {name: file.get_tensor(found[name]).float() for name in shapes}
        except FileNotFoundError:
            raise self._refusal("adapter_model.safetensors is missing") from None
        except SafetensorError as error:
            raise self._refusal(str(error)) from error
        for name, tensor in tensors.items():
            if tensor.shape != shapes[name]:
                raise self._refusal(f"{PREFIX}{name} has shape {list(tensor.shape)}, want {list(shapes[name])}")
            refuse_broken(tensor, PREFIX + name, path)
        return tensors

    def _refusal(self, what: str) -> InputError:
        return InputError(f"the adapter does not fit {self._base_name}: {what}", where=str(self._folder))


def _targets(wanted: str | list[str], module: str) -> bool:
    """peft's rule: `all-linear`, a pattern for the whole module name, or a list of endings."""
    if isinstance(wanted, str):
        return wanted == "all-linear" or re.fullmatch(wanted, module) is not None
    return any(module == ending or module.endswith(f".{ending}") for ending in wanted)
