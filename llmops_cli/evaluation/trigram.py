"""A character trigram model: the baseline that any language model has to beat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

END = "\x03"
START = "\x02\x02"
HANGUL_SYLLABLES = 11_172


class CharacterTrigram:
    """Character trigrams with Witten-Bell interpolation down to a uniform distribution.

    P(c | h) = (n(hc) + T(h) P(c | h')) / (n(h) + T(h)), where T(h) counts the distinct characters seen after h and h'
    is h without its oldest character (Witten and Bell 1991; Jelinek's interpolated form). The last level is uniform
    over the Hangul syllables and every other character that was seen, plus one for all the rest.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: list[Counter[str]] = [Counter(), Counter(), Counter()]
        self._totals: list[Counter[str]] = [Counter(), Counter(), Counter()]
        self._kinds: list[Counter[str]] = [Counter(), Counter(), Counter()]
        seen: set[str] = set()
        for text in texts:
            padded = START + text + END
            seen.update(padded)
            for index in range(2, len(padded)):
                for order in range(3):
                    gram = padded[index - order : index + 1]
                    if not self._counts[order][gram]:
                        self._kinds[order][gram[:-1]] += 1
                    self._counts[order][gram] += 1
                    self._totals[order][gram[:-1]] += 1
        others = sum(not "가" <= character <= "힣" for character in seen)
        self._uniform = 1 / (HANGUL_SYLLABLES + others + 1)

    def nats(self, text: str) -> float:
        """Negative log-likelihood of a text and its end."""
        padded = START + text + END
        places = range(2, len(padded))
        return -sum(math.log(self.probability(padded[at - 2 : at], padded[at])) for at in places)

    def probability(self, history: str, character: str) -> float:
        """P(character | the two characters before it); a beginning has START before it."""
        probability = self._uniform
        for order in range(3):
            before = history[len(history) - order :]
            kinds = self._kinds[order][before]
            if kinds:
                count, total = self._counts[order][before + character], self._totals[order][before]
                probability = (count + kinds * probability) / (total + kinds)
        return probability
