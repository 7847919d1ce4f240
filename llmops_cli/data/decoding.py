"""Bytes to text: UTF-8 or CP949 as the options say, never guessed; the other one is named when it is
found."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.config import WrongSetting


def lines_of(path: Path, source: str, encoding: str) -> Iterator[str | Problem]:
    """The lines of a file without line end and byte order mark, or a Problem where one cannot be decoded.

    Only `\\n` and `\\r\\n` end a line: U+2028 and the like occur inside real text.

    Raises:
        InputError: the whole file is in another encoding.
    """
    with path.open("rb") as stream:
        for number, data in enumerate(stream, 1):
            if number == 1:
                data = _without_mark(data, source)
            try:
                text = _decode(data, encoding)
            except UnicodeDecodeError as error:
                yield _problem(data, error, encoding, f"{source}:{number}")
            else:
                yield text.rstrip("\r\n")


def text_of(path: Path, source: str, encoding: str) -> str:
    """The whole text of a file. Raises as :func:`lines_of`, and for a byte that cannot be decoded."""
    data = _without_mark(path.read_bytes(), source)
    try:
        return _decode(data, encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError([_problem(data, error, encoding, f"{source}:{line}")]) from None


def _decode(data: bytes, encoding: str) -> str:
    text = data.decode(encoding)
    if encoding == "cp949" and not data.isascii() and (other := _as_utf8(data)) is not None:
        raise UnicodeDecodeError("cp949", data, 0, 1, f"UTF-8 for {other[:20]!r}")
    return text


def _without_mark(data: bytes, source: str) -> bytes:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError([WrongSetting("the file is UTF-16", f"{source}:1", "save it as UTF-8")])
    return data.removeprefix(codecs.BOM_UTF8)


def _problem(data: bytes, error: UnicodeDecodeError, encoding: str, where: str) -> Problem:
    """What to say of undecodable bytes; raises where the whole file is in the other encoding."""
    if encoding == "utf-8" and _is_cp949(data):
        raise InputError([WrongSetting("the file is CP949 (EUC-KR), not UTF-8", where, "--set encoding=cp949")])
    if encoding == "cp949" and _as_utf8(data) is not None:
        raise InputError([WrongSetting("the file is UTF-8, not CP949", where, "--set encoding=utf-8")])
    name = "UTF-8" if encoding == "utf-8" else "CP949"
    return Problem(f"not {name}: byte 0x{data[error.start]:02x}", where, "save the file as UTF-8")


def _is_cp949(data: bytes) -> bool:
    """Whether the bytes read as CP949 are Korean: broken UTF-8 read so gives rare Hanja, not Hangul."""
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return False
    wide = [char for char in text if not char.isascii()]
    return sum("가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" for char in wide) >= 0.7 * len(wide)


def _as_utf8(data: bytes) -> str | None:
    """The text, when the bytes are UTF-8 with Hangul in it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if any("가" <= char <= "힣" or "ᄀ" <= char <= "ᇿ" for char in text) else None
