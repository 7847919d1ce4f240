"""A story's two voices: who tells it, and those who speak in it."""

from __future__ import annotations

import re

from llmops_cli.text.sentences import QUOTED

_BEHIND_A_DASH = r"^[^\S\n]*[―—–][^\S\n]*(\S[^\n]*)"
_SPEECH = re.compile(f'“([^“”\n]*)”|「([^「」\n]*)」|『([^『』\n]*)』|"([^"\n]*)"|{_BEHIND_A_DASH}', re.M)
_NO_NARRATION = re.compile(f"{QUOTED.pattern}|{_BEHIND_A_DASH}", re.M)
_SAID = re.compile(r"[.!?…。！？~,—―-]$")

# 나는 and 나도 are verbs as well (소리가 나는, 화가 나도), 나와 is 나오다, 난 is 화가 난: they tell at the start only.
_ANYWHERE = "나를|나의|나에게|나한테|나뿐|나조차|나처럼|나보다|나야말로|내가|내게|저를|저에게|저한테|제가|제게"
_AT_THE_START = "나는|나도|나와|나만|난|내|저는|저도"
_I = re.compile(
    rf"(?<![가-힣0-9A-Za-z])(?:{_ANYWHERE})(?:[는도만서])?(?![가-힣])"
    rf"|(?:^|(?<=[.!?…,]))[^\S\n]*(?:{_AT_THE_START})(?=[\s,])",
    re.M,
)


def narration(text: str) -> str:
    """`text` without speech, thoughts and titles in quotation marks, and without lines behind a dash."""
    return _NO_NARRATION.sub(" ", text)


def speeches(text: str) -> list[str]:
    """What is spoken: quotations that end like a sentence or have a line of their own, and lines behind a dash.

    A quoted word (“사랑”이라는 말) is no speech, nor is a thought (‘…’) or a title (《…》).
    """
    return [
        said
        for found in _SPEECH.finditer(text)
        if (said := next(filter(None, found.groups()), "").strip())
        and (_SAID.search(said) or found[5] or _alone(text, found))
    ]


def _alone(text: str, found: re.Match[str]) -> bool:
    line_start = text.rfind("\n", 0, found.start()) + 1
    return not text[line_start : found.start()].strip() and text[found.end() : found.end() + 1] in ("", "\n")


def first_person(text: str) -> list[str]:
    """Each 나, 내 or 저 with which the narrator of `text` speaks of themselves."""
    return [found.strip() for found in _I.findall(narration(text))]
