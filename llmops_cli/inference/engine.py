"""The engine contract: one code path turns a prompt into tokens and tokens into text, whatever computes them.

An engine that computes tokens of a tokenizer it holds implements :class:`TokenEngine`, and `streaming.TextEngine`
makes text, stop sequences and finish reasons of it. An engine that gets text from elsewhere implements
:class:`Engine` itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

from llmops_cli.inference.config import EngineConfig, GenerationConfig, Precision
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Source
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import Encoded
from llmops_cli.prompts.template import Turn

if TYPE_CHECKING:
    import torch

FinishReason = Literal["stop", "length", "interrupted", "error"]
"""Engines say `stop` or `length`; an answer that another hand ended says so."""


class Abilities(NamedTuple):
    """What an engine can do beyond one answer at a time.

    `adapters`: some can lie beside the weights, switched by request; `batch`: requests share the work of a step;
    `logprobs`: it scores given text; `contexts`: what requests of one session begin with in common is computed once.
    """

    adapters: bool = False
    batch: bool = False
    logprobs: bool = False
    contexts: bool = False


@dataclass(frozen=True)
class Request:
    """One prompt: `turns` go through the chat template, `text` or the tokens `ids` are continued as they are.

    It has exactly one of them; only an engine that holds the tokenizer takes `ids`.

    Requests of one `session` (any name) keep the key/value cache between them. `adapter` names one that the engine has
    loaded; "" is what the engine was opened with.
    """

    settings: GenerationConfig
    turns: Sequence[Turn] = ()
    text: str | None = None
    ids: Sequence[int] = ()
    session: str = ""
    adapter: str = ""


class Usage(NamedTuple):
    """Tokens of a request as an upstream counted them."""

    prompt: int
    completion: int


class Event(NamedTuple):
    """News of a request: text that became certain (possibly empty), ids of the tokens behind it, and the end.

    The last event of a request has `finish`. Where the engine does not know the ids, `token_ids` is empty and the
    last event has `usage` if the upstream told.
    """

    number: int
    text: str
    token_ids: tuple[int, ...] = ()
    finish: FinishReason | None = None
    usage: Usage | None = None


class Batch(Protocol):
    """Requests that are being answered together; they join and leave at any step."""

    def add(self, request: Request) -> int:
        """Take a request; its number in the events to come.

        Raises:
            InputError: the prompt leaves no room in the model's context.
        """

    def step(self) -> list[Event]:
        """Go on by at least one token of at least one request. Empty when no request is left.

        Raises:
            GateFailed: the model gives nan.
            MachineError: an upstream is gone.
        """

    def drop(self, number: int) -> None:
        """Leave a request unfinished."""


class Engine(Protocol):
    """What answers."""

    name: str
    abilities: Abilities
    context_length: int
    """Most tokens of a prompt and its answer; `sys.maxsize` where only the upstream knows."""

    @property
    def tokenizer(self) -> ModelTokenizer | None:
        """None where only the upstream has it."""

    def open(self) -> Batch:
        """Start with no request. One batch at a time uses an engine."""

    def prompt_tokens(self, request: Request) -> int | None:
        """Tokens of the prompt as the model sees it, or None where they cannot be known."""

    def add_adapter(self, name: str, files: ModelFiles) -> None:
        """Load an adapter beside the weights, for requests to name.

        Raises:
            InputError: the engine cannot (`abilities.adapters`), or the adapter is of another base.
        """

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        """Natural log-probability of each labelled token given all tokens before it, record by record, in order.

        The first token of a record is given. Records are asked for when there is room for them.

        Raises:
            MachineError: the engine has no logprobs.
        """

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        """What the model predicts for each token but the first, in order and in chunks of fp32 rows.

        The chunks are [rows, vocabulary] and hold tokens - 1 rows together: all of them at once may be too large. A
        chunk is valid until the next is asked for.

        Raises:
            MachineError: the engine has no logprobs.
        """


class TokenBatch(Protocol):
    """A batch of token ids, as :class:`Batch`."""

    def add(self, prompt: Sequence[int], settings: GenerationConfig, session: str, adapter: str) -> int:
        """Take a prompt that fits the context; its number."""

    def step(self) -> list[tuple[int, int]]:
        """Number and next token of requests, in the order the tokens follow each other; may hold several of one.

        A request ends by itself after a stop token (given out too), after `settings.max_tokens` or at the end of the
        context.
        """

    def drop(self, number: int) -> None:
        """Leave a request; tokens already computed for it are not given out any more."""


class TokenEngine(Protocol):
    """What computes tokens."""

    name: str
    abilities: Abilities
    context_length: int
    tokenizer: ModelTokenizer

    def open_tokens(self) -> TokenBatch:
        """As :meth:`Engine.open`."""

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        """As :meth:`Engine.log_probabilities`."""

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        """As :meth:`Engine.logits`."""


@runtime_checkable
class TakesAdapters(Protocol):
    """What a :class:`TokenEngine` has whose `abilities.adapters` may be true."""

    def add_adapter(self, name: str, files: ModelFiles) -> None:
        """As :meth:`Engine.add_adapter`."""


class EngineModule(Protocol):
    """What a module of `engines/` has; the module's name is the engine's, and importing it imports nothing heavy.

    `RUNS` is the one kind of source that it runs, `PRECISIONS` are those besides `auto` in which it can hold the
    weights; the functions are called with such sources and precisions only.
    """

    RUNS: type[Source]
    PRECISIONS: tuple[Precision, ...]

    def cannot_run(self, source: Any) -> str | None:
        """Why this engine cannot run a model on this machine, or None when it can; looks at no weights.

        An answer that names a command to install a package means that the machine lacks something.
        """

    def load(self, source: Any, config: EngineConfig) -> Engine:
        """Load a model that it can run.

        Raises:
            InputError: the files cannot be used.
            MachineError: the device or a library is not here, or the upstream is gone.
        """


@dataclass
class Completion:
    """One answer. `token_ids` are all generated ids; `output` lacks special tokens and a broken last character.

    The numbers of tokens are None, and `token_ids` is empty, where only the upstream knows them and does not tell.
    `first_token` and `seconds` are from the request to its first token and to its end.
    """

    output: str = ""
    token_ids: list[int] = field(default_factory=list)
    finish_reason: FinishReason = "length"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token: float = field(default=0.0, compare=False)
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain data that is equal where the answer is: without times."""
        return {key: value for key, value in asdict(self).items() if key not in ("first_token", "seconds")}


def complete(engine: Engine, request: Request, on_text: Callable[[str], None] | None = None) -> Completion:
    """One answer; `on_text` receives the text piece by piece, never half a character.

    Raises:
        InputError: the prompt leaves no room in the model's context.
    """

    def tell(event: Event) -> None:
        if event.text and on_text:
            on_text(event.text)

    for _, completion in complete_all(engine, [request], on_event=tell):
        return completion
    raise AssertionError("a request ends")


def complete_all(
    engine: Engine,
    requests: Iterable[Request],
    *,
    at_once: int = 8,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Iterator[tuple[int, Completion]]:
    """Answer requests, `at_once` of them together where the engine can; each with its place as soon as it is done.

    A request is asked for when there is room for it.

    Raises:
        InputError: a prompt leaves no room in the model's context.
    """
    for place, completion, event in stream_all(engine, requests, at_once=at_once):
        on_event(event)
        if event.finish:
            yield place, completion


def stream_all(
    engine: Engine, requests: Iterable[Request], *, at_once: int
) -> Generator[tuple[int, Completion, Event]]:
    """Every event of :func:`complete_all` as it comes: the request's place, its answer so far, the event.

    Requests that are not done when the iterator is closed are dropped; their sessions keep their caches.
    """
    batch = engine.open()
    width = at_once if engine.abilities.batch else 1
    waiting = iter(enumerate(requests))
    running: dict[int, tuple[int, Completion, float]] = {}
    try:
        while True:
            while len(running) < width and (item := next(waiting, None)):
                place, request = item
                completion, started = Completion(prompt_tokens=engine.prompt_tokens(request)), time.perf_counter()
                running[batch.add(request)] = place, completion, started
            if not running:
                return
            for event in batch.step():
                place, completion, started = running[event.number]
                _take(completion, event, time.perf_counter() - started)
                if event.finish:
                    del running[event.number]
                yield place, completion, event
    finally:
        for number in running:
            batch.drop(number)


def _take(completion: Completion, event: Event, seconds: float) -> None:
    completion.seconds = seconds
    completion.first_token = completion.first_token or seconds
    completion.output += event.text
    completion.token_ids += event.token_ids
    if event.finish:
        completion.finish_reason = event.finish
        if event.usage:
            completion.prompt_tokens, completion.completion_tokens = event.usage
        elif completion.token_ids:
            completion.completion_tokens = len(completion.token_ids)
