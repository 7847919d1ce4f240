"""What a writer types or pastes, made fit for a store and for a model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from llmops_cli.core.errors import InputError
from llmops_cli.data.checks.invisible import repair
from llmops_cli.data.decoding import decoded
from llmops_cli.text.normalize import nfc

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
TEXT_FILES = (".txt", ".md")
TEMPLATE_TOKEN = re.compile(
    r"<[|｜][^<>|｜\s]{1,40}[|｜]>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]|\[\|[^\[\]|\s]{1,40}\|\]"
)
"""How the families of models spell the tokens of their chat templates: ChatML and Llama 3, DeepSeek, Llama 2, Gemma,
EXAONE."""


def clean(text: str) -> str:
    """`text` in NFC, without control characters, halves of characters and what nobody sees; lines end with LF."""
    return nfc(repair(CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))))


def filled(text: str) -> str:
    """:func:`clean`, without empty lines around it. Raises InputError when there is nothing in it."""
    text = clean(text).strip("\n")
    if not text.strip():
        raise InputError("there is no text")
    return text


def read_text(value: str) -> str:
    """A text that is given as it is, or as the name of the file that holds it.

    Raises:
        InputError: a name that ends like a text file's and is none, or a file in another encoding than UTF-8.
    """
    if os.path.isfile(value):
        return clean(decoded(Path(value).read_bytes(), value, "utf-8")).strip()
    if value.endswith(TEXT_FILES) and not re.search(r"\s", value):
        raise InputError("no such file", where=value)
    return clean(value)


def spelt_tokens(texts: Iterable[str], special: Iterable[str]) -> list[str]:
    """The special tokens of a model that stand in texts, letter by letter, and what looks like those of another."""
    joined = "\n".join(texts)
    return sorted({*(token for token in special if token in joined), *TEMPLATE_TOKEN.findall(joined)})


def defused(text: str, tokens: Iterable[str]) -> str:
    """`text` in which none of the tokens is one to a tokenizer: a space stands after the first character of each.

    A turn that holds `<|im_end|>` would otherwise end there, and what follows it could pose as somebody else's turn.
    """
    for token in tokens:
        text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
