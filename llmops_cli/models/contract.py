"""The template contract: what a model was trained with must be what it is used with."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

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


@dataclass(frozen=True, kw_only=True)
class ExportContract(Contract):
    """What an exported model says besides: the model it was made from, and its own weights (sha256 by file)."""

    made_from: str
    adapter_weights: dict[str, str]
    precision: str
    weights: dict[str, str]


def make_contract(files: ModelFiles, tokenizer: ModelTokenizer, max_length: int) -> Contract:
    """The contract of a model as it lies on disk; `max_length` is in tokens."""
    return Contract(
        base_model=_absolute_if_folder(files.base_name),
        base_weights=_hashes(files.base),
        template_sha256=hashlib.sha256(tokenizer.template.encode()).hexdigest(),
        eos_token=tokenizer.eos_token,
        stop_token_ids=list(tokenizer.stop_ids),
        special_tokens=dict(sorted(tokenizer.special_tokens.items())),
        max_length=max_length,
    )


def make_export_contract(
    files: ModelFiles, tokenizer: ModelTokenizer, max_length: int, precision: str, folder: Path
) -> ExportContract:
    """The contract of what was made of a model and lies in `folder`."""
    return ExportContract(
        **asdict(make_contract(files, tokenizer, max_length)),
        made_from=_absolute_if_folder(files.name),
        adapter_weights=_hashes(files.adapter) if files.adapter else {},
        precision=precision,
        weights=_hashes(folder),
    )


def signed_length(files: ModelFiles) -> int:
    """The longest text in tokens that a model was made for: what its contract says, else its context."""
    contract = (files.adapter or files.base) / FILE
    signed = read_json(contract) if contract.is_file() else {}
    return int(signed.get("max_length", files.context_length))


def _hashes(folder: Path) -> dict[str, str]:
    paths = [*folder.glob("*.safetensors"), *folder.glob("*.gguf")]
    return {path.name: sha256_of(path) for path in sorted(paths)}


def _absolute_if_folder(name: str) -> str:
    if name.startswith(BUILTIN_PREFIX):
        return name
    return str(Path(name).expanduser().resolve()) if Path(name).expanduser().is_dir() else name


def write_contract(folder: Path, contract: Contract) -> None:
    """Write `contract.json` into the folder of an adapter or a model."""
    write_json(folder / FILE, asdict(contract))


@dataclass(frozen=True)
class Comparison:
    """A model beside the contract it carries: the verdict, and (signed, found) of every field that differs.

    `unverifiable` is a model that carries none: a plain folder or a hub model.
    """

    verdict: Literal["same", "refused", "unverifiable"]
    differing: dict[str, tuple[Any, Any]]


def compare_contract(files: ModelFiles, tokenizer: ModelTokenizer) -> Comparison:
    """Compare a model with the contract it carries.

    Raises:
        InputError: the contract is broken.
    """
    home = files.adapter or files.base
    if not (home / FILE).is_file():
        return Comparison("unverifiable", {})
    signed = read_json(home / FILE)
    found = asdict(make_contract(files, tokenizer, signed.get("max_length", 0)))
    if "weights" in signed:
        found["weights"] = _hashes(home)
    ignored = {"schema_version", "base_model"} | ({"base_weights"} if files.adapter is None else set())
    keys = [key for key in found if key not in ignored and found[key] != signed.get(key)]
    return Comparison("refused" if keys else "same", {key: (signed.get(key), found[key]) for key in keys})


def check_contract(files: ModelFiles, tokenizer: ModelTokenizer) -> str:
    """:func:`compare_contract`, of which `same` and `unverifiable` let the model be used.

    Raises:
        InputError: refused; every differing field with both values.
    """
    comparison = compare_contract(files, tokenizer)
    if comparison.verdict == "refused":
        raise InputError(
            f"the model is not what it was trained with: {'; '.join(describe_differences(comparison))}",
            where=str(files.adapter or files.base),
            hint=f"restore the base and template, or train again on {files.base_name}",
        )
    return comparison.verdict


def describe_differences(comparison: Comparison) -> list[str]:
    """A line for every field that differs, with both values."""
    return [
        f"{key}: trained with {_short(signed)}, now {_short(found)}"
        for key, (signed, found) in comparison.differing.items()
    ]


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    text = str(value)
    return text if len(text) <= 16 else text[:12] + "…"
