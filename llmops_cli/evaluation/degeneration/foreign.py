"""Foreign script: letters, words or sentences of another language in Korean text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.evaluation.degeneration.finding import Finding, saturated
from llmops_cli.text.scripts import SLIP, letters
from llmops_cli.text.sentences import QUOTED

_BRACKETED = re.compile(r"\([^()\n]*\)|\[[^\[\]\n]*\]|〔[^〔〕\n]*〕")
_HAN = re.compile("[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_LATIN = "A-Za-zÀ-ɏḀ-ỿ"
_LATIN_WORDS = re.compile(rf"[{_LATIN}][{_LATIN}'’\-]*(?:,?[ \n]+[{_LATIN}0-9][{_LATIN}0-9'’\-]*){{3,}}")
_LATIN_WORD = re.compile(rf"[{_LATIN}]+(?:['’\-][{_LATIN}]+)*")
_SENTENCE_WORDS, _SMALL = 4, 0.6

_RUN, _LETTER = 0.7, 0.15
_HANJA, _HANJA_WORD, _USUAL_HANJA = 0.05, 0.12, 4
_FAINT = 0.02
"""What a tolerated word of Hanja scores: little, but more than a text without one."""
_QUOTED_SHARE = 0.4
_TOLERATED, _TOLERATED_EACH = 0.2, 2e-5
_OTHER_LANGUAGE, _LEAST_LETTERS = 0.5, 30


def foreign_script(text: str) -> Finding | None:
    """The letters that do not belong into a Korean text, 1.0 where most of them are of another language.

    Words, names and acronyms in Latin letters are usual, and so is anything in brackets, 작가(作家), and a Hanja here
    and there. A single letter of kana, Cyrillic or Thai is not, nor a character that no Korean writes (the Hanja are
    those of KS X 1001), nor four words in a row in Latin letters that are not a name.
    """
    bare = _blank(_blank(text))
    found = [*_runs(bare), *_sentences(bare)]
    if not found:
        return None
    foreign = sum(end - start for _, start, end in found)
    if foreign >= _LEAST_LETTERS and foreign > sum(letters(text)) * _OTHER_LANGUAGE:
        return Finding(1.0, 0, len(text))
    tolerated = _TOLERATED + _TOLERATED_EACH * len(text)
    heaviest, start, end = max(found)
    score = saturated(sum(weight for weight, _, _ in found), tolerated, 1.0)
    if heaviest >= _HANJA_WORD:
        score = max(score, _FAINT)
    return Finding(score, start, end) if score else None


def _blank(text: str) -> str:
    """The same length, without what stands in the innermost brackets."""
    return _BRACKETED.sub(lambda found: " " * len(found.group()), text)


def _runs(text: str) -> Iterator[tuple[float, int, int]]:
    """Each run of another script, and what it weighs."""
    for run in SLIP.finditer(text):
        yield _weight(run.group()), *run.span()


def _weight(run: str) -> float:
    if _HAN.fullmatch(run) and len(run) <= _USUAL_HANJA and _is_hanja(run):
        return _HANJA if len(run) == 1 else _HANJA_WORD
    return _RUN + _LETTER * len(run)


def _is_hanja(run: str) -> bool:
    try:
        run.encode("euc_kr")
    except UnicodeEncodeError:
        return False
    return True


def _sentences(text: str) -> Iterator[tuple[float, int, int]]:
    """Runs of Latin words that are no name or title, for most of their words begin with a small letter."""
    quotations: list[tuple[int, int]] | None = None
    for run in _LATIN_WORDS.finditer(text):
        words = _LATIN_WORD.findall(run.group())
        if len(words) >= _SENTENCE_WORDS and sum(word[0].islower() for word in words) >= _SMALL * len(words):
            if quotations is None:
                quotations = [found.span() for found in QUOTED.finditer(text)]
            quoted = any(start <= run.start() and run.end() <= end for start, end in quotations)
            yield (_RUN + _LETTER * len(words)) * (_QUOTED_SHARE if quoted else 1.0), *run.span()
