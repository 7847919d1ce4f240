"""Telephone, resident, business, account, licence and card numbers, in any writing of their digits."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from functools import partial

from llmops_cli.safety.personal_data.evidence import around, listed_kind
from llmops_cli.safety.personal_data.kinds import Found
from llmops_cli.safety.personal_data.reading import (
    BRACKETS,
    RUN,
    Reading,
    close_up,
    ends,
    has_circles,
    has_signs,
    likely_end,
    read,
    starts,
)
from llmops_cli.safety.personal_data.shapes import SHAPES, Candidate, Grouping, is_account, region_before

_FEWEST_DIGITS = 8
# The lengths of the banks, KFTC list of 2024-06-24; the few shorter ones look like too many other things.
_SHORTEST_ACCOUNT, _LONGEST_ACCOUNT = 10, 14
_BRACKETS_AND_SPACE = "".join([*BRACKETS, *BRACKETS.values(), " \t\n\r\xa0"])
_AMOUNT = re.compile(r"\s?(?:[만천백억조]?\s?(?:원|달러|엔|유로|명|개|년|배|건|회|톤|킬로)|%)")
_SURE_GROUPED = {"landline", "resident_number", "foreigner_number"}


def find_numbers(text: str, others: Sequence[Found]) -> list[Found]:
    """The numbers in folded `text` outside `others`, which are in order."""
    runs = [run.span() for run in RUN.finditer(text)]
    if not runs:
        return []
    beginnings = [other.start for other in others]
    found: list[Found] = []
    for number, (start, end) in enumerate(runs):
        following = runs[number + 1][0] if number + 1 < len(runs) else len(text)
        index = bisect_left(beginnings, start)
        low = others[index - 1].end if index else 0
        high = min(following, beginnings[index]) if index < len(beginnings) else following
        start, end = max(start, low), min(end, high)
        if start >= end:
            continue
        last = found[-1] if found else None
        here: list[Found] = []
        if has_signs(text, start, end):
            here = _numbers(text, read(text, start, end, signs_separate=True), low, high, last)
        if not any(item.rule == "grouped" for item in here):
            here = _numbers(text, read(text, start, end), low, high, last) or here
        if not here and has_circles(text, start, end):
            here = _numbers(text, read(text, start, end, circles_are_zeros=True), low, high, last)
        found += here
    return found


def _numbers(text: str, reading: Reading, low: int, high: int, last: Found | None) -> list[Found]:
    return list(_Run(text, close_up(reading), low, high).numbers(last))


class _Run:
    """One run of digits, in which there may be several numbers."""

    def __init__(self, text: str, reading: Reading, low: int, high: int) -> None:
        """`low` and `high` bound the search for words around the numbers."""
        self._text = text
        self._reading = reading
        self._low = low
        self._high = high
        self._size = len(reading.digits)

    def numbers(self, last: Found | None) -> Iterator[Found]:
        """The numbers in order; `last` is the one found before this run."""
        if self._size < _FEWEST_DIGITS:
            return
        self._stops = ends(self._reading, self._text)
        begins = starts(self._reading)
        position = done = 0
        while position < len(begins):
            begin = begins[position]
            position += 1
            if begin < done:
                continue
            if number := self._number(begin, last):
                last = self._found(number, last)
                done = begin + len(number.digits)
                if done < self._size and done not in begins[position : position + len(number.digits)]:
                    insort(begins, done, position)
                yield last

    def _number(self, begin: int, last: Found | None) -> Candidate | None:
        """The number that begins with the digit `begin`, if any."""
        for limit in sorted({likely_end(self._reading, begin, self._text), self._size}):
            if candidates := list(self._candidates(begin, limit, last)):
                return _choose([number for number in candidates if not self._is_cut(number)] or candidates)
        return None

    def _candidates(self, begin: int, limit: int, last: Found | None) -> Iterator[Candidate]:
        """What the digits from `begin` on may be, in the order of how sure their shape makes it."""
        for shape in SHAPES:
            match = shape.digits.match(self._reading.digits, begin, limit)
            if match and match.end() in self._stops and (grouping := self._grouping(match, limit)):
                number = self._candidate(shape.kind, begin, match.end(), grouping, last)
                if number.readable and shape.holds(number):
                    yield number
        accounts = [
            self._candidate(
                "account", begin, stop, "grouped" if any(self._reading.gaps[begin + 1 : stop]) else "bare", last
            )
            for bound in (limit, self._size)
            if (stop := self._account_end(begin, bound))
        ]
        if accounts:
            number = next((number for number in accounts if number.of_a_bank), accounts[0])
            if number.readable and is_account(number):
                yield number

    def _candidate(self, kind: str, begin: int, stop: int, grouping: Grouping, last: Found | None) -> Candidate:
        digits, places, sources, gaps = self._reading
        high = places[stop] if self._size - stop > 3 else self._high

        low = max(self._low, last.end) if last else self._low
        start, end, part = places[begin], places[stop - 1] + 1, slice(begin, stop)
        listed = listed_kind(self._text, self._low, start, last)
        look_around = partial(around, self._text, start, end, low, high)
        return Candidate(
            kind, self._text, start, end, digits[part], sources[part], gaps[part], grouping, listed, look_around
        )

    def _grouping(self, match: re.Match[str], limit: int) -> Grouping | None:
        """How the digits of `match` are set apart, against the groups of its pattern; None for some other way."""
        gaps = self._reading.gaps
        begin, stop = match.span()
        proper = {match.end(group) for group in range(1, match.re.groups + 1)} - {begin, stop}
        actual = {index for index in range(begin + 1, stop) if gaps[index]}
        if not actual:
            return "bare"
        if actual == proper:
            return "grouped"
        if actual < proper:
            return "partly grouped"
        goes_on = stop < limit and gaps[stop] == gaps[stop - 1]
        return "split" if actual > proper and not goes_on else None

    def _is_cut(self, number: Candidate) -> bool:
        """Whether `number`, not in its proper groups, ends among the signs that hide a group of digits."""
        hides = number.grouping != "grouped" and number.digits[-1] == "*"
        return hides and self._text.startswith(self._text[number.end - 1], number.end)

    def _account_end(self, begin: int, limit: int) -> int | None:
        """Where the longest account number from `begin` ends: all the groups that one and the same sign sets apart."""
        longest: int | None = None
        sign: str | None = None
        for stop in range(begin + 1, min(begin + _LONGEST_ACCOUNT, limit) + 1):
            if (
                stop in self._stops
                and stop - begin >= _SHORTEST_ACCOUNT
                and not _AMOUNT.match(self._text, self._reading.places[stop - 1] + 1)
            ):
                longest = stop
            if stop < limit and (gap := self._reading.gaps[stop]):
                if longest is not None and sign is None:
                    break
                mark: str | None = gap.strip(_BRACKETS_AND_SPACE)
                if not mark:
                    mark = sign if gap.strip() or "\n" in gap else " "
                if sign not in (None, mark):
                    break
                sign = mark
        if longest is None or sign in (None, " "):
            return longest
        beside = (self._reading.gaps[begin], *self._reading.gaps[longest : longest + 1])
        return None if sign in beside else longest

    def _found(self, number: Candidate, last: Found | None) -> Found:
        """`number` with what belongs to it before its first digit: the region of a licence, a bracket, +."""
        text, start = self._text, number.start
        low = max(self._low, last.end) if last else self._low
        if number.kind == "driver_licence" and (region := region_before(text, low, start)):
            start = region.start()
        while start > low:
            closing = BRACKETS.get(text[start - 1])
            if closing is None and not (text[start - 1] == "+" and number.digits.startswith("82")):
                break
            if closing is not None and closing not in text[start : number.end]:
                break
            start -= 1
        context = number.sought if number.named else next(iter(number.evidence), "")
        return Found(number.kind, start, number.end, number.writing, number.checksum, context)


def _choose(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate that the words around it speak of, unless the shape alone leaves no doubt."""
    first = candidates[0]
    if first.kind == "mobile" or (first.kind in _SURE_GROUPED and first.grouping == "grouped"):
        return first
    return min(candidates, key=lambda it: it.distance)
