"""The template contract: what a model was trained with must be what it is used with."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import sha256_of, write_json
from llmops_cli.models.resolve import BUILTIN_PREFIX, ModelFiles, read_json
from llmops_cli.models.tokenizer import ModelTokenizer

FILE = "contract.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Contract:
    """What train, eval, chat and generate must agree on."""

    base_model: str
    base_weights: dict[str, str]
    template_sha256: str
    eos_token: str
    stop_token_ids: list[int]
    special_tokens: dict[str, int]
    max_length: int
    schema_version: int = SCHEMA_VERSION


def make_contract(files: ModelFiles, tokenizer: ModelTokenizer, max_length: int) -> Contract:
    """The contract of a model as it lies on disk; `max_length` is in tokens."""
    base_name = files.base_name if files.base_name.startswith(BUILTIN_PREFIX) else _absolute_if_folder(files.base_name)
    return Contract(
        base_model=base_name,
        base_weights={path.name: sha256_of(path) for path in sorted(files.base.glob("*.safetensors"))},
        template_sha256=hashlib.sha256(tokenizer.template.encode()).hexdigest(),
        eos_token=tokenizer.eos_token,
        stop_token_ids=list(tokenizer.stop_ids),
        special_tokens=dict(sorted(tokenizer.special_tokens.items())),
        max_length=max_length,
    )


def _absolute_if_folder(name: str) -> str:
    return str(Path(name).expanduser().resolve()) if Path(name).expanduser().is_dir() else name


def write_contract(folder: Path, contract: Contract) -> None:
    """Write `contract.json` into the folder of an adapter or a model."""
    write_json(folder / FILE, asdict(contract))


def check_contract(files: ModelFiles, tokenizer: ModelTokenizer) -> str:
    """Compare a model with the contract it carries.

    Returns:
        `same`, or `unverifiable` when the model carries none (a plain folder or a hub model).

    Raises:
        InputError: refused; every differing field with both values.
    """
    home = files.adapter or files.base
    if not (home / FILE).is_file():
        return "unverifiable"
    signed: dict[str, Any] = read_json(home / FILE)
    found = asdict(make_contract(files, tokenizer, signed.get("max_length", 0)))
    ignored = {"schema_version", "base_model"} | ({"base_weights"} if files.adapter is None else set())
    differing = [key for key in found if key not in ignored and found[key] != signed.get(key)]
    if differing:
        lines = [f"{key}: trained with {_short(signed.get(key))}, now {_short(found[key])}" for key in differing]
        raise InputError(
            f"the model is not what it was trained with: {'; '.join(lines)}",
            where=str(home),
            hint=f"restore the base and template, or train again on {files.base_name}",
        )
    return "same"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    text = str(value)
    return text if len(text) <= 16 else text[:12] + "…"
