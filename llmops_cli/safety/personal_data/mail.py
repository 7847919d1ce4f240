"""E-mail addresses, plain and as people write them to hide them from programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_cli.safety.personal_data.evidence import REACH, after_stand_ins
from llmops_cli.safety.personal_data.kinds import Found
from llmops_cli.safety.personal_data.reading import MASKS

_AT = re.compile(
    r"@|골뱅이|[(\[{<][ \t]?(?:@|[aA][tT]?|골뱅이|앳)[ \t]?[)\]}>]|(?<=[ \t])(?:(?P<word>[aA][tT])|앳)(?=[ \t])"
)
_SPACE_BEFORE = re.compile(r"(?:[ \t]{0,2}|[ \t]?\n[ \t]?)$")
_SPACE = re.compile(r"[ \t]?\n[ \t]?|[ \t]{0,2}")
_MASKS = re.escape(f"{MASKS}?·…")
_LOCAL = re.compile(
    r"(?<![A-Za-z0-9._%+*@-])(?:[A-Za-z0-9_-]{1,20}(?:[ \t]dot[ \t]|\(dot\)|\[dot\]|[ \t]?점[ \t]?)){0,2}"
    rf"[A-Za-z0-9{_MASKS}](?:[A-Za-z0-9._%+{_MASKS}-]{{0,62}}[A-Za-z0-9{_MASKS}_-])?$"
)
_LOCAL_REACH = 65
_SPELLED_DOT = r"[ \t]?(?:점|닷|쩜)[ \t]?|[ \t]dot[ \t]|[ \t]?[(\[{<][ \t]?(?:dot|점|닷|\.)[ \t]?[)\]}>][ \t]?"
_TOP = r"(?:com|net|org|io|ai|me|edu|gov|info|biz|dev|app|kr|co|go|ac|or|re|ne|pe|jp|cn|us|uk|컴|넷|오알지|케이알)"
_PROVIDER = (
    r"(?:네이버|지메일|쥐메일|한메일|다음|네이트|카카오|핫메일|아웃룩|야후|구글"
    r"|gmail|naver|hanmail|daum|nate|kakao|hotmail|outlook|yahoo|icloud)"
)
_PLAIN_DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9{_MASKS}](?:[A-Za-z0-9{_MASKS}-]{{0,61}}[A-Za-z0-9{_MASKS}])?\.){{1,4}}"
    r"(?!(?:png|jpe?g|gif|svg|webp|css|js|py|html?)(?![A-Za-z]))[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_SPELLED_DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9-]{{1,40}}+|{_PROVIDER})"
    rf"(?:(?:{_SPELLED_DOT}|\.)[A-Za-z0-9-]{{1,40}}+){{0,2}}?(?:(?:{_SPELLED_DOT}|[ \t]?\.[ \t]?){_TOP}(?![A-Za-z]))+",
    re.IGNORECASE,
)
_PROVIDER_ALONE = re.compile(rf"{_PROVIDER}(?![A-Za-z0-9.])", re.IGNORECASE)
_DOT_IN_WORDS = re.compile(r"[점닷쩜(\[{<]|dot", re.IGNORECASE)
_MAIL = re.compile(r"메일|mail|연락|주소", re.IGNORECASE)
_KNOWN_TOP = re.compile(rf"\.{_TOP}$", re.IGNORECASE)
_MASKED = re.compile(f"[{_MASKS}]")
_ENGLISH_BEFORE = re.compile(r"[A-Za-z,.][ \t]+$")
_HANGUL = re.compile("[가-힣]")
_ENGLISH_WORDS = {"look", "me", "us", "it", "is", "here", "more", "up", "login", "visit", "search", "work", "order"}


def find_mails(text: str) -> Iterator[Found]:
    """E-mail addresses in folded `text`."""
    done = 0
    for sign in _AT.finditer(text):
        start, end = sign.span()
        if space := _SPACE_BEFORE.search(text, max(done, start - 2), start):
            start = space.start()
        if space := _SPACE.match(text, end):
            end = space.end()
        local = _LOCAL.search(text, max(done, start - _LOCAL_REACH), start)
        if not local:
            continue
        low = after_stand_ins(text, max(done, local.start() - REACH), local.start())
        named = _MAIL.search(text, low, local.start()) is not None
        spaced = end - start > len(sign[0])
        plain, spelled = _PLAIN_DOMAIN.match(text, end), _SPELLED_DOMAIN.match(text, end)
        if spaced and plain and not _KNOWN_TOP.search(plain[0]):
            plain = None
        domain = max((it for it in (plain, spelled) if it), key=lambda it: it.end(), default=None)
        if domain is None and not sign["word"]:
            domain = _PROVIDER_ALONE.match(text, end)
        if domain is None or (sign["word"] and not named and not _is_written_out(text, local, domain)):
            continue
        rule = "written out"
        if _MASKED.search(local[0] + domain[0]):
            rule = "half masked"
        elif sign[0] == "@" and domain is plain:
            rule = "spaced" if spaced else "plain"
        done = domain.end()
        yield Found("email", local.start(), done, rule, "none", "email" if named else "")


def _is_written_out(text: str, local: re.Match[str], domain: re.Match[str]) -> bool:
    """Whether ` at ` between two words is the sign: `hong at naver dot com`, but not `look at naver.com`."""
    if _DOT_IN_WORDS.search(domain[0]) or re.search(r"[0-9._]", local[0]):
        return True
    if local[0].lower() in _ENGLISH_WORDS or _ENGLISH_BEFORE.search(text, max(0, local.start() - 3), local.start()):
        return False
    provider = _PROVIDER_ALONE.match(domain[0].partition(".")[0])
    return provider is not None or _HANGUL.match(text, domain.end()) is not None
