"""Whether a word is in a text as a word: with any josa, and not as a part of another."""

from __future__ import annotations

import re
from functools import lru_cache

_LETTER = "가-힣0-9A-Za-z"
_SUFFIX = "들|님|씨|네"
_PARTICLE = (
    "은|는|이|가|을|를|과|와|의|에|에서|에게|에게서|한테|한테서|께|께서|으로|로|서|써|도|만|뿐|까지|부터|조차|마저|처럼|같이|만큼|보다|"
    "마다|밖에|대로|커녕|이나|나|이나마|나마|이든|든|든지|이랑|랑|하고|이라도|라도|이라고|라고|이라는|라는|이란|란|이라면|라면|이야|야|"
    "야말로|아|이여|여|이시여|이며|며|이고|고|요"
)
_COPULA = (
    "이?다|입니다|입니까|이었[가-힣]*|였[가-힣]*|인|인데|인가|인지|일|임|이에요|예요|이?지|이?지만|이?니|이?니까|이?네|이?군|이?구나|"
    "이?거든|이?냐|이?랍니다|이?래|이?죠|이?면|이?라서|이?라|이?자|이?던|이?므로|이?어서|이?여서|이?었을|이?더라|이?겠[가-힣]*"
)
_VERB = (
    "(?:하|해|했|한|할|함|합|되|돼|됐|된|될|됨|됩|시키|시켰|시킨|당하|당했|당한|스럽|스러|스레|롭|로운|로이)[가-힣]*"
)


def mentions(text: str, word: str) -> bool:
    """Whether `word` stands in `text`: 비 in 비가, 비처럼 and 비였다, not in 비슷한 or 준비.

    It starts where no letter or syllable stands before it; a suffix of people (들, 님, 씨, 네), josa and a form of
    이다 may follow, or the verb or adjective that two syllables or more make (약속했다, 자유롭게). A compound
    (비바람, 밤비) is another word, and so is a verb in another form than `word`. `*` at either end of `word` stands
    for any letters: 고맙* is in 고맙습니다. What starts or ends in a character that is no letter, such as `#`, is
    found anywhere on that side.
    """
    return bool(_pattern(word).search(text))


@lru_cache(maxsize=1 << 12)
def _pattern(word: str) -> re.Pattern[str]:
    spelled = r"\s+".join(map(re.escape, word.strip("*").split()))
    before = rf"(?<![{_LETTER}])" if re.match(f"[{_LETTER}]", word) else ""
    verb = f"(?:{_VERB})?" if len(word) > 1 else ""
    after = rf"{verb}(?:{_SUFFIX})?(?:{_PARTICLE}){{0,3}}(?:{_COPULA})?(?![{_LETTER}])"
    return re.compile(before + spelled + (after if re.search(f"[{_LETTER}]$", word) else ""))
