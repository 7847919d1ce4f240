"""A model that reads the output and gives it points."""

from __future__ import annotations

import functools
import hashlib
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.core.errors import LlmopsError, MachineError
from llmops_cli.evaluation import verdict
from llmops_cli.evaluation.metrics import Better, Call, Item, MeasureAll, Measurement

if TYPE_CHECKING:
    from llmops_cli.inference.engine import Engine

ABOUT = "points of a judge, 0 to 10, by a Korean rubric of eight axes; a judge errs, and differs from other judges"
FORMULA = "what the judge gives at temperature 0; overall is the mean of the axes, and a blank output has 0 in all"
SOURCE = "Zheng et al. 2023 (LLM-as-a-judge); axes after LogicKor, TTCW and EQ-Bench Creative Writing"
BETTER: Better = "higher"
NEEDS = ("prompt",)
VARIANTS = ("overall", *verdict.AXES)
LOADS = "a judge: a server that is asked, or a model that is loaded"
RUBRIC = Path(verdict.__file__).with_name("rubric.ko.txt")
AGAIN = "{why}: 채점은 바꾸지 말고, 앞에서 말한 모양의 JSON 하나로만 다시 답하세요."
GIVE_UP = 3
"""Requests in a row that the judge leaves without an answer, after which it is not asked any more."""

Found = verdict.Verdict | str
"""A verdict, or why there is none."""


class Params(StrictModel):
    """Who judges, and how long it is waited for."""

    model: str = Field(
        min_length=1,
        description="the judge: a server http://host:port/v1#model, its key in LLMOPS_API_KEY or OPENAI_API_KEY, "
        "or whatever else llmops generates with",
    )
    at_once: int = Field(8, ge=1, le=256, description="requests to a server at the same time")
    timeout: float = Field(120.0, gt=0, description="seconds that a server may be silent")
    retries: int = Field(4, ge=0, le=20, description="how often a server that is busy or gone is asked again")
    max_tokens: int = Field(1024, ge=64, description="most tokens of a judge's answer, its thoughts included")


def start_all(call: Call) -> MeasureAll:
    """An item that the judge gave no verdict of has no score; its details say why.

    Raises:
        InputError, MachineError: there is no such judge, or it cannot be loaded.
    """
    judge = _judge(call.params)

    def points(items: Sequence[Item]) -> Iterator[Measurement]:
        for found in judge.verdicts(items):
            if isinstance(found, str):
                yield Measurement(None, details={"why": found})
                continue
            score = found.overall if call.variant == "overall" else found.scores[call.variant]
            points = {verdict.AXES[axis]: value for axis, value in found.scores.items()}
            yield Measurement(score, details={"points": points, "reason": found.reason})

    return points


def signature(call: Call) -> str:
    """Judge, rubric and temperature. Of a server only the model's name is known."""
    from llmops_cli.models.fingerprint import fingerprint
    from llmops_cli.models.source import FakeModel, Upstream, resolve_source

    source = resolve_source(call.params.model)
    if isinstance(source, Upstream):
        name = source.model or source.url
    else:
        name = source.name if isinstance(source, FakeModel) else fingerprint(source)
    rubric = hashlib.sha256(RUBRIC.read_bytes()).hexdigest()
    return f"judge:{name}|rubric:{rubric}|temperature:0"


@functools.cache
def _judge(params: Params) -> Judge:
    """One judge for all axes: it is asked once about a text."""
    return Judge(params)


class Judge:
    """A judge, and its verdicts so far: about the same text it is asked once."""

    def __init__(self, params: Params) -> None:
        from llmops_cli.inference.config import EngineConfig, GenerationConfig
        from llmops_cli.inference.engines.openai import OpenAIEngine
        from llmops_cli.inference.open import choose_engine, load_engine
        from llmops_cli.inference.upstream import Patience
        from llmops_cli.models.source import Upstream

        config = EngineConfig(model=params.model)
        choice = choose_engine(config)
        if isinstance(choice.source, Upstream):
            patience = Patience(silence=params.timeout, retries=params.retries)
            self._engine: Engine = OpenAIEngine(choice.source, patience)
            self._at_once = params.at_once
        else:
            self._engine = load_engine(choice, config)
            self._at_once = 1
        self._settings = GenerationConfig(temperature=0, top_p=1, max_tokens=params.max_tokens, seed=0)
        self._rubric = Template(RUBRIC.read_text(encoding="utf-8"))
        self._found: dict[str, Found] = {}
        self._unanswered = 0

    def verdicts(self, items: Sequence[Item]) -> list[Found]:
        """The verdict of each item."""
        keys = [_digest(item) for item in items]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._found}
        waiting: queue.SimpleQueue[tuple[str, Item]] = queue.SimpleQueue()
        answered: queue.SimpleQueue[tuple[str, Found | Exception]] = queue.SimpleQueue()
        for pair in new.items():
            waiting.put(pair)
        for _ in range(min(self._at_once, len(new))):  # daemons: an interrupt does not wait for a silent server
            threading.Thread(target=self._work, args=(waiting, answered), daemon=True).start()
        for _ in new:
            key, found = answered.get()
            if isinstance(found, Exception):
                raise found
            self._found[key] = found
        return [self._found[key] for key in keys]

    def _work(
        self,
        waiting: queue.SimpleQueue[tuple[str, Item]],
        answered: queue.SimpleQueue[tuple[str, Found | Exception]],
    ) -> None:
        while True:
            try:
                key, item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answered.put((key, self._verdict(item)))
            except Exception as error:  # it belongs to the thread that waits
                answered.put((key, error))

    def _verdict(self, item: Item) -> Found:
        if not item.output.strip():
            return verdict.Verdict(dict.fromkeys(verdict.AXES, 0.0), "blank")
        turns = [{"role": "user", "content": self._question(item)}]
        why = ""
        for _ in range(2):
            if self._unanswered >= GIVE_UP:
                return f"the judge was not asked: it left {GIVE_UP} requests in a row without an answer"
            try:
                answer = self._ask(turns)
            except LlmopsError as error:
                self._unanswered += isinstance(error, MachineError)
                return f"the judge gave no answer: {error}"
            self._unanswered = 0
            try:
                return verdict.read_verdict(answer)
            except ValueError as error:
                why = str(error)
            repair = {"role": "user", "content": AGAIN.format(why=why)}
            turns = [*turns, {"role": "assistant", "content": answer}, repair]
        return f"the judge's answer is no verdict, asked twice: {why}"

    def _ask(self, turns: Sequence[dict[str, str]]) -> str:
        from llmops_cli.inference.engine import Request, complete

        return complete(self._engine, Request(self._settings, turns)).output

    def _question(self, item: Item) -> str:
        """The rubric with the texts in it, between marks that no text can hold."""
        mark = _digest(item)[:8]
        example = f"<좋은 글의 예 {mark}>\n{item.reference}\n</좋은 글의 예 {mark}>\n" if item.reference else ""
        return self._rubric.substitute(mark=mark, prompt=item.prompt, output=item.output, reference=example)


def _digest(item: Item) -> str:
    """Of all that the judge is shown."""
    return hashlib.sha256("\0".join((item.prompt, item.output, item.reference or "")).encode()).hexdigest()
