"""Ways in which a Korean text is broken: loops, lost order, foreign script, a missing end, debris, lost characters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from .intrusions import DEBRIS, FOREIGN_CHARACTERS, FOREIGN_SENTENCES, FOREIGN_WORDS

Break = Callable[[str, random.Random], str | None]
"""Gives the broken text, None for a text that has no place for the damage."""

_SENTENCE = re.compile(r"\S[^\n]*?(?:[.!?…]+[”’\"']?(?=\s)|(?=\n)|$)")
_JOSA = re.compile(r"(?<=[가-힣]{2})(?:에서|으로|에게|까지|부터|을|를|은|는|이|가|의|에|와|과)$")
_STOPPED = re.compile(r"[.!?…,~”’\"')\]」』]$")


class Damage(NamedTuple):
    """A broken text: the kind, how it was broken, and where it first differs from the whole one."""

    kind: str
    way: str
    text: str
    start: int


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends, by stops and line breaks; quotation marks are not looked at."""
    return [found.span() for found in _SENTENCE.finditer(text)]


def _long_enough(text: str, least: int = 8) -> list[tuple[int, int]]:
    return [(start, end) for start, end in sentences(text) if end - start >= least]


def _insert(text: str, at: int, added: str) -> str:
    return text[:at] + added + text[at:]


def _repeat_sentences(text: str, rng: random.Random, count: int, times: int, at_end: bool) -> str | None:
    spans = _long_enough(text)
    if len(spans) < count:
        return None
    first = len(spans) - count if at_end else rng.randrange(len(spans) - count + 1)
    start, end = spans[first][0], spans[first + count - 1][1]
    return text[:end] + (" " + text[start:end]) * (times - 1) + text[end:]


def _loop_to_the_end(text: str, rng: random.Random, share: float) -> str | None:
    spans = _long_enough(text)
    if len(spans) < 4:
        return None
    start, end = spans[max(1, int(share * len(spans))) - 1]
    wanted = max(len(text), end + 4 * (end - start))
    loop = text[:end] + (" " + text[start:end]) * (1 + (wanted - end) // (end - start))
    return loop[: wanted - rng.randrange(3)]


def _repeat_words(text: str, rng: random.Random, count: int, times: int) -> str | None:
    words = list(re.finditer(r"\S+", text))
    if len(words) < count + 3:
        return None
    first = rng.randrange(1, len(words) - count)
    start, end = words[first].start(), words[first + count - 1].end()
    return text[:end] + (" " + text[start:end]) * (times - 1) + text[end:]


def _repeat_character(text: str, rng: random.Random, times: int) -> str | None:
    places = [found.end() for found in re.finditer(r"[가-힣]", text)]
    if not places:
        return None
    at = rng.choice(places)
    return _insert(text, at, text[at - 1] * times)


def _repeat_paragraph(text: str, rng: random.Random, times: int) -> str | None:
    spans = [found.span() for found in re.finditer(r"[^\n]{30,}", text)]
    if not spans:
        return None
    start, end = rng.choice(spans)
    return text[:end] + ("\n" + text[start:end]) * (times - 1) + text[end:]


def _near_loop(text: str, rng: random.Random, times: int) -> str | None:
    spans = [span for span in _long_enough(text, 20) if len(text[slice(*span)].split()) >= 5]
    if not spans:
        return None
    start, end = rng.choice(spans)
    copies = []
    pool = text.split()
    for _ in range(times - 1):
        words = text[start:end].split()
        words[rng.randrange(len(words) - 1)] = rng.choice(pool)
        copies.append(" " + " ".join(words))
    return text[:end] + "".join(copies) + text[end:]


def _shuffled(items: list[str], rng: random.Random) -> list[str]:
    mixed = items[:]
    rng.shuffle(mixed)
    return mixed


def _words_of_the_text(text: str, rng: random.Random) -> str | None:
    words = text.split()
    return " ".join(_shuffled(words, rng)) if len(words) > 2 else None


def _words_of_each_line(text: str, rng: random.Random) -> str:
    return "\n".join(" ".join(_shuffled(line.split(), rng)) for line in text.split("\n"))


def _words_of_each_sentence(text: str, rng: random.Random) -> str:
    return _SENTENCE.sub(lambda found: " ".join(_shuffled(found.group().split(), rng)), text)


def _words_of_a_part(text: str, rng: random.Random, share: float) -> str | None:
    words = list(re.finditer(r"\S+", text))
    count = int(share * len(words))
    if count < 3:
        return None
    first = rng.randrange(len(words) - count + 1)
    start, end = words[first].start(), words[first + count - 1].end()
    return text[:start] + " ".join(_shuffled(text[start:end].split(), rng)) + text[end:]


def _backwards(text: str, rng: random.Random) -> str | None:
    words = text.split()
    return " ".join(reversed(words)) if len(words) > 2 else None


def _chunks(text: str, rng: random.Random, size: int) -> str | None:
    words = text.split()
    chunks = [" ".join(words[at : at + size]) for at in range(0, len(words), size)]
    return " ".join(_shuffled(chunks, rng)) if len(chunks) > 2 else None


def _letters_of_each_word(text: str, rng: random.Random) -> str:
    return re.sub(r"[가-힣]{2,}", lambda found: "".join(_shuffled(list(found.group()), rng)), text)


def _sentences(text: str, rng: random.Random) -> str | None:
    spans = sentences(text)
    return " ".join(_shuffled([text[slice(*span)] for span in spans], rng)) if len(spans) > 2 else None


def _sentences_in_place(text: str, rng: random.Random) -> str | None:
    spans = sentences(text)
    if len(spans) < 3:
        return None
    mixed = iter(_shuffled([text[slice(*span)] for span in spans], rng))
    return _SENTENCE.sub(lambda found: next(mixed), text)


def _paragraphs(text: str, rng: random.Random) -> str | None:
    found = [line for line in text.split("\n") if line.strip()]
    return "\n".join(_shuffled(found, rng)) if len(found) > 2 else None


def _foreign_sentences(text: str, rng: random.Random, script: str, count: int) -> str | None:
    for _ in range(count):
        start = rng.choice([span[0] for span in sentences(text)] or [0])
        text = _insert(text, start, rng.choice(FOREIGN_SENTENCES[script]) + " ")
    return text


def _foreign_words(text: str, rng: random.Random, script: str, count: int) -> str | None:
    words = list(re.finditer(r"[가-힣]{2,}", text))
    if len(words) < count:
        return None
    for found in sorted(rng.sample(words, count), key=lambda found: -found.start()):
        text = text[: found.start()] + rng.choice(FOREIGN_WORDS[script]) + text[found.start() + 2 :]
    return text


def _characters(text: str, rng: random.Random, drawn: str, share: float, instead: bool = True) -> str | None:
    places = [found.start() for found in re.finditer("[가-힣]", text)]
    if not places:
        return None
    for at in sorted(rng.sample(places, max(1, int(share * len(places)))), reverse=True):
        text = text[:at] + rng.choice(drawn) + text[at + instead :]
    return text


def _cut(text: str, rng: random.Random, fits: Callable[[str, int], bool], lowest: float = 0.3) -> str | None:
    text = text.rstrip()
    places = [at for at in range(max(2, int(lowest * len(text))), int(0.96 * len(text))) if fits(text, at)]
    return text[: rng.choice(places)] if places else None


def _in_a_word(text: str, at: int) -> bool:
    return "가" <= text[at - 1] <= "힣" and "가" <= text[at] <= "힣" and text[at - 2] not in "\n"


def _after_a_word(text: str, at: int) -> bool:
    return text[at] == " " and "가" <= text[at - 1] <= "힣" and not _STOPPED.search(text[:at])


def _after_a_josa(text: str, at: int) -> bool:
    return text[at] == " " and bool(_JOSA.search(text[max(0, at - 6) : at]))


def _in_a_quotation(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return text[at] == " " and line.rfind("“") > line.rfind("”")


def _debris(text: str, rng: random.Random, sort: str, at_end: bool = False) -> str:
    if at_end:
        return text.rstrip() + " " + rng.choice(DEBRIS[sort])
    at = rng.choice([span[0] for span in sentences(text)] or [0])
    return _insert(text, at, rng.choice(DEBRIS[sort]) + " ")


def _misread(text: str, rng: random.Random, written: str, read: str) -> str | None:
    spans = _long_enough(text, 12)
    if not spans:
        return None
    start, end = rng.choice(spans)
    misread = text[start:end].encode(written, "ignore").decode(read, "replace")
    return text[:start] + misread.replace("\n", " ") + text[end:]


WAYS: dict[str, dict[str, Break]] = {
    "repetition": {
        **{
            f"{count} sentence{'s' * (count > 1)} x{times}{' at the end' * at_end}": partial(
                _repeat_sentences, count=count, times=times, at_end=at_end
            )
            for count, times in ((1, 3), (1, 5), (1, 20), (2, 3), (2, 8), (4, 3), (4, 6))
            for at_end in (False, True)
        },
        **{f"loop from {share:.0%}": partial(_loop_to_the_end, share=share) for share in (0.1, 0.5, 0.9)},
        **{
            f"{count} words x{times}": partial(_repeat_words, count=count, times=times)
            for count, times in ((1, 6), (1, 40), (2, 6), (3, 5), (3, 30), (6, 4), (6, 15))
        },
        **{f"character x{times}": partial(_repeat_character, times=times) for times in (12, 40, 200)},
        **{f"paragraph x{times}": partial(_repeat_paragraph, times=times) for times in (2, 3, 6)},
        **{f"near loop x{times}": partial(_near_loop, times=times) for times in (4, 12)},
    },
    "shuffling": {
        "words": _words_of_the_text,
        "words of each line": _words_of_each_line,
        "words of each sentence": _words_of_each_sentence,
        "words of two thirds": partial(_words_of_a_part, share=2 / 3),
        "words of a third": partial(_words_of_a_part, share=1 / 3),
        "words backwards": _backwards,
        "pairs of words": partial(_chunks, size=2),
        "threes of words": partial(_chunks, size=3),
        "letters of each word": _letters_of_each_word,
    },
    "shuffled sentences": {
        "in one line": _sentences,
        "in place": _sentences_in_place,
        "paragraphs": _paragraphs,
    },
    "foreign script": {
        **{f"{script} sentence": partial(_foreign_sentences, script=script, count=1) for script in FOREIGN_SENTENCES},
        **{
            f"3 {script} sentences": partial(_foreign_sentences, script=script, count=3) for script in FOREIGN_SENTENCES
        },
        **{
            f"{count} {script} words": partial(_foreign_words, script=script, count=count)
            for script in FOREIGN_WORDS
            for count in (1, 5)
        },
        **{
            f"{script} characters {share:.0%}{' added' * (not instead)}": partial(
                _characters, drawn=drawn, share=share, instead=instead
            )
            for script, drawn in FOREIGN_CHARACTERS.items()
            for share, instead in ((0.01, True), (0.03, False), (0.1, True), (0.3, False))
        },
    },
    "truncation": {
        "in a word": partial(_cut, fits=_in_a_word),
        "in a word, late": partial(_cut, fits=_in_a_word, lowest=0.8),
        "after a word": partial(_cut, fits=_after_a_word),
        "after a josa": partial(_cut, fits=_after_a_josa),
        "in a quotation": partial(_cut, fits=_in_a_quotation),
    },
    "debris": {
        **{sort: partial(_debris, sort=sort) for sort in DEBRIS},
        **{f"{sort} at the end": partial(_debris, sort=sort, at_end=True) for sort in DEBRIS},
    },
    "broken characters": {
        "U+FFFD 1%": partial(_characters, drawn="\ufffd", share=0.01),
        "U+FFFD 10%": partial(_characters, drawn="\ufffd", share=0.1),
        "control characters": partial(_characters, drawn="\x00\x07\x1b", share=0.01, instead=False),
        "private use": partial(_characters, drawn="\ue000\uf8ff\ue123", share=0.02),
        "UTF-8 as Latin-1": partial(_misread, written="utf-8", read="latin-1"),
        "UTF-8 as CP949": partial(_misread, written="utf-8", read="cp949"),
        "CP949 as Latin-1": partial(_misread, written="cp949", read="latin-1"),
    },
}
"""kind -> way -> what breaks a text in that way."""


def damaged(text: str, rng: random.Random, kinds: tuple[str, ...] = tuple(WAYS)) -> Iterator[Damage]:
    """A copy of `text` for each way of breaking it that `text` has a place for."""
    for kind in kinds:
        for way, break_ in WAYS[kind].items():
            broken = break_(text, rng)
            if broken is not None and broken != text:
                same = zip(text, broken, strict=False)
                start = next(
                    (at for at, (left, right) in enumerate(same) if left != right), min(len(text), len(broken))
                )
                yield Damage(kind, way, broken, start)
