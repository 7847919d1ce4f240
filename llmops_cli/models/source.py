"""Where a model that only answers comes from: files in a folder, a GGUF file, a server, or nowhere (a fake)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.models.contract import check_contract
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles, gguf_in, model_folder, resolve_model
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer

FAKE_PREFIX = "fake:"


@dataclass(frozen=True)
class Upstream:
    """A server with the OpenAI interface: `url` ends before `/chat/completions`; `model` "" takes the only one."""

    name: str
    url: str
    model: str


@dataclass(frozen=True)
class FakeModel:
    """A model for tests and documentation; `name` says how it behaves."""

    name: str


Source = ModelFiles | GgufFile | Upstream | FakeModel
KINDS: dict[type[Source], str] = {
    ModelFiles: "safetensors",
    GgufFile: "a GGUF file",
    Upstream: "a server, by its URL",
    FakeModel: "fake:echo or fake:words",
}


def tokenizer_of(source: ModelFiles | GgufFile) -> ModelTokenizer:
    """The tokenizer of a model in files. Raises as :func:`load_tokenizer` and :meth:`GgufFile.load_tokenizer`."""
    return source.load_tokenizer() if isinstance(source, GgufFile) else load_tokenizer(source.tokenizer)


def check_source(source: ModelFiles | GgufFile, tokenizer: ModelTokenizer) -> str:
    """The verdict of :func:`check_contract`; a GGUF file has its contract beside it."""
    files = ModelFiles(source.name, source.name, source.folder) if isinstance(source, GgufFile) else source
    return check_contract(files, tokenizer)


def resolve_source(name: str) -> Source:
    """Find what answers under a name: everything :func:`resolve_model` knows, and besides

    `file.gguf` or a folder with one, `http://host:port/v1#model` (also https), `fake:echo` and `fake:words`.

    Raises:
        InputError, MachineError: as :func:`resolve_model`; the URL is none, or holds a password.
    """
    if name.startswith(FAKE_PREFIX):
        return FakeModel(name)
    if name.startswith(("http://", "https://")):
        return _upstream(name)
    if name.endswith(".gguf"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise MachineError("no such file", where=name)
        return GgufFile(name, path)
    folder = model_folder(name)
    gguf = folder and gguf_in(folder)
    return GgufFile(name, gguf) if gguf else resolve_model(name)


def _upstream(name: str) -> Upstream:
    try:
        parts = urlsplit(name)
        port = parts.port
    except ValueError as error:
        raise InputError(f"no URL: {error}", where="model") from None
    if parts.username or parts.password:
        raise InputError("a URL with a password in it", where="model", hint="export LLMOPS_API_KEY=… instead")
    if not parts.hostname or port == 0:
        raise InputError("a URL without a host", where="model", hint="http://127.0.0.1:8000/v1#model-name")
    return Upstream(name, name.partition("#")[0].rstrip("/"), parts.fragment)
