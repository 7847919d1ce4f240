"""Sentences of Korean text, by lines, punctuation, and the polite endings that only end a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

QUOTED = re.compile(
    "“[^“”\n]*”|‘[^‘’\n]*’|「[^「」\n]*」|『[^『』\n]*』|《[^《》\n]*》|\"[^\"\n]*\"|(?<![A-Za-z0-9])'[^'\n]*'"
)
"""Speech, thoughts and titles in quotation marks, each on one line."""

_ENCLOSED = re.compile(rf"{QUOTED.pattern}|\([^()\n]*\)")
_STOPS = ".!?。！？…"
_CLOSING = "\"'”’」』》"
_ENDS_SPEECH = re.compile(rf"[{_STOPS}]\W?$")

_BIEUP = "".join(map(chr, range(ord("갑"), ord("힣") + 1, 28)))  # every syllable with the final consonant ㅂ
_POLITE = f"니[다까](?<=[{_BIEUP}]..)|십시오|[어아여해에예세네데지군까게려져와봐줘돼워]요|죠"
_QUOTATIVE = "(?:이?라[고는며]|[고며는] |하[고며는여였]|했)"
# Each look back follows the stop itself: tried at every character of a text, it would take three times as long.
_AFTER_THE_STOP = (
    rf"[{_CLOSING}]+\s+(?!{_QUOTATIVE})",
    r"(?<=[!?。！？])[.…]{0,3}\s+",
    r"(?:(?<=[다요까죠]…)|(?<=[다요까죠]\.)\.)[….]*\s+",
    rf"(?:(?<=[^\WA-Za-z0-9]\.)|(?<=[a-z]{{4}}\.)|(?<=[%)\]{_CLOSING}]\.))\s+",
    r"(?:(?<=[!?])|(?<=[다요까죠]\.))(?=[가-힣])",
)
_STOP = re.compile(rf"[{_STOPS}](?:{'|'.join(_AFTER_THE_STOP)})|(?:{_POLITE})[ㄱ-ㅣ~^;♡♥]*\s+(?=\w)")


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, without the white space around them.

    A line break ends a sentence. A stop inside quotation marks or brackets does not; speech that ends with a stop is
    a sentence of its own unless 라고, 하고 or the like goes on. `3.5`, `1. 첫째` and a `…` within a sentence do not
    split, and `했습니다 그래서` does without a stop, for -ㅂ니다, -ㅂ니까, -십시오, -죠 and the usual -요.
    """
    return [sentence for line in text.splitlines() for sentence in _sentences(line)]


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for stop in _STOP.finditer(_ENCLOSED.sub(_hidden, line)):
        yield line[start : stop.end()].strip()
        start = stop.end()
    if rest := line[start:].strip():
        yield rest


def _hidden(enclosed: re.Match[str]) -> str:
    """The same length, with nothing in it that ends a sentence, but for the stop of a speech."""
    found = enclosed.group()
    kept = 2 if found[0] != "(" and _ENDS_SPEECH.search(found) else 1
    return found[0] + "_" * (len(found) - 1 - kept) + found[len(found) - kept :]
