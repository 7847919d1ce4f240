"""From the name of a model to the files on disk: builtin, folder, run, or hub name, in that order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.environment import quiet_libraries
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.workspace import PACKAGE, runs_directory

BUILTIN_PREFIX = "builtin:"
BUILTIN_DIRECTORY = PACKAGE / "models" / "builtin"
HUB_FILES = ["*.json", "*.safetensors", "*.jinja"]


@dataclass(frozen=True)
class ModelFiles:
    """A model on disk: the folder of its full weights, and of an adapter on top when there is one."""

    name: str
    base_name: str
    base: Path
    adapter: Path | None = None
    run: Path | None = None

    @property
    def tokenizer(self) -> Path:
        """The folder that holds the tokenizer and its template: the adapter's own copy where it has one."""
        if self.adapter is not None and (self.adapter / "tokenizer.json").is_file():
            return self.adapter
        return self.base

    @property
    def context_length(self) -> int:
        """Most tokens the model can see."""
        return int(self.architecture["max_position_embeddings"])

    @property
    def architecture(self) -> dict[str, Any]:
        """The base's `config.json`."""
        config: dict[str, Any] = read_json(self.base / "config.json")
        return config


def resolve_model(name: str, *, fetch: bool = True) -> ModelFiles:
    """Find a model by `builtin:NAME`, a folder (weights, adapter or run), a run's name, or a hub name.

    A hub name is looked for in the local cache first; the network is asked only when it is not there and `fetch`.

    Raises:
        InputError: the folder exists but holds no model that can be used.
        MachineError: there is no such model here and the hub cannot be reached.
    """
    if name.startswith(BUILTIN_PREFIX):
        folder = BUILTIN_DIRECTORY / name.removeprefix(BUILTIN_PREFIX)
        if not (folder / "config.json").is_file():
            known = ", ".join(BUILTIN_PREFIX + path.name for path in sorted(BUILTIN_DIRECTORY.glob("*")))
            raise MachineError(f"no builtin model {name!r}", where="model", hint=f"there is: {known}")
        return ModelFiles(name, name, folder)
    for folder in (Path(name).expanduser(), runs_directory() / name):
        if folder.is_dir():
            return _from_folder(name, folder)
    if name.startswith((".", "/", "~", "runs/")) or name.count("/") != 1:
        raise MachineError("no such model folder, run or hub name", where=name, hint=_known_runs())
    return ModelFiles(name, name, _from_hub(name, fetch))


def _from_folder(name: str, folder: Path) -> ModelFiles:
    run = folder if (folder / "record.json").is_file() else None
    if run is not None:
        if (folder / "adapter" / "adapter_config.json").is_file():
            return _from_adapter(name, folder / "adapter", run)
        if (folder / "model" / "config.json").is_file():
            return ModelFiles(name, str(folder / "model"), folder / "model", run=run)
        raise InputError("this run has no finished model yet", where=str(folder), hint="llmops train … --resume")
    if (folder / "adapter_config.json").is_file():
        return _from_adapter(name, folder, folder.parent if (folder.parent / "record.json").is_file() else None)
    if not (folder / "config.json").is_file():
        raise InputError("no config.json and no adapter_config.json here", where=str(folder))
    if not list(folder.glob("*.safetensors")):
        pickles = [path.name for path in folder.glob("*.bin")]
        what = f"only pickled weights ({pickles[0]}), which can run code" if pickles else "no *.safetensors here"
        raise InputError(what, where=str(folder), hint="save the model with save_pretrained(safe_serialization=True)")
    read_json(folder / "config.json")
    return ModelFiles(name, name, folder)


def _from_adapter(name: str, adapter: Path, run: Path | None) -> ModelFiles:
    base_name = read_json(adapter / "adapter_config.json").get("base_model_name_or_path")
    if not base_name:
        raise InputError("adapter_config.json names no base model", where=str(adapter))
    contract = adapter / "contract.json"
    if contract.is_file():  # peft wants a folder there; the contract keeps the name the user knows
        base_name = read_json(contract).get("base_model", base_name)
    base = resolve_model(base_name)
    if base.adapter is not None:
        raise InputError(f"its base {base_name!r} is itself an adapter", where=str(adapter))
    return ModelFiles(name, base_name, base.base, adapter, run)


def _from_hub(name: str, fetch: bool) -> Path:
    quiet_libraries()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    hint = "--set model=FOLDER with the model's files, or --set model=builtin:tiny-ko"
    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES, local_files_only=True))
    except HFValidationError:
        raise MachineError("neither a folder, a run nor a hub name", where=name, hint=_known_runs()) from None
    except LocalEntryNotFoundError:
        if not fetch:
            raise MachineError("not on this machine", where=name, hint=hint) from None
    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES, etag_timeout=5))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        what = (
            "the hub has no such model" if status in (401, 404) else "not on this machine, and the hub is unreachable"
        )
        raise MachineError(what, where=name, hint=hint) from error


def _known_runs() -> str:
    runs = sorted(path.parent.name for path in runs_directory().glob("*/record.json"))
    return f"runs here: {', '.join(runs)}" if runs else "builtin:tiny-ko is always here"


def read_json(path: Path) -> Any:
    """Read a JSON file of a model.

    Raises:
        InputError: it is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("is missing", where=str(path)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not JSON: {error}", where=str(path)) from None


def check_length(files: ModelFiles, max_length: int) -> None:
    """Make sure that the longest record fits the model's context.

    Raises:
        InputError: it does not; both lengths in tokens.
    """
    if max_length > files.context_length:
        raise InputError(
            f"data.max_length: {max_length} tokens are more than the {files.context_length} that {files.name} can see",
            where="data.max_length",
            hint=f"--set data.max_length={files.context_length}",
        )
