"""A text that is cut off: it ends inside a word, a sentence or a quotation."""

from __future__ import annotations

import re

from llmops_cli.evaluation.degeneration.endings import completeness
from llmops_cli.evaluation.degeneration.finding import Finding, posterior
from llmops_cli.text.sentences import split_sentences

_CLOSING = "\"'”’」』》〉)]}*_`|〕】"
_DECLARED = re.compile(rf"[.。…][{re.escape(_CLOSING)}\s]*$")
_ASKED = re.compile(rf"[!?！？~～][{re.escape(_CLOSING)}\s]*$")
_GOES_ON = re.compile(r"[:·(\[{“‘「『《〈<]$|(?:^|\n)\s*(?:\d{1,2}[.)]|#+|[*•-])$")
_ITEM = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•·#]+)\s")
_COMMA = re.compile("[,、，]+$")
_ORNAMENT = re.compile(r"(?:[ㄱ-ㅣ]|[^\w\s]|[:;=]-?[DPp3])$")
_SYLLABLE = re.compile("[가-힣]$")
_SYLLABLES_IN_SS = "".join(chr(code) for code in range(0xAC00 + 20, 0xD7A4, 28))
_NEVER_LAST = re.compile(rf"(?:[{_SYLLABLES_IN_SS}]|[가-힣](?:를|의|으로|에서|에게|[하되있없같]는|[었았했]던))$")
"""Stems of the past tense, and josa and adnominal endings that are no nouns: 읽었, 친구를, 좋아하는."""
_PAIRS = (("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("《", "》"))
_STRAIGHT = '"'

_SEEN, _UNSEEN = 1_500, 2
"""How many characters before the end show the habit, and how many sentences without a stop are taken as seen."""
_FEW_WORDS, _FEW_HABIT = 3, 0.25
"""A line of its own with so few words may be a heading or a name, which have no stop."""
_EXPECTED, _HABIT, _NEVER, _AFTER_COMMA = 4.5, 9.0, 2.5, 3.0
_SHARPNESS, _LESS_BY_HABIT = 1.5, 0.5
"""How the evidence adds up, in nats; what an ending says counts less where a stop is missed, and half in an item."""
_CUT, _OPEN, _OPEN_AT_A_STOP = 0.9, 0.6, 0.3


def cut_off(text: str) -> Finding | None:
    """The end of a text that goes no further than into a word, a sentence or a quotation.

    A stop is missed only where the sentences before have theirs: chat lines, verses and headings end without. How
    likely the last words end an utterance is learned from sentences and their beginnings; see `learn`.
    """
    ended = text.rstrip()
    line = ended[ended.rfind("\n") + 1 :]
    if (opened := _open_quotation(line)) is not None:
        score = _OPEN_AT_A_STOP if _DECLARED.search(line) or _ASKED.search(line) else _OPEN
        return Finding(score, len(ended) - len(line) + opened, len(ended))
    if _GOES_ON.search(ended):
        return _finding(ended, _CUT)
    comma = _COMMA.search(ended)
    if not comma and _ORNAMENT.search(ended):
        return None
    last = split_sentences(line)[-1]
    habit = _habit(ended[-_SEEN:].removesuffix(last))
    words = len(last.split())
    if last == line.strip() and words <= _FEW_WORDS:
        habit *= _FEW_HABIT
    nats = _HABIT * habit + _AFTER_COMMA * (comma is not None)
    utterance = _COMMA.sub("", last)
    if _SYLLABLE.search(utterance):
        sharpness = _SHARPNESS - _LESS_BY_HABIT * habit
        nats -= sharpness * completeness(utterance) / (2 if words == 1 or _ITEM.match(line) else 1)
        nats += _NEVER * (_NEVER_LAST.search(utterance) is not None)
    return _finding(ended, posterior(nats, _EXPECTED))


def _finding(ended: str, score: float) -> Finding | None:
    """The last word, cut off."""
    return Finding(score, len(ended) - len(ended.split()[-1]), len(ended)) if score else None


def _open_quotation(line: str) -> int | None:
    """Where a quotation opens that does not close on the line; None also where marks of both sorts are mixed."""
    straight = line.count(_STRAIGHT)
    if straight and ("“" in line or "”" in line):
        return None
    for opening, closing in _PAIRS:
        if (place := line.rfind(opening)) > line.rfind(closing):
            return place
    return line.rfind(_STRAIGHT) if straight % 2 else None


def _habit(before: str) -> float:
    """How far a text has shown that its statements end with a stop, 0.0 to 1.0."""
    lines = [line for line in before.splitlines() if line.strip()]
    ends = lines[:-1] + split_sentences(lines[-1]) if lines else []
    stopped = sum(bool(_DECLARED.search(end)) for end in ends)
    asked = sum(bool(_ASKED.search(end)) for end in ends)
    return stopped / (len(ends) - asked + _UNSEEN)
