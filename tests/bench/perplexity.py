"""Perplexity of ours beside lm-evaluation-harness: the same model, texts and windows, fp32 on the CPU.

lm-evaluation-harness (`HFLM.loglikelihood_rolling`) has the batch size that is best for it. A rate is tokens predicted
over seconds from the texts to the sum, tokenization included, and both must find the same perplexity.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.decode import _engine, _model
from tests.bench.pairs import compare

STORIES, CONVERSATIONS = "data/heldout/VL_novel", "data/heldout/daily_json/friends_talk"
CHARACTERS = 5000
"""Of each kind of text, at most: a pass over them takes half a minute on two cores."""
WINDOW = 1024
"""Tokens of a longer text that are predicted together; the last window of a text reaches back as far."""
BATCH_SIZES = (1, 2, 4, 8)


def run() -> None:
    """Takes about fifteen minutes; `LLMOPS_BENCH_MODEL` names a folder to use instead of writing 1 GB."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(os.environ.get("LLMOPS_BENCH_MODEL") or _model(Path(folder) / "model"))
        engine, peer = _engine(model, "fp32"), _peer(model)
        for kind, texts in (("one story", ["\n".join(_texts(STORIES))]), ("conversations", _texts(CONVERSATIONS))):
            ours = partial(_ours, engine, peer.prefix_token_id, texts)
            theirs = {size: partial(_theirs, peer, size, texts) for size in BATCH_SIZES}
            best = max(BATCH_SIZES, key=lambda size: _rate(theirs[size]))
            compare(
                f"perplexity of {kind}, tokens/s, over lm-evaluation-harness with batches of {best}",
                ">= 1",
                partial(_rate, ours),
                partial(_rate, theirs[best]),
            )
            (nats, tokens), (their_nats, _) = ours(), theirs[best]()
            print(f"  perplexity {math.exp(nats / tokens):.6g} and {math.exp(their_nats / tokens):.6g}")
            if not math.isclose(nats, their_nats, rel_tol=1e-5):
                raise RuntimeError(f"two perplexities of one model: {nats} and {their_nats} nats")


def _texts(source: str) -> list[str]:
    from llmops_cli.data.config import ReadOptions
    from llmops_cli.data.reading import read_records

    texts, characters = list[str](), 0
    for record in read_records([source], ReadOptions()):
        text = "\n".join(message.content for message in record.messages)[: CHARACTERS - characters]
        characters += len(text)
        texts += [text] if text else []
    return texts


def _peer(model: Path) -> Any:
    from lm_eval.models.huggingface import HFLM

    return HFLM(str(model), dtype="float32", device="cpu", max_length=WINDOW)


def _rate(side: Callable[[], tuple[float, int]]) -> float:
    started = time.perf_counter()
    _, tokens = side()
    return tokens / (time.perf_counter() - started)


def _theirs(peer: Any, batch_size: int, texts: Sequence[str]) -> tuple[float, int]:
    """Summed nats, and tokens they are of."""
    from lm_eval.api.instance import Instance

    peer.batch_size_per_gpu = batch_size
    requests = [Instance("loglikelihood_rolling", {}, (text,), place) for place, text in enumerate(texts)]
    with contextlib.redirect_stderr(io.StringIO()):  # a bar for each batch
        found = peer.loglikelihood_rolling(requests, disable_tqdm=True)
    return -math.fsum(found), sum(len(peer.tok_encode(text)) for text in texts)


def _ours(engine: Any, prefix: int, texts: Sequence[str]) -> tuple[float, int]:
    """As :func:`_theirs`."""
    from llmops_cli.core.console import SilentReporter
    from llmops_cli.inference.scoring import score

    with SilentReporter().progress("", None) as bar:
        records = [window for text in texts for window in _windows(engine.tokenizer.encode(text), prefix)]
        found = score(engine, records, bar)
    return found.nats, found.tokens


def _windows(ids: Sequence[int], prefix: int) -> Iterator[Any]:
    """Those of lm-evaluation-harness: what is predicted once has no label again."""
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    from llmops_cli.prompts.encode import IGNORED, Encoded

    for window in get_rolling_token_windows(list(ids), prefix, WINDOW, context_len=1):
        given, predicted = make_disjoint_window(window)
        yield Encoded([*given, *predicted], [*[IGNORED] * len(given), *predicted], characters=0)
