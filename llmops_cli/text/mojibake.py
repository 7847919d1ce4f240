"""Mojibake: Korean text whose bytes were read in another encoding than they were written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["CP949 read as Latin-1", "UTF-8 read as Latin-1", "UTF-8 read as Mac Roman", "UTF-8 read as CP949"]

# Windows reads Latin-1 as cp1252, with letters and punctuation in place of most control characters.
_LATIN_1 = {byte: chr(byte) + bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0x100)}
_MAC_ROMAN = {byte: bytes([byte]).decode("mac_roman") for byte in range(0x80, 0x100)}


class _Reading(NamedTuple):
    """How bytes became wrong characters: the runs in which to undo it, character -> byte, and the true encoding."""

    run: re.Pattern[str]
    bytes_of: dict[int, int]
    written: str

    def undone(self, text: str) -> str:
        """`text` as it was meant; UTF-8 also where it was read wrong twice."""
        meant = self.run.sub(lambda run: _decoded(run.group().translate(self.bytes_of), "latin-1", self.written), text)
        return meant if meant == text or self.written != "utf-8" else self.undone(meant)


def _as_read(pattern: str, characters: Mapping[int, str]) -> re.Pattern[str]:
    """A pattern of bytes, with ranges as `<EA-ED>`, for the characters that they became."""

    def became(found: re.Match[str]) -> str:
        first, last = int(found[1], 16), int(found[2], 16)
        return "[" + "".join(characters[byte] for byte in range(first, last + 1)) + "]"

    return re.compile(re.sub("<(..)-(..)>", became, pattern))


def _reading(written: str, run: str, characters: Mapping[int, str]) -> _Reading:
    bytes_of = {ord(char): byte for byte, chars in characters.items() for char in chars}
    return _Reading(_as_read(run, characters), bytes_of, written)


_UTF8 = "(?:<C2-DF><80-BF>|<E0-EF><80-BF>{2}|<F0-F4><80-BF>{3})+"
_CP949 = "(?:<81-FE>(?:<81-FE>|[A-Za-z]))+"
_READINGS: dict[Kind, _Reading] = {
    "UTF-8 read as Latin-1": _reading("utf-8", _UTF8, _LATIN_1),
    "UTF-8 read as Mac Roman": _reading("utf-8", _UTF8, _MAC_ROMAN),
    "CP949 read as Latin-1": _reading("cp949", _CP949, _LATIN_1),
}
_SUSPICIOUS = re.compile(f"[\xb0-\xff][{''.join((*_LATIN_1.values(), *_MAC_ROMAN.values()))}]{{2}}")
_ODD, _HANGUL = re.compile("[\x80-\u07ff]"), re.compile("[가-힣ㄱ-ㅣ]")
# Two syllables of KS X 1001 are four bytes that no word of Latin letters has; ···· is a line of dots, Ã©Ã¨ was éè.
_WORD_OF_CP949 = _as_read(r"(<B0-C8>)(?!\1{3})(?!(?<=Ã).Ã)<A1-FE><B0-C8><A1-FE>", _LATIN_1)
# In CP949 a syllable's UTF-8 pairs up to a Hanja and a rare syllable, or to nothing: 안녕 is ?덈뀞. U+FFFD is 占쏙옙.
_LOST_AS_CP949 = "占쏙옙"
_UTF8_AS_CP949 = re.compile("[占?\ufffd一-龥豈-龎][가-힣]")
_RARE_SHARE, _LEAST_RARE = 0.15, 2

MOJIBAKE = re.compile(f"{_SUSPICIOUS.pattern}|{_UTF8_AS_CP949.pattern}")
"""What no mojibake is without."""


def mojibake(text: str) -> Kind | None:
    """How the encoding of `text`, or of a part of it, was mistaken; None where nothing shows that it was.

    Hangul that was lost altogether, U+FFFD, is not mojibake.
    """
    if _SUSPICIOUS.search(text) and (kind := _undone(text)[0]):
        return kind
    if _UTF8_AS_CP949.search(text) and (_LOST_AS_CP949 in text or _is_rare(text)):
        return "UTF-8 read as CP949"
    return None


def repaired(text: str) -> str | None:
    """The text that was meant, None where there is no mojibake or where bytes were lost on the way."""
    kind = mojibake(text)
    if kind is None:
        return None
    meant = _decoded(text, "cp949", "utf-8") if kind == "UTF-8 read as CP949" else _undone(text)[1]
    return None if meant == text or "\ufffd" in meant or _SUSPICIOUS.search(meant) or mojibake(meant) else meant


def _undone(text: str) -> tuple[Kind | None, str]:
    """The reading after which the fewest odd letters are left, if that is half of them or less, and its result."""
    meant = {kind: reading.undone(text) for kind, reading in _READINGS.items()}
    if not _WORD_OF_CP949.search(text):
        del meant["CP949 read as Latin-1"]
    odd = {kind: len(_ODD.findall(result)) for kind, result in meant.items()}
    kind = min(odd, key=lambda kind: odd[kind])
    more_hangul = len(_HANGUL.findall(meant[kind])) > len(_HANGUL.findall(text))
    if more_hangul and 2 * odd[kind] <= len(_ODD.findall(text)):
        return kind, meant[kind]
    return None, text


def _decoded(text: str, read_as: str, written_as: str) -> str:
    """The text that was meant, or `text` itself where its bytes are none of that encoding."""
    try:
        return text.encode(read_as).decode(written_as)
    except UnicodeError:
        return text


def _is_rare(text: str) -> bool:
    """Whether many syllables are none of the 2,350 of KS X 1001, which Korean text is written with."""
    pairs = "".join(re.findall("[가-힣]+", text)).encode("cp949")
    rare = sum(lead < 0xB0 or trail < 0xA1 for lead, trail in zip(pairs[::2], pairs[1::2], strict=True))
    return rare >= _LEAST_RARE and rare > _RARE_SHARE * len(pairs) / 2
