"""From the name of a model to the files on disk: builtin, folder, run, or hub name, in that order."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.workspace import PACKAGE, runs_directory
from llmops_cli.models.hub import cached_snapshot, check_hub_name, fetch_command, fetch_model
from llmops_cli.models.weights import PICKLES, check_safetensors, refuse_pickles

if TYPE_CHECKING:
    from llmops_cli.models.gguf import GgufFile

BUILTIN_PREFIX = "builtin:"
BUILTIN_DIRECTORY = PACKAGE / "models" / "builtin"


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
        return read_json(self.base / "config.json")


def resolve_model(name: str, *, fetch: bool = True) -> ModelFiles:
    """Find a model by `builtin:NAME`, a folder (weights, adapter or run), a run's name, or a hub name.

    A hub name is looked for in the local cache first; the network is asked only when it is not there and `fetch`.

    Raises:
        InputError: the folder exists but holds no model that can be used.
        MachineError: there is no such model here and the hub cannot be reached.
    """
    if name.startswith(BUILTIN_PREFIX):
        builtin = BUILTIN_DIRECTORY / name.removeprefix(BUILTIN_PREFIX)
        if not (builtin / "config.json").is_file():
            known = ", ".join(BUILTIN_PREFIX + path.name for path in sorted(BUILTIN_DIRECTORY.glob("*")))
            raise MachineError(f"no builtin model {name!r}", where="model", hint=f"there is: {known}")
        return ModelFiles(name, name, builtin)
    if folder := model_folder(name):
        return _from_folder(name, folder)
    if name.endswith(PICKLES) and Path(name).expanduser().is_file():
        refuse_pickles([Path(name).name], name)
    if name.endswith(".gguf") and Path(name).expanduser().is_file():
        raise _only_answers(name)
    if name.startswith((".", "/", "~", "runs/")) or name.count("/") != 1:
        raise MachineError("no such model folder, run or hub name", where=name, hint=_known_runs())
    return _from_snapshot(name, _hub_folder(name, fetch))


def model_folder(name: str) -> Path | None:
    """The folder that a name means, a path or a run of this workspace, or None when it means none."""
    return next((folder for folder in (Path(name).expanduser(), runs_directory() / name) if folder.is_dir()), None)


def gguf_in(folder: Path) -> Path | None:
    """The GGUF file of a folder that has no other weights.

    Raises:
        InputError: there are several.
    """
    found = [] if list(folder.glob("*.safetensors")) else sorted(folder.glob("*.gguf"))
    if len(found) > 1:
        raise InputError(f"{len(found)} GGUF files here", where=str(folder), hint=f"--set model={found[0]}")
    return found[0] if found else None


def _from_folder(name: str, folder: Path) -> ModelFiles:
    run = folder if (folder / "record.json").is_file() else None
    if run is not None:
        if (folder / "adapter" / "adapter_config.json").is_file():
            return _from_adapter(name, folder / "adapter", run)
        if (folder / "model" / "config.json").is_file():
            check_weights(folder / "model")
            return ModelFiles(name, str(folder / "model"), folder / "model", run=run)
        raise InputError("this run has no finished model yet", where=str(folder), hint="llmops train … --resume")
    if (folder / "adapter_config.json").is_file():
        return _from_adapter(name, folder, folder.parent if (folder.parent / "record.json").is_file() else None)
    if gguf_in(folder):
        raise _only_answers(str(folder))
    if not (folder / "config.json").is_file():
        raise InputError("no config.json and no adapter_config.json here", where=str(folder))
    check_weights(folder)
    read_json(folder / "config.json")
    return ModelFiles(name, name, folder)


def _only_answers(where: str) -> InputError:
    return InputError("a GGUF model can only answer and be scored; want safetensors", where=where)


def check_weights(folder: Path) -> None:
    """Make sure that a folder has weights in safetensors, and every file of them that its index names.

    Raises:
        InputError: it has not; pickles and missing files are named.
    """
    check_safetensors([path.name for path in folder.iterdir()], str(folder))
    if missing := _missing_parts(folder):
        raise InputError(f"{missing[0]} is missing ({len(missing)} files in all)", where=str(folder))


def _missing_parts(folder: Path) -> list[str]:
    index = folder / "model.safetensors.index.json"
    names = set(read_json(index).get("weight_map", {}).values()) if index.is_file() else set()
    return sorted(name for name in names if not (folder / name).is_file())


def _from_adapter(name: str, adapter: Path, run: Path | None) -> ModelFiles:
    refuse_pickles([path.name for path in adapter.iterdir()], str(adapter))
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


def _from_snapshot(name: str, folder: Path) -> ModelFiles:
    if (folder / "adapter_config.json").is_file():
        return _from_adapter(name, folder, None)
    check_weights(folder)
    return ModelFiles(name, name, folder)


def _hub_folder(name: str, fetch: bool) -> Path:
    try:
        check_hub_name(name)
    except InputError:
        raise MachineError("neither a folder, a run nor a hub name", where=name, hint=_known_runs()) from None
    folder = cached_snapshot(name)
    if folder is not None and _is_whole(folder):
        return folder
    if not fetch:
        raise MachineError("not on this machine", where=name, hint=fetch_command(name))
    try:
        return fetch_model(name, SilentReporter()).folder
    except MachineError as error:
        problems = [replace(problem, what=f"not on this machine, and {problem.what}") for problem in error.problems]
        raise MachineError(problems) from error


def _is_whole(folder: Path) -> bool:
    """Whether a snapshot has what a model needs; other programs fetch single files, and downloads are cut."""
    names = {path.name for path in folder.iterdir()}
    weights = any(name.endswith((".safetensors", *PICKLES)) for name in names)
    return weights and bool(names & {"config.json", "adapter_config.json"}) and not _missing_parts(folder)


def _known_runs() -> str:
    runs = sorted(path.parent.name for path in runs_directory().glob("*/record.json"))
    return f"runs here: {', '.join(runs)}" if runs else "builtin:tiny-ko is always here"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a model, an object in all of them.

    Raises:
        InputError: it is missing or broken.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("is missing", where=str(path)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not JSON: {error}", where=str(path)) from None
    if not isinstance(value, dict):
        raise InputError("not a JSON object", where=str(path))
    return value


def check_length(files: ModelFiles | GgufFile, max_length: int) -> None:
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
