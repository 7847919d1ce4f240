"""What a judge said of a text, out of whatever it wrote around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

AXES = {
    "instructions": "지시 이행",
    "coherence": "서사 일관성",
    "characters": "인물",
    "style": "문체·어조 일관",
    "expression": "표현·묘사",
    "originality": "독창성",
    "naturalness": "한국어 자연스러움",
    "repetition": "반복",
}
"""What is judged, and what the rubric calls it; 10 is best in all of them."""
REASON = "까닭"
MOST = 10
TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
NUMBER = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(?:점|/\s*10)?")
NOT_IN_A_NAME = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Verdict:
    """Scores from 0 to 10 by axis, and the judge's reason in its own words."""

    scores: Mapping[str, float]
    reason: str = ""

    @property
    def overall(self) -> float:
        """The mean of all axes."""
        return sum(self.scores.values()) / len(self.scores)


def read_verdict(answer: str) -> Verdict:
    """The last verdict in an answer; code fences, text around it, and trailing commas do no harm.

    Raises:
        ValueError: there is none; what its last JSON object lacks.
    """
    objects = [*_objects(answer)] or [*_objects(TRAILING_COMMA.sub("", answer))]
    fault = "no JSON object in it"
    for each in reversed(objects):
        try:
            return _verdict(each)
        except ValueError as error:
            fault = str(error)
    raise ValueError(fault)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The outermost JSON objects in a text."""
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
            yield value
        except ValueError:
            end = place + 1
        except RecursionError:  # no judge means this, and every brace in it would be tried
            return
        place = text.find("{", end)


def _verdict(value: Mapping[str, Any]) -> Verdict:
    given = {NOT_IN_A_NAME.sub("", name): each for name, each in _flat(value)}
    scores = {}
    for axis, name in AXES.items():
        key = NOT_IN_A_NAME.sub("", name)
        if key not in given:
            raise ValueError(f"no score of {name}")
        scores[axis] = _score(name, given[key])
    return Verdict(scores, str(given.get(REASON, "")))


def _flat(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values, also of objects inside."""
    for name, each in value.items():
        yield name, each
        if isinstance(each, dict):
            yield from _flat(each)


def _score(name: str, value: Any) -> float:
    """A number from 0 to 10: plain, as a text such as `8점` or `8/10`, or the only one in an object."""
    if isinstance(value, dict):
        numbers = [each for each in value.values() if isinstance(each, int | float)]
        value = numbers[0] if len(numbers) == 1 else None
    if isinstance(value, str) and (match := NUMBER.fullmatch(value.strip())):
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        raise ValueError(f"the score of {name} is no number from 0 to {MOST}")
    return float(value)
