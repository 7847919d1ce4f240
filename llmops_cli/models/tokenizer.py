"""The tokenizer of a model with its chat template, without importing transformers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from llmops_cli.core.errors import InputError
from llmops_cli.models.resolve import read_json

FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")


@dataclass(frozen=True)
class ModelTokenizer:
    """A fast tokenizer, its chat template and the ids that end a turn."""

    backend: Tokenizer
    template: str
    eos_token: str
    stop_ids: tuple[int, ...]
    special_tokens: dict[str, int]

    @property
    def eos_id(self) -> int:
        """The id that ends an assistant turn."""
        return self.stop_ids[0]

    @property
    def size(self) -> int:
        """Number of tokens, added ones included."""
        return self.backend.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, nothing added."""
        return self.backend.encode(text, add_special_tokens=False).ids

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids and the (start, end) character offsets of each token in `text`."""
        encoding = self.backend.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids` without special tokens; bytes that are no whole character become U+FFFD."""
        return self.backend.decode(list(ids), skip_special_tokens=True)


def load_tokenizer(folder: Path) -> ModelTokenizer:
    """Read `tokenizer.json`, its settings and its chat template from a model's folder.

    Raises:
        InputError: a file is missing or broken, or there is no chat template or no end-of-turn token.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError("no tokenizer.json here", where=str(folder))
    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for every fault of the file
        raise InputError(f"not a tokenizer: {error}", where=str(path)) from None
    settings = read_json(folder / "tokenizer_config.json")
    template_file = folder / "chat_template.jinja"
    template = template_file.read_text(encoding="utf-8") if template_file.is_file() else settings.get("chat_template")
    if not isinstance(template, str):
        raise InputError("no chat template", where=str(folder), hint="use the -Instruct model")
    eos_token = _content(settings.get("eos_token"))
    eos_id = backend.token_to_id(eos_token) if eos_token else None
    if eos_token is None or eos_id is None:
        raise InputError("no end-of-turn token (eos_token)", where=str(folder / "tokenizer_config.json"))
    special = {token.content: index for index, token in backend.get_added_tokens_decoder().items() if token.special}
    return ModelTokenizer(backend, template, eos_token, (eos_id, *_other_stops(folder, eos_id)), special)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy the tokenizer, its template and its stops from one model's folder into another."""
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def _other_stops(folder: Path, eos_id: int) -> list[int]:
    path = folder / "generation_config.json"
    if not path.is_file():
        return []
    stops = read_json(path).get("eos_token_id") or []
    return [stop for stop in ([stops] if isinstance(stops, int) else stops) if stop != eos_id]


def _content(token: Any) -> str | None:
    return token.get("content") if isinstance(token, dict) else token
