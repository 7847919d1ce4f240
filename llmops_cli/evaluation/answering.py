"""The answers of a model to a suite: what the cache lacks is generated, then all are read from it in order."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import MachineError
from llmops_cli.evaluation.cache import Cache
from llmops_cli.evaluation.calling import Metric
from llmops_cli.evaluation.config import SuiteItem
from llmops_cli.evaluation.likelihood import likelihood_of
from llmops_cli.evaluation.metrics import Item, Timing
from llmops_cli.evaluation.subject import Subject
from llmops_cli.evaluation.suites import Suite
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Event, Request, complete_all
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import Encoded, encode_conversation
from llmops_cli.prompts.template import Turn
from llmops_cli.text.normalize import nfc


@dataclass(frozen=True)
class SuiteRun:
    """A suite as it is run: its first `items` items, answered with `settings`, measured by `metrics`."""

    suite: Suite
    items: int
    settings: GenerationConfig
    metrics: Sequence[Metric]

    @property
    def answers(self) -> int:
        """How many there are."""
        return self.items * self.suite.config.samples

    @property
    def scores_references(self) -> bool:
        """Whether a metric wants to know how likely the model finds the references."""
        return any("likelihood" in metric.needs for metric in self.metrics)

    def prompts(self) -> Iterator[Prompt]:
        """One for each answer, in order."""
        for item in islice(self.suite.items(), self.items):
            turns = turns_of(item, self.suite)
            for sample in range(1, self.suite.config.samples + 1):
                name = item.id if sample == 1 else f"{item.id}#{sample}"
                seed = answer_seed(self.settings.seed, name)
                yield Prompt(name, item, Request(self.settings.model_copy(update={"seed": seed}), turns))


@dataclass(frozen=True)
class Prompt:
    """What asks for one answer; its id is the item's, with `#2` behind it for a second sample."""

    id: str
    item: SuiteItem
    request: Request

    def key(self, subject: Subject, cache: Cache) -> str:
        """Of the answer, in the cache."""
        return subject.key(cache, turns=self.request.turns, settings=self.request.settings.model_dump())


def turns_of(item: SuiteItem, suite: Suite) -> list[Turn]:
    """The conversation that asks for an answer; the item's system prompt goes before the suite's."""
    system = suite.config.system if item.system is None else item.system
    opening: list[Turn] = [{"role": "system", "content": nfc(system)}] if system else []
    return [*opening, {"role": "user", "content": item.prompt}]


def answer_seed(seed: int, name: str) -> int:
    """The seed of one answer, of 31 bits: an item keeps it whatever else is in the suite."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{name}".encode()).digest()[:4]) >> 1


def generate_missing(run: SuiteRun, subject: Subject, cache: Cache, at_once: int, reporter: Reporter) -> None:
    """Generate the answers that the cache lacks, `at_once` of them together; each is kept as soon as it is there.

    Raises:
        InputError: the weights do not load.
        MachineError: a server gave up; how many answers are kept.
        GateFailed: the model gives nan.
    """
    done = sum(prompt.key(subject, cache) in cache for prompt in run.prompts())
    if done == run.answers:
        return
    asked: dict[int, str] = {}
    tokens, started = 0, time.monotonic()

    def requests() -> Iterator[Request]:
        missing = ((key, prompt) for prompt in run.prompts() if (key := prompt.key(subject, cache)) not in cache)
        for place, (key, prompt) in enumerate(missing):
            asked[place] = key
            yield prompt.request

    def show(event: Event) -> None:
        nonlocal tokens
        tokens += len(event.token_ids) or bool(event.text)
        bar.update(done, f"{tokens / (time.monotonic() - started):.0f} tokens/s")

    try:
        engine = subject.engine
        with reporter.progress(f"answering {run.suite.name}", run.answers) as bar:
            started = time.monotonic()
            for place, completion in complete_all(engine, requests(), at_once=at_once, on_event=show):
                answer = {
                    "output": nfc(completion.output),
                    "finish_reason": completion.finish_reason,
                    "first_token": completion.first_token,
                    "seconds": completion.seconds,
                    "tokens": completion.completion_tokens,
                }
                cache.put(asked.pop(place), answer)
                done += 1
    except MachineError as error:
        kept = f"{done} of {run.answers} answers to {run.suite.name} are kept, and the same command goes on from there"
        problems = [replace(problem, what=f"{problem.what}; {kept}") for problem in error.problems]
        raise MachineError(problems) from error


def references(run: SuiteRun, tokenizer: ModelTokenizer) -> Iterator[Encoded]:
    """The references of a suite as answers to their prompts, of which only they are scored."""
    for prompt in run.prompts():
        if (encoded := _reference(prompt, tokenizer)) is not None:
            yield encoded


def _reference(prompt: Prompt, tokenizer: ModelTokenizer) -> Encoded | None:
    if prompt.item.reference is None:
        return None
    answer = {"role": "assistant", "content": prompt.item.reference}
    return encode_conversation(tokenizer, [*prompt.request.turns, answer])


@dataclass(frozen=True)
class Answers:
    """The answers to a suite in their order, read from the cache each time; `tokenizer` where references are scored.

    Raises:
        MachineError: one is not there any more.
    """

    run: SuiteRun
    subject: Subject
    cache: Cache
    tokenizer: ModelTokenizer | None

    def __len__(self) -> int:
        return self.run.answers

    def __iter__(self) -> Iterator[Item]:
        return map(self._item, self.run.prompts())

    def _item(self, prompt: Prompt) -> Item:
        answer = self.cache.get(prompt.key(self.subject, self.cache))
        if answer is None:
            raise MachineError("the answer is gone from the cache", where=prompt.id, hint="run it again")
        reference = _reference(prompt, self.tokenizer) if self.tokenizer else None
        return Item(
            prompt.id,
            answer["output"],
            prompt.item.prompt,
            prompt.item.reference,
            prompt.item.constraints,
            answer["finish_reason"],
            likelihood_of(reference, self.subject, self.cache) if reference else None,
            Timing(answer["first_token"], answer["seconds"], answer["tokens"] or 0),
        )
