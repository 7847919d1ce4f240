"""What the numbers of each kind look like, and what must hold for one to be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

from llmops_cli.safety.personal_data import checksums
from llmops_cli.safety.personal_data.evidence import evidence_for
from llmops_cli.safety.personal_data.kinds import Checksum

Grouping = Literal["grouped", "bare", "partly grouped", "split"]

_LETTER = re.compile(r"[A-Za-z]")
_LINK_BEFORE, _LINK_AFTER = re.compile(r"[=/_%&]$|[0-9]\.$"), re.compile(r"[=/_%]|\.[0-9]")
_REGION_BEFORE = re.compile(
    r"(?:서울|부산|대구|인천|광주|대전|울산|경기(?:[남북]부)?|강원|충북|충남|전북|전남|경북|경남|제주)[\s-]{0,2}$"
)
_LONGEST_REGION = 6
_AFTER_REGION = (2, 6, 2)
# How banks print account numbers.
_ACCOUNT_GROUPS = {
    (6, 2, 6), (3, 3, 6), (4, 3, 6), (3, 6, 5), (3, 4, 4, 2), (3, 6, 2, 3), (4, 2, 7), (4, 4, 4), (3, 2, 6),
    (3, 2, 6, 1), (4, 4, 4, 1), (3, 6, 3), (6, 2, 5), (3, 2, 7), (3, 8, 3), (3, 4, 6), (4, 4, 5), (3, 4, 4, 3),
}  # fmt: skip


def region_before(text: str, low: int, start: int) -> re.Match[str] | None:
    """The name of a region that licences begin with, in `text[low:start]` right before `start`."""
    return _REGION_BEFORE.search(text, max(low, start - _LONGEST_REGION), start)


@dataclass(eq=False)
class Candidate:
    """A stretch of digits of the length that a kind has, to be judged by everything else."""

    kind: str
    text: str
    start: int
    end: int
    digits: str
    sources: str
    gaps: Sequence[str]
    grouping: Grouping
    listed: str
    """Kind of the value that it is listed after."""
    look_around: Callable[[], tuple[str, ...]]

    @cached_property
    def evidence(self) -> tuple[str, ...]:
        """What words nearby speak of, the nearest first; looked for only when it matters."""
        return self.look_around()

    @property
    def hidden(self) -> bool:
        return "*" in self.digits

    @property
    def spoken(self) -> bool:
        return self.sources.count("h") > 2

    @property
    def groups(self) -> tuple[int, ...]:
        """The lengths of the groups that it is written in."""
        cuts = [index for index, gap in enumerate(self.gaps) if gap and index]
        return tuple(end - start for start, end in pairwise([0, *cuts, len(self.digits)]))

    @property
    def of_a_bank(self) -> bool:
        return self.groups in _ACCOUNT_GROUPS

    @property
    def sought(self) -> str:
        return evidence_for(self.kind)

    @property
    def named(self) -> bool:
        """Whether a word nearby speaks of this kind, or spoke of it for the value before."""
        return self.listed == self.kind or self.sought in self.evidence

    @property
    def distance(self) -> int:
        """How many kinds the words nearby speak of rather than of this one."""
        if self.listed == self.kind or self.after_region:
            return 0
        return self.evidence.index(self.sought) if self.named else len(self.evidence) + 1

    @property
    def after_region(self) -> bool:
        """Whether it is a licence that begins with the name of a region, in the groups of one."""
        if self.kind != "driver_licence" or self.groups != _AFTER_REGION:
            return False
        return region_before(self.text, 0, self.start) is not None

    @property
    def named_otherwise(self) -> bool:
        """Whether a word nearby speaks of another kind, and none of this."""
        return bool(self.evidence) and not self.named

    @property
    def free(self) -> bool:
        """Whether it is no part of a longer code and, as a bare number, of a link or a decimal fraction."""
        before, after = self.text[max(0, self.start - 2) : self.start], self.text[self.end : self.end + 2]
        if self.grouping == "bare" and (_LINK_BEFORE.search(before) or _LINK_AFTER.match(after)):
            return False
        return not _LETTER.match(before[-1:]) and not _LETTER.match(after)

    @property
    def regular(self) -> bool:
        """Whether its groups are those of the kind, or every digit stands for itself."""
        return self.grouping != "split" or len(self.groups) == len(self.digits)

    @property
    def readable(self) -> bool:
        """Whether enough is shown to lead to a person, in digits rather than letters like them, and it is no table."""
        shown = len(self.digits) - self.digits.count("*")
        if self.end - self.start > 2 * len(self.digits) - 2 and len(set(self.digits)) <= 3:
            return False
        return shown >= 4 and shown - self.sources.count("l") >= 3

    @property
    def checksum(self) -> Checksum:
        check = _CHECKS.get(self.kind)
        if check is None or self.hidden:
            return "none"
        return "valid" if check(self.digits) else "failed"

    @property
    def writing(self) -> str:
        """The most telling thing about how it is written."""
        if self.hidden:
            return "half masked"
        if "l" in self.sources:
            return "disguised letters"
        if "h" in self.sources:
            return "spoken and figures" if "f" in self.sources else "spoken digits"
        return self.grouping


_CHECKS: dict[str, Callable[[str], bool]] = {
    "resident_number": checksums.resident,
    "foreigner_number": checksums.foreigner,
    "business_number": checksums.business,
    "card": checksums.luhn,
}


def _always(it: Candidate) -> bool:
    return True


def _abroad(it: Candidate) -> bool:
    return it.grouping != "bare" or not it.named_otherwise


def _landline(it: Candidate) -> bool:
    if it.grouping == "split":
        return it.named
    if it.grouping == "bare":
        return it.named or (it.free and not it.evidence)
    return True


def _registration(it: Candidate) -> bool:
    """A failed checksum clears nobody: since October 2020 the digits after the sex are random."""
    if "*" in it.digits[:7]:
        return it.named or (it.grouping == "grouped" and ("*" not in it.digits[:6] or "*" not in it.digits[6:]))
    if not checksums.is_birth_date(it.digits):
        return False
    return it.grouping == "grouped" or it.named or (it.regular and it.free and not it.named_otherwise)


def _card(it: Candidate) -> bool:
    if it.hidden:
        return it.grouping == "grouped" and (it.named or it.digits[0] != "*")
    if not checksums.luhn(it.digits):
        return it.named
    return it.named or (it.digits[0] in "2345679" and it.regular and it.free and not it.named_otherwise)


def _business(it: Candidate) -> bool:
    if it.named:
        return True
    if it.named_otherwise or not it.free:
        return False
    if it.grouping == "grouped":
        dashed = bool(it.gaps[3].strip() and it.gaps[5].strip())
        return dashed or (not it.hidden and checksums.business(it.digits))
    return it.grouping == "bare" and it.spoken and not it.hidden and checksums.business(it.digits)


def _licence(it: Candidate) -> bool:
    return it.named or (not it.named_otherwise and (it.grouping == "grouped" or (it.spoken and it.regular)))


def _licence_of_region(it: Candidate) -> bool:
    return it.grouping != "split" and region_before(it.text, 0, it.start) is not None


def _named(it: Candidate) -> bool:
    return it.named


_MOST_GROUPS = 5


def is_account(it: Candidate) -> bool:
    """Whether words nearby speak of an account, or dashes set apart the groups of some bank and no word objects."""
    groups = it.groups
    if _MOST_GROUPS < len(groups) < len(it.digits) - 1:
        return False
    if set(groups[1:]) == {3} and "," in "".join(it.gaps[1:]):
        return False
    return it.named or (it.of_a_bank and it.free and not it.evidence and all(gap.strip() for gap in it.gaps[1:] if gap))


class Shape(NamedTuple):
    """A kind of number: its digits in the groups that a careful writer sets apart, and what else must hold."""

    kind: str
    digits: re.Pattern[str]
    holds: Callable[[Candidate], bool]


def _shape(kind: str, digits: str, holds: Callable[[Candidate], bool]) -> Shape:
    """`D` in `digits` stands for one digit, shown or hidden."""
    return Shape(kind, re.compile(digits.replace("D", "[0-9*]")), holds)


_COUNTRY = "((?:00)?82)(0?)"
_AREA = "2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-9]"

SHAPES = (
    _shape("mobile", r"(01[016789])(D{4})(D{4})", _always),
    _shape("mobile", r"(01[16789]|010(?=\*))(D{3})(D{4})", _always),
    _shape("mobile", rf"{_COUNTRY}(1[016789])(D{{4}})(D{{4}})", _abroad),
    _shape("mobile", rf"{_COUNTRY}(1[16789])(D{{3}})(D{{4}})", _abroad),
    _shape("landline", rf"(0(?:{_AREA}))([1-9*]D{{3}})(D{{4}})", _landline),
    _shape("landline", rf"(0(?:{_AREA}))([1-9*]D{{2}})(D{{4}})", _landline),
    _shape("landline", rf"{_COUNTRY}({_AREA})([1-9*]D{{3}})(D{{4}})", _landline),
    _shape("landline", rf"{_COUNTRY}({_AREA})([1-9*]D{{2}})(D{{4}})", _landline),
    _shape("resident_number", r"(D{6})([1-4*]D{6})", _registration),
    _shape("foreigner_number", r"(D{6})([5-8]D{6})", _registration),
    _shape("resident_number", r"([0-9]{6})([1-4]\*{2,5})", _registration),
    _shape("foreigner_number", r"([0-9]{6})([5-8]\*{2,5})", _registration),
    _shape("card", r"(D{4})(D{4})(D{4})(D{4})", _card),
    _shape("card", r"(3[47]DD)(D{6})(D{5})", _card),
    _shape("card", r"(3[0689]DD)(D{6})(D{4})", _named),
    _shape("driver_licence", r"(1[1-9]|2[0-68])(DD)(D{6})(DD)", _licence),
    _shape("driver_licence", r"(DD)(D{6})(DD)", _licence_of_region),
    _shape("business_number", r"(DDD)(DD)(D{5})", _business),
)
"""In the order of how sure the shape alone makes the kind."""
