"""BLEU against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops_cli.core.errors import MachineError
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement

if TYPE_CHECKING:
    import numpy as np
    from sacrebleu.metrics.bleu import BLEU

ABOUT = "n-grams of 1 to 4 tokens in common with the reference, 0 to 100; of a set, BLEU of the corpus"
FORMULA = "brevity penalty * geometric mean of the clipped precisions of 1- to 4-grams, of those orders that there are"
SOURCE = "Papineni et al. 2002; sacreBLEU (Post 2018)"
BETTER: Better = "higher"
NEEDS = ("reference",)
VARIANTS = ("char", "13a", "ko-mecab")
LOADS = {"ko-mecab": "a dictionary of morphemes"}


def start(call: Call) -> Measure:
    """Statistics are the lengths of output and reference, and of each order the n-grams in common and in the output.

    Raises:
        MachineError: the morphemes of ko-mecab are not installed.
    """
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
    from sacrebleu.tokenizers.tokenizer_ko_mecab import TokenizerKoMecab
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    caches = [each.__call__ for each in (TokenizerChar, Tokenizer13a, TokenizerRegexp, TokenizerKoMecab)]
    scorer = _scorer(call)

    def bleu(item: Item) -> Measurement:
        score = scorer.sentence_score(item.output, [item.reference or ""])
        for cache in caches:  # of 65,536 texts each
            cache.cache_clear()
        return Measurement(score.score, (score.sys_len, score.ref_len, *score.counts, *score.totals))

    return bleu


def pool(statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """BLEU of the corpus: from the sums of the statistics, [items, 10]."""
    import numpy as np
    from sacrebleu.metrics.bleu import BLEU

    sums = (counts @ statistics).astype(int).tolist()
    scores = [
        BLEU.compute_bleu(each[2:6], each[6:], each[0], each[1], smooth_method="exp", effective_order=True).score
        for each in sums
    ]
    return np.array(scores)


def signature(call: Call) -> str:
    """The signature of sacreBLEU."""
    scorer = _scorer(call)
    scorer.sentence_score("가", ["가"])  # sets the number of references, which the signature tells
    return str(scorer.get_signature())


def _scorer(call: Call) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    try:
        return BLEU(tokenize=call.variant, effective_order=True)
    except RuntimeError:
        raise MachineError("bleu[ko-mecab] needs mecab-ko", hint="pip install 'sacrebleu[ko]'") from None
