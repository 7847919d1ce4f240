"""Text as a terminal can take it: harmless, cut and padded by columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from prompt_toolkit.utils import get_cwidth

from llmops_cli.chat.tree import Tree

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, which could take over the terminal, and those that show nothing or turn the text around."""
CONTROL_PICTURES = 0x2400


def visible(text: str) -> str:
    """`text` with every character that does something to a terminal, or nothing, replaced by one that can be seen."""
    return UNSEEN.sub(lambda found: _picture(ord(found.group())), text)


def _picture(code: int) -> str:
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def cut(text: str, columns: int) -> str:
    """The beginning of one line of `text`, white space joined, that takes at most so many columns."""
    line = " ".join(visible(text).split())
    if get_cwidth(line) <= columns:
        return line
    return _beginning(line, columns - 1) + "…" if columns > 0 else ""


def _beginning(line: str, columns: int) -> str:
    for end, letter in enumerate(line):
        columns -= get_cwidth(letter)
        if columns < 0:
            return line[:end]
    return line


def pad(text: str, columns: int) -> str:
    """`text` filled up with spaces to so many columns."""
    return text + " " * (columns - get_cwidth(text))


def two_columns(rows: Iterable[tuple[str, str]], columns: int) -> Iterator[str]:
    """Lines of a name and what it is; below each other where there is no room beside each other."""
    rows = [(name, visible(text)) for name, text in rows]
    first = max((get_cwidth(name) for name, _ in rows), default=0)
    for name, text in rows:
        if first + 12 > columns:
            yield from (name, f"  {text}")
        else:
            yield f"{pad(name, first)}  {text}".rstrip()


def drawn_tree(tree: Tree, speakers: Mapping[str, str], columns: int) -> Iterator[tuple[bool, str]]:
    """Lines of all turns, and whether the line's turn is on the path to where the writer stands, which has a `*`."""
    path = {turn.id for turn in tree.path()}
    number = len(str(max(tree.turns, default=0)))
    name = max(map(get_cwidth, speakers.values()))
    for depth, turn in tree.walk():
        indent = "  " * min(depth, max(columns // 8, 1))
        start = f"{'*' if turn.id == tree.head else ' '} {turn.id:>{number}} {indent}{pad(speakers[turn.role], name)} "
        start += f"[{visible(turn.name)}] " if turn.name else ""
        yield turn.id in path, cut_behind(start, turn.text, columns)


def cut_behind(start: str, text: str, columns: int) -> str:
    """`start` and as much of the first line of `text` as there is room for."""
    return (_beginning(start, columns) + cut(text, columns - get_cwidth(start))).rstrip()


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in short: `1-4, 7`."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)
