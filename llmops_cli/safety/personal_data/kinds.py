"""The kinds of personal data that are looked for, and what a find says."""

from __future__ import annotations

from typing import Literal, NamedTuple

Checksum = Literal["valid", "failed", "none"]

LABELS: dict[str, str] = {
    "resident_number": "[주민등록번호]",
    "foreigner_number": "[외국인등록번호]",
    "mobile": "[휴대전화]",
    "landline": "[전화번호]",
    "business_number": "[사업자번호]",
    "account": "[계좌번호]",
    "passport": "[여권번호]",
    "driver_licence": "[운전면허번호]",
    "card": "[카드번호]",
    "email": "[이메일]",
    "address": "[주소]",
}
KINDS: tuple[str, ...] = tuple(LABELS)

NOT_COVERED = (
    "Not covered: names of persons, dates of birth and ages on their own, nicknames and account names of services, "
    "addresses without a province or metropolitan city, account numbers that are neither in the groups of a bank nor "
    "within 20 characters of a word about a bank or a payment, numbers read as quantities (백이십삼), addresses "
    "spelled out in Hangul numerals, e-mail addresses spelled out in Hangul, vehicle, student and customer numbers, IP "
    "addresses, and anything in a picture. Toll-free (080) and representative numbers (1588-0000) are public and stay."
)


class Found(NamedTuple):
    """One value of personal data in a text: where it stands and why it was taken, never the value itself."""

    kind: str
    """One of :data:`KINDS`."""
    start: int
    """Offset of the first code point."""
    end: int
    """Offset after the last code point."""
    rule: str
    """The way of writing that matched: `grouped`, `bare`, `spoken digits`, `disguised letters`, `half masked`, …"""
    checksum: Checksum
    """`none` where the kind has no public check digit or digits are hidden."""
    context: str
    """Kind of the evidence word nearby (`phone` for both kinds of telephone), empty where there is none."""
