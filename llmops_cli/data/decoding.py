"""Bytes to text: UTF-8, or CP949 where the options or the whole file say so; which of them is told, never silent."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO, Literal

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.config import ReadOptions, WrongSetting
from llmops_cli.data.sources import Source

Encoding = Literal["utf-8", "cp949"]

LONGEST_ROW = 64 * 1024 * 1024  # bytes, or characters once decoded; a line beyond that is no row of text
_ENOUGH = 1_000  # lines that agree on an encoding
_NAMES: dict[str, str] = {"utf-8": "UTF-8", "cp949": "CP949 (EUC-KR)"}


def encoding_of(source: Source, options: ReadOptions) -> tuple[Encoding, bool]:
    """The encoding that most lines of the file are in, which must be the one that `options` name, if they do.

    The second value tells whether the file starts with a byte order mark.

    Raises:
        InputError: the file is in another encoding than the options say, or in UTF-16, or broken compressed data.
        OSError: the file cannot be read.
    """
    votes: dict[Encoding, int] = {"utf-8": 0, "cp949": 0}
    first, marked = 0, False
    with source.open() as stream:
        for number, data in byte_lines(stream):
            if data is None or data.isascii():
                continue
            if number == 1 and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise InputError([WrongSetting("the file is UTF-16", f"{source.name}:1", "save it as UTF-8")])
            first = first or number
            marked = marked or (number == 1 and data.startswith(codecs.BOM_UTF8))
            if _decodes(data, "utf-8"):
                votes["utf-8"] += 1
            elif _is_cp949(data):
                votes["cp949"] += 1
            if votes["utf-8"] == _ENOUGH or votes["cp949"] == _ENOUGH:
                break
    other: Encoding = "cp949" if options.encoding == "utf-8" else "utf-8"
    if options.encoding == "auto":
        return ("cp949" if votes["cp949"] > votes["utf-8"] else "utf-8"), marked
    if votes[other] and not votes[options.encoding]:
        what = f"the file is {_NAMES[other]}, not {_NAMES[options.encoding]}"
        raise InputError([WrongSetting(what, f"{source.name}:{first}", f"--set encoding={other}")])
    return options.encoding, marked


def byte_lines(stream: IO[bytes], first: int = 1, size: int | None = None) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each line with its line end; None for a line that is too long to be a row.

    Args:
        stream: read from where it stands.
        first: number of the first line.
        size: bytes after which to stop; the end of the stream when None.
    """
    number, done = first, 0
    while (size is None or done < size) and (data := stream.readline(LONGEST_ROW)):
        done += len(data)
        whole = data.endswith(b"\n") or len(data) < LONGEST_ROW
        yield number, data if whole else None
        while not whole and (data := stream.readline(1 << 20)):
            done += len(data)
            whole = data.endswith(b"\n")
        number += 1


def without_mark(data: bytes, line: int) -> bytes:
    """The bytes that start at `line` of a file, without a byte order mark in line 1."""
    return data.removeprefix(codecs.BOM_UTF8) if line == 1 else data


def lines_of(source: Source, encoding: Encoding) -> Iterator[str | Problem]:
    """The lines of a file without line end and byte order mark, or a Problem where one cannot be decoded.

    Only `\\n` and `\\r\\n` end a line: U+2028 and the like occur inside real text.

    Raises:
        InputError: broken compressed data.
        OSError: the file cannot be read.
    """
    with source.open() as stream:
        for number, data in byte_lines(stream):
            where = f"{source.name}:{number}"
            try:
                yield decoded(without_mark(data, number), where, encoding).rstrip("\r\n") if data else too_long(where)
            except InputError as error:
                yield error.problems[0]


def decoded(data: bytes, where: str, encoding: Encoding) -> str:
    """The text of a line. Raises InputError where it is not in `encoding`, naming the other one if it is in that."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        other = "CP949 (EUC-KR)" if encoding == "utf-8" and _is_cp949(data) else f"byte 0x{data[error.start]:02x}"
    else:
        if encoding == "utf-8" or data.isascii() or not _is_hangul_in_utf8(data):
            return text
        other = "UTF-8"
    raise InputError(f"not {_NAMES[encoding]}: {other}", where=where, hint="save the file as UTF-8")


def too_long(where: str) -> Problem:
    """What to say of a line or value that is no row of text."""
    return Problem(f"a row of more than {LONGEST_ROW // 1024**2} MiB", where, "one record a line")


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_cp949(data: bytes) -> bool:
    """Whether the bytes read as CP949 are Korean: broken UTF-8 read so gives rare Hanja, not Hangul."""
    if data.isascii() or not _decodes(data, "cp949") or _decodes(data, "utf-8"):
        return False
    wide = [char for char in data.decode("cp949") if not char.isascii()]
    return sum("가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" for char in wide) >= 0.7 * len(wide)


def _is_hangul_in_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 with Hangul in it."""
    return _decodes(data, "utf-8") and any("가" <= char <= "힣" or "ᄀ" <= char <= "ᇿ" for char in data.decode("utf-8"))
