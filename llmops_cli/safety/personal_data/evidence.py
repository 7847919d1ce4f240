"""Words near a number that say what it is."""

from __future__ import annotations

import re

from llmops_cli.safety.personal_data.kinds import LABELS, Found

REACH = 20
"""How far from a number such a word may stand, in characters."""

_WORDS = re.compile(
    r"(?P<foreigner_number>외국인\s?(?:등록)?\s?(?:번호|증))"
    r"|(?P<resident_number>주민\s?(?:등록)?\s?(?:번호|증)|주민\s?번|주민등록|민증|주번)"
    r"|(?P<other>ISBN|ISSN|바코드|법인\s?(?:등록)?\s?번호|특허|출원|운송장|송장|일련\s?번호|주문\s?번호|학번|사번)"
    r"|(?P<business_number>사업자|사업장\s?번호|세금\s?계산서|과세자|공급(?:받는)?자|업태|업종|개업)"
    r"|(?P<account>계좌|통장|입금|송금|예금주?|이체|은행|뱅크|카뱅|농협|신협|수협|새마을금고|우체국|신한|케이뱅|토스|급여|보내"
    r"|환불|납부|회비|월세)"
    r"|(?P<passport>여권|(?i:passport))"
    r"|(?P<driver_licence>면허)"
    r"|(?P<card>카드|유효\s?기간|(?i:card|cvc|visa|amex)|결제)"
    r"|(?P<phone>전화|휴대폰|핸드폰|폰\s?번호|연락|팩스|(?<!방)문자|카톡|통화|(?i:tel|fax|phone|mobile|h\.?p))"
)
# Names of banks that are everyday words too: only right before the number.
_BANK_BEFORE = re.compile(
    r"(?:국민|우리|하나|기업|씨티|제일|산업|부산|대구|경남|광주|전북|제주|카카오|케이|KB|IBK|NH|SC|iM)[\s:：)\]]{0,3}$"
)
_STAND_INS = {kind: chr(0xE000 + number) for number, kind in enumerate(LABELS)}
_KINDS = {sign: kind for kind, sign in _STAND_INS.items()}
_KIND_OF_LABEL = {label: kind for kind, label in LABELS.items()}
_LABEL = re.compile("|".join(map(re.escape, LABELS.values())))
_STAND_IN = re.compile(f"[{''.join(_KINDS)}]+")
_JOINT = r"[\s,·/&+]*(?:(?:이랑|랑|과|와|이나|나|및|또는|하고|그리고|이고|고)[\s,]*)?"
_LISTED = re.compile(rf"([{''.join(_KINDS)}]){_JOINT}$")
_JOINED = re.compile(_JOINT)


def evidence_for(kind: str) -> str:
    """What words that speak of `kind` are called in the result of `around`."""
    return "phone" if kind in ("mobile", "landline") else kind


def stand_in(kind: str, length: int) -> str:
    """What marks a known value of `kind`, in `length` characters for private use, so that offsets stay."""
    return _STAND_INS[kind] * length


def without_labels(text: str) -> str:
    """`text` with every label as a stand-in: words in labels are no evidence, and syllables in them no digits."""
    return _LABEL.sub(lambda label: stand_in(_KIND_OF_LABEL[label[0]], len(label[0])), text)


def after_stand_ins(text: str, start: int, end: int) -> int:
    """Where the last stand-in of `text[start:end]` ends, `start` if there is none."""
    for known in _STAND_IN.finditer(text, start, end):
        start = known.end()
    return start


def listed_kind(text: str, low: int, start: int, last: Found | None) -> str:
    """Kind of the value after which the number at `start` is only listed (계좌 A, B), so that what names A names B.

    That is `last`, found before this number, or a stand-in, which begins at `low` at the earliest; empty if none.
    """
    if last and start - last.end <= REACH and _JOINED.fullmatch(text, last.end, start):
        return last.kind
    listed = _LISTED.search(text, max(low, start - REACH), start)
    return _KINDS[listed[1]] if listed else ""


def around(text: str, start: int, end: int, after: int, before: int) -> tuple[str, ...]:
    """Kinds that words near `text[start:end]` speak of, the nearest first; `other`, a number of no person, ends it.

    The look goes no further back than `after` and no further on than `before`, where other numbers stand, nor past
    a stand-in: so the words that belong to those are not taken for this one.
    """
    low = max(after, start - REACH)
    distances: dict[str, int] = {}
    low = after_stand_ins(text, low, start)
    if _BANK_BEFORE.search(text, low, start):
        distances["account"] = 0
    for word in _WORDS.finditer(text, low, start):
        _note(distances, word.lastgroup, start - word.end())
    high = min(before, end + REACH)
    if known := _STAND_IN.search(text, end, high):
        high = known.start()
    for word in _WORDS.finditer(text, end, high):
        _note(distances, word.lastgroup, word.start() - end + REACH)
    kinds = sorted(distances, key=distances.__getitem__)
    return tuple(kinds[: kinds.index("other") + 1] if "other" in kinds else kinds)


def _note(distances: dict[str, int], kind: str | None, distance: int) -> None:
    if kind is not None:
        distances[kind] = min(distance, distances.get(kind, distance))
