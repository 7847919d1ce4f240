"""How likely a model finds given text, record by record, computed where the cache lacks it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sized
from itertools import chain, tee

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import GateFailed
from llmops_cli.evaluation.cache import Cache
from llmops_cli.evaluation.metrics import Likelihood
from llmops_cli.evaluation.subject import Subject
from llmops_cli.inference.scoring import scores
from llmops_cli.prompts.encode import Encoded


def score_missing(records: Iterable[Encoded], subject: Subject, label: str, cache: Cache, reporter: Reporter) -> None:
    """Score the records that the cache lacks; each is kept as soon as it is there. `label` names the model.

    Raises:
        InputError: the weights do not load.
        MachineError: the engine has no logprobs.
        GateFailed: a loss is no number.
    """
    missing = (record for record in records if _key(record, subject, cache) not in cache)
    first = next(missing, None)
    if first is None:
        return
    engine = subject.engine
    ahead, behind = tee(chain([first], missing))
    with reporter.progress(f"scoring {label}", len(records) if isinstance(records, Sized) else None) as bar:
        for record, found in zip(behind, scores(engine, ahead, bar), strict=True):
            if not math.isfinite(found.nats):
                what = f"the loss of the {label} is {found.nats}: its weights are broken"
                raise GateFailed(what, where=subject.choice.source.name)
            cache.put(_key(record, subject, cache), found.nats)


def likelihood_of(record: Encoded, subject: Subject, cache: Cache) -> Likelihood:
    """What :func:`score_missing` has kept."""
    return Likelihood(cache.get(_key(record, subject, cache)), record.labelled, record.characters)


def _key(record: Encoded, subject: Subject, cache: Cache) -> str:
    return subject.key(cache, ids=record.ids, labels=record.labels)
