"""What a GGUF file says of its model: metadata, and the tokenizer inside it.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from llmops_cli.core.errors import InputError
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer

MAGIC = b"GGUF"
NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""Codes of `struct` by the type numbers of the format."""
STRING, ARRAY = 8, 9
CONTROL, USER_DEFINED = 3, 4
"""Kinds of tokens in `tokenizer.ggml.token_type`."""
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITS = {"qwen2": WORDS % "", "llama-bpe": WORDS % "{1,3}", "gpt-2": ""}
"""How text is cut before BPE, by `tokenizer.ggml.pre`, as in llama.cpp's `src/llama-vocab.cpp`; "" as GPT-2 does."""
ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "</s>")
"""Names of tokens that end a turn whatever the metadata says, as llama.cpp takes them."""


@dataclass(frozen=True)
class GgufFile:
    """A GGUF file; its tokenizer and template are those in its folder, else those inside it."""

    name: str
    path: Path

    @property
    def base_name(self) -> str:
        """Its own name: what it was made of is not known, and an adapter is merged into it."""
        return self.name

    @property
    def folder(self) -> Path:
        """The folder that it lies in."""
        return self.path.parent

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Its keys and values.

        Raises:
            InputError: it is no GGUF file, or cut.
        """
        return read_metadata(self.path)

    @property
    def context_length(self) -> int:
        """Most tokens the model can see."""
        return int(self.metadata[f"{self.metadata['general.architecture']}.context_length"])

    def load_tokenizer(self) -> ModelTokenizer:
        """The tokenizer that belongs to it.

        Raises:
            InputError: the one beside it is of another model, or the one inside is of an unknown kind.
        """
        if not (self.folder / "tokenizer.json").is_file():
            return _tokenizer_inside(self)
        tokenizer = load_tokenizer(self.folder)
        tokens = self.metadata.get("tokenizer.ggml.tokens", [])
        foreign = [text for text, index in tokenizer.special_tokens.items() if tokens[index : index + 1] != [text]]
        if foreign:
            what = f"the tokenizer beside it is of another model: {foreign[0]} has another id in the GGUF file"
            raise InputError(what, where=str(self.folder / "tokenizer.json"), hint="move the GGUF file elsewhere")
        return tokenizer


def read_metadata(path: Path) -> dict[str, Any]:
    """The keys and values of a GGUF file.

    Raises:
        InputError: it is no GGUF file of version 2 or 3, or cut.
    """
    with path.open("rb") as stream:
        if stream.read(4) != MAGIC:
            raise InputError("not a GGUF file", where=str(path))
        try:
            version, _, count = _numbers(stream, "<IQQ")
            if version not in (2, 3):
                raise InputError(f"GGUF version {version}; 2 and 3 are known", where=str(path))
            return {_text(stream): _value(stream, *_numbers(stream, "<I")) for _ in range(count)}
        except (struct.error, KeyError, UnicodeDecodeError, MemoryError, OverflowError):
            raise InputError("the GGUF file is cut or broken", where=str(path)) from None


def _numbers(stream: BinaryIO, code: str) -> tuple[Any, ...]:
    return struct.unpack(code, stream.read(struct.calcsize(code)))


def _text(stream: BinaryIO) -> str:
    (length,) = _numbers(stream, "<Q")
    text = stream.read(length)
    if len(text) < length:
        raise struct.error("cut")
    return text.decode("utf-8")


def _value(stream: BinaryIO, kind: int) -> Any:
    if kind == STRING:
        return _text(stream)
    if kind != ARRAY:
        return _numbers(stream, NUMBERS[kind])[0]
    item, length = _numbers(stream, "<IQ")
    if item in NUMBERS:
        return list(_numbers(stream, f"<{length}{NUMBERS[item][1]}"))
    return [_value(stream, item) for _ in range(length)]


def _tokenizer_inside(file: GgufFile) -> ModelTokenizer:
    meta = file.metadata
    kind, split = meta.get("tokenizer.ggml.model"), meta.get("tokenizer.ggml.pre", "gpt-2")
    if kind != "gpt2" or split not in SPLITS:
        what = f"its tokenizer ({kind}, {split}) is of a kind that is not known here"
        raise InputError(what, where=file.name, hint="put the model's tokenizer.json beside it")
    template = meta.get("tokenizer.chat_template")
    eos_id = meta.get("tokenizer.ggml.eos_token_id")
    if not isinstance(template, str) or eos_id is None:
        what = "no chat template" if eos_id is not None else "no end-of-turn token"
        raise InputError(what, where=file.name, hint="put the model's tokenizer files beside it")
    tokens: list[str] = meta["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ", 1)) for pair in meta["tokenizer.ggml.merges"]]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    backend = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=split == "llama-bpe"))
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not SPLITS[split])
    words = [pre_tokenizers.Split(Regex(SPLITS[split]), "isolated")] if SPLITS[split] else []
    backend.pre_tokenizer = pre_tokenizers.Sequence([*words, bytewise])
    backend.decoder = decoders.ByteLevel()
    kinds = meta["tokenizer.ggml.token_type"]
    special = {token: index for index, token in enumerate(tokens) if kinds[index] == CONTROL}
    added = [AddedToken(token, normalized=False) for index, token in enumerate(tokens) if kinds[index] == USER_DEFINED]
    backend.add_tokens(added)
    backend.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    named = (meta.get(f"tokenizer.ggml.{name}_token_id") for name in ("eot", "eom"))
    stops = dict.fromkeys([eos_id, *(stop for stop in named if stop is not None)])
    stops |= dict.fromkeys(special[name] for name in ENDS if name in special)
    return ModelTokenizer(backend, template, tokens[eos_id], tuple(stops), special)
