"""Constraints of an answer that a program can check, in the manner of IFEval (Zhou et al. 2023), for Korean writing."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from llmops_cli.evaluation.config import Constraints, Range
from llmops_cli.text.lengths import COUNTS, Unit
from llmops_cli.text.mentions import mentions
from llmops_cli.text.narration import first_person, speeches
from llmops_cli.text.register import POLITE, Level, level_of, sentence_levels
from llmops_cli.text.scripts import letters
from llmops_cli.text.sentences import split_sentences

_STEADY = 0.9
_SENTENCES_PER_I = 25  # a narrator who is none has an I in a thought now and then
_LONGEST_TITLE = 30

_LIST_ITEM = re.compile(r"^[^\S\n]*(?:\d{1,2}[.)]|[①-⑳]|[-*•‣·])[^\S\n]*\S", re.MULTILINE)
_TITLE = re.compile(r"#+\s|제목\s*[:：]|\*\*.*\*\*$|[<〈《「『【\[].*[>〉》」』】\]]$")
_CLOSING = " .,!?。！？…~～\"'”’」』》)]*"
_WHOLE = re.compile(r"[.!?。！？…~～][\"'”’」』》)\]*]*$|[ㄱ-ㅎㅏ-ㅣ]{2}$")
_AFTER_THE_END = re.compile(r"[^\w.!?。！？…~～\"'”’」』》)\]*]+$")
_FENCED = re.compile(r"```(?:json)?\n(.*)\n```", re.DOTALL)


class Outcome(NamedTuple):
    """Whether a constraint is fulfilled, and what is wrong where it is not."""

    name: str
    fulfilled: bool
    why: str


def check(constraints: Constraints, output: str) -> list[Outcome]:
    """The outcome of every constraint that is asked for, in the order of the schema. An empty answer fulfils none."""
    text = output.strip()
    outcomes = []
    for name, judge in _JUDGES.items():
        wanted = getattr(constraints, name)
        if wanted is not None:
            fault = judge(wanted, text) if text else "the answer is empty"
            outcomes.append(Outcome(name, not fault, fault or ""))
    return outcomes


def _length(unit: Unit, wanted: Range, text: str) -> str | None:
    return _outside(wanted, COUNTS[unit](text))


def _list_items(wanted: Range, text: str) -> str | None:
    return _outside(wanted, len(_LIST_ITEM.findall(text)))


def _outside(wanted: Range, found: float) -> str | None:
    if wanted.min is not None and found < wanted.min:
        return f"{found:g}, want {wanted.min:g} or more"
    if wanted.max is not None and found > wanted.max:
        return f"{found:g}, want {wanted.max:g} or fewer"
    return None


def _include(wanted: list[str], text: str) -> str | None:
    missing = [word for word in wanted if not mentions(text, word)]
    return f"without {', '.join(missing)}" if missing else None


def _exclude(unwanted: list[str], text: str) -> str | None:
    found = [word for word in unwanted if mentions(text, word)]
    return f"with {', '.join(found)}" if found else None


def _starts_with(wanted: str, text: str) -> str | None:
    return None if text.startswith(wanted) else f"starts with {text[: len(wanted)]!r}"


def _ends_with(wanted: str, text: str) -> str | None:
    ends = text.endswith(wanted) or text.rstrip(_CLOSING).endswith(wanted.rstrip(_CLOSING))
    return None if ends else f"ends with {text[-len(wanted) :]!r}"


def _ends_with_sentence(wanted: bool, text: str) -> str | None:
    text = _AFTER_THE_END.sub("", text)
    return None if _WHOLE.search(text) or level_of(text) else f"cut off: …{text[-20:]}"


def _title(wanted: bool, text: str) -> str | None:
    first, _, rest = text.partition("\n")
    first = first.strip()
    unmarked = len(first) <= _LONGEST_TITLE and not _WHOLE.search(first) and not level_of(first)
    found = bool(rest.strip()) and bool(_TITLE.match(first) or unmarked)
    return None if found is wanted else f"the first line is {first[:_LONGEST_TITLE]!r}"


def _dialogue(wanted: bool, text: str) -> str | None:
    spoken = speeches(text)
    if bool(spoken) is wanted:
        return None
    return f"somebody says {spoken[0][:20]!r}" if spoken else "nobody speaks"


def _person(wanted: int, text: str) -> str | None:
    own = first_person(text)
    if (len(own) * _SENTENCES_PER_I >= max(1, len(split_sentences(text)))) is (wanted == 1):
        return None
    return f"the narrator says {own[0]}" if own else "no 나, 내 or 저 of a narrator"


def _speech_level(wanted: str, text: str) -> str | None:
    levels = sentence_levels(text)
    if not levels:
        return "no sentence has an ending that tells"
    others = [sentence for sentence, level in levels if not _is_of(level, wanted)]
    return f"{others[0][-20:]!r} is not {wanted}" if len(others) > (1 - _STEADY) * len(levels) else None


def _is_of(level: Level, wanted: str) -> bool:
    return (level in POLITE) is (wanted == "존댓말") if wanted in ("존댓말", "반말") else level == wanted


def _hangul_only(wanted: bool, text: str) -> str | None:
    _, others = letters(text)
    return f"{others} other letters" if others else None


def _valid_json(wanted: bool, text: str) -> str | None:
    fenced = _FENCED.fullmatch(text)
    try:
        json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


_JUDGES: Mapping[str, Callable[[Any, str], str | None]] = {
    **{unit: functools.partial(_length, unit) for unit in COUNTS},
    "list_items": _list_items,
    "include": _include,
    "exclude": _exclude,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "ends_with_sentence": _ends_with_sentence,
    "title": _title,
    "dialogue": _dialogue,
    "person": _person,
    "speech_level": _speech_level,
    "hangul_only": _hangul_only,
    "valid_json": _valid_json,
}
"""By constraint: what is wrong with a text, None where it is as wanted."""
