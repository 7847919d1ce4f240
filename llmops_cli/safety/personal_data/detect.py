"""Find personal data in a text."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_cli.safety.personal_data.address import find_addresses
from llmops_cli.safety.personal_data.evidence import stand_in, without_labels
from llmops_cli.safety.personal_data.kinds import Found
from llmops_cli.safety.personal_data.mail import find_mails
from llmops_cli.safety.personal_data.numbers import find_numbers
from llmops_cli.safety.personal_data.passport import find_passports
from llmops_cli.safety.personal_data.reading import fold


def find(text: str) -> list[Found]:
    """Every value of personal data in `text` (NFC), in order and without overlaps.

    Offsets are code points of `text` as it is, whatever disguise was read through. See `NOT_COVERED` for what is
    not looked for.
    """
    folded, places = fold(text)
    rest = without_labels(folded)
    everything = further = _find(rest)
    while further:
        # What a number right beside another hid comes to light when the other is masked: find it at once.
        rest = _masked(rest, further)
        further = _find(rest)
        everything = sorted(everything + further, key=_start) if further else everything
    if folded is text:
        return everything
    return [_unfolded(found, text, folded, places) for found in everything]


def _find(text: str) -> list[Found]:
    found = [*find_mails(text), *find_addresses(text), *find_passports(text)]
    if len(found) > 1:
        found = _without_overlaps(found)
    numbers = find_numbers(text, found)
    return sorted(found + numbers, key=_start) if numbers else found


def _masked(text: str, found: list[Found]) -> str:
    parts: list[str] = []
    done = 0
    for item in found:
        parts += (text[done : item.start], stand_in(item.kind, item.end - item.start))
        done = item.end
    return "".join(parts) + text[done:]


def _without_overlaps(found: list[Found]) -> list[Found]:
    """`found` in order, less what overlaps one that begins before it."""
    kept: list[Found] = []
    for item in sorted(found, key=_start):
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def _start(found: Found) -> int:
    return found.start


def _unfolded(found: Found, text: str, folded: str, places: Sequence[int] | None) -> Found:
    """`found` with its offsets in `text`, and the disguise in `text` named."""
    start, end = found.start, found.end
    if places is not None:
        start, end = places[start], places[end] if end < len(places) else len(text)
    written, read = text[start:end], folded[found.start : found.end]
    rule = "full-width"
    if written == read:
        rule = found.rule
    elif read.count("*") > written.count("*"):
        rule = "half masked"
    elif len(written) > len(read):
        rule = "invisible characters"
    return found._replace(start=start, end=end, rule=rule)
