"""Josa that disagree with the name before them: 민준는, 지우을."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from llmops_cli.text.josa import attach

# Only forms that are wrong after the other kind of name. 지우이었다 is right, and 지원자 and 수지면 are words.
_JOSA = re.compile(
    "(?:은|는|이|가|을|를|과|와|(?:으로|로)(?:서|써|부터)?|이?랑|이[는가를와의도]|아|야|예요|였다|였습니다|라고|라는)"
    "(?![가-힣0-9A-Za-z])"
)
_LABEL = re.compile(r"\[[가-힣A-Za-z]+[0-9]*\](?=[가-힣])")


def disagreements(text: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each `(민준는, 민준은)`: a name with the wrong form of a josa, and with the right one.

    Looked for after `names` and after placeholders such as `[이름]`, which are read as what stands in the brackets;
    the endings of other words look like a josa too often.
    """
    for word, end in _mentions(text, names):
        if (josa := _JOSA.match(text, end)) and (right := attach(word, josa.group())) != word + josa.group():
            yield word + josa.group(), right


def _mentions(text: str, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each name or placeholder, and where it ends."""
    for found in (*_any_of(tuple(names)).finditer(text), *_LABEL.finditer(text)):
        if not found.start() or not text[found.start() - 1].isalnum():
            yield found.group(), found.end()


@lru_cache(maxsize=256)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)")
