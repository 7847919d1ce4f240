"""How long a text is, in the units in which a Korean text is ordered: 자, 원고지 매, 문장, 문단, 줄, 어절."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from llmops_cli.text.sentences import split_sentences

Unit = Literal[
    "characters", "characters_without_spaces", "manuscript_pages", "sentences", "paragraphs", "lines", "words"
]

_SPACE_AFTER_A_STOP = re.compile(r"(?<=[.,]) +")
_SQUARE = re.compile(r"\d{1,2}|[a-z]{1,2}|\.{3}|[.,][”’\"']|.")
_NEVER_FIRST = ".,!?…·:;)]”’\"'」』》〉。，"
_SQUARES, _LINES = 20, 10


def characters(text: str) -> int:
    """자 with the spaces: every character but line breaks, and but white space at either end of a line."""
    return sum(len(line.strip()) for line in text.splitlines())


def characters_without_spaces(text: str) -> int:
    """자 without the spaces."""
    return sum(map(len, text.split()))


def manuscript_pages(text: str) -> float:
    """Sheets of 200자 원고지, ten lines of twenty squares, to a tenth: the lines that are begun.

    A paragraph starts on a line of its own with an empty square, and what it leaves of its last line stays empty. A
    square takes a character or a space; two digits, two small Latin letters, a stop with its quotation mark, or three
    dots. No square is left empty behind a full stop or a comma, nor at the start of a line, and a stop that would
    stand there goes into the last square before it (the rules that schools teach).
    """
    return sum(_manuscript_lines(line) for line in text.splitlines() if line.strip()) / _LINES


def _manuscript_lines(paragraph: str) -> int:
    lines, column = 1, 1
    for square in _SQUARE.findall(_SPACE_AFTER_A_STOP.sub("", " ".join(paragraph.split()))):
        if column < _SQUARES:
            column += 1
        elif square != " " and square[0] not in _NEVER_FIRST:
            lines, column = lines + 1, 1
    return lines


def sentences(text: str) -> int:
    """문장, as :func:`split_sentences` finds them."""
    return len(split_sentences(text))


def paragraphs(text: str) -> int:
    """문단: what empty lines divide, or every line where there are none."""
    blocks = [block for block in re.split(r"\n[^\S\n]*\n", text) if block.strip()]
    return len(blocks) if len(blocks) > 1 else lines(text)


def lines(text: str) -> int:
    """줄 with something on them."""
    return sum(1 for line in text.splitlines() if line.strip())


def words(text: str) -> int:
    """어절: what white space divides."""
    return len(text.split())


COUNTS: Mapping[Unit, Callable[[str], float]] = {
    "characters": characters,
    "characters_without_spaces": characters_without_spaces,
    "manuscript_pages": manuscript_pages,
    "sentences": sentences,
    "paragraphs": paragraphs,
    "lines": lines,
    "words": words,
}
"""How each unit is counted in a text."""
