"""Answers of any server with the OpenAI interface (vLLM, llama.cpp, another `llmops serve`), streamed, several at once.

The model is named `http://host:port/v1#model`; the key is read from LLMOPS_API_KEY, else OPENAI_API_KEY.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Abilities, Engine, Event, Request, Usage
from llmops_cli.inference.upstream import Patience, Server, error_message
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Upstream
from llmops_cli.prompts.encode import Encoded
from llmops_cli.text.normalize import nfc

if TYPE_CHECKING:
    import torch

RUNS = Upstream
PRECISIONS = ()


def cannot_run(source: Upstream) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return None


def load(source: Upstream, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return OpenAIEngine(source)


class OpenAIEngine:
    """An upstream; each running request is a thread that reads one stream."""

    name = "openai"
    abilities = Abilities(batch=True)
    context_length = sys.maxsize
    tokenizer = None

    def __init__(self, upstream: Upstream, patience: Patience | None = None) -> None:
        self._server = Server(upstream.url, patience or Patience())
        self._model = upstream.model or _only_model(self._server)

    def open(self) -> UpstreamBatch:
        return UpstreamBatch(self._server, self._model)

    def prompt_tokens(self, request: Request) -> None:
        return None

    def add_adapter(self, name: str, files: ModelFiles) -> NoReturn:
        raise InputError("an adapter of an upstream is a model of it", hint=f"model={self._server.url}#NAME")

    def log_probabilities(self, records: Iterable[Encoded]) -> NoReturn:
        raise MachineError("scores no text: its tokens are not known here", where=self._server.url)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        self.log_probabilities([])


def _only_model(server: Server) -> str:
    answer = server.get("/models")
    try:
        names = [str(model["id"]) for model in answer["data"]]
    except (KeyError, TypeError):
        raise server.nonsense(str(answer)) from None
    if len(names) != 1:
        hint = f"--set model={server.url}#{names[0] if names else 'NAME'}"
        raise InputError(f"has {len(names)} models: {', '.join(names)}", where=server.url, hint=hint)
    return names[0]


class UpstreamBatch:
    """Requests that are answered by threads; what they read is handed out in the order it came in."""

    def __init__(self, server: Server, model: str) -> None:
        self._server, self._model = server, model
        self._news: queue.SimpleQueue[tuple[int, Event | Exception]] = queue.SimpleQueue()
        self._running: dict[int, threading.Event] = {}
        self._added = 0

    def add(self, request: Request) -> int:
        if request.adapter:
            raise InputError("an adapter of an upstream is a model of it", hint=f"model={self._server.url}#NAME")
        self._added += 1
        dropped = self._running[self._added] = threading.Event()
        threading.Thread(target=self._answer, args=(self._added, request, dropped), daemon=True).start()
        return self._added

    def step(self) -> list[Event]:
        events: list[Event] = []
        while self._running and not (events and self._news.empty()):
            number, news = self._news.get()
            if number not in self._running:
                continue
            if isinstance(news, Exception):
                if events:  # they come first; the error waits for the next step
                    self._news.put((number, news))
                    break
                raise news
            if news.finish:
                del self._running[number]
            events.append(news)
        return events

    def drop(self, number: int) -> None:
        if dropped := self._running.pop(number, None):
            dropped.set()

    def _answer(self, number: int, request: Request, dropped: threading.Event) -> None:
        answer = _Answer(self._server, number)
        path, body = _body(request, self._model)
        try:
            for data in self._server.events(path, body, dropped):
                if data == "[DONE]":
                    break
                if text := answer.take(data):
                    self._news.put((number, Event(number, text)))
            self._news.put((number, answer.end()))
        except Exception as error:  # it belongs to the thread that takes the steps
            self._news.put((number, error))


class _Answer:
    """Our events out of the data of an upstream's."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._half = ""  # of a character beyond U+FFFF, which JSON lets an upstream cut in two

    def take(self, data: str) -> str:
        """The text in one event.

        Raises:
            MachineError: it is no event of a completion, or it tells of an error.
        """
        text = self._half
        try:
            event = json.loads(data)
            if event.get("error"):
                raise MachineError(f"gave up: {error_message(event)}", where=self._server.url)
            if usage := event.get("usage"):
                self._usage = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
            for choice in event["choices"]:
                turn = choice.get("delta", choice.get("message"))
                text += (choice["text"] if turn is None else turn.get("content")) or ""
                self._finish = choice.get("finish_reason") or ("stop" if "message" in choice else self._finish)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._server.nonsense(data) from None
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        whole = text.removesuffix(self._half) if self._half else text
        return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def end(self) -> Event:
        """The last event: usage comes after the finish reason.

        Raises:
            MachineError: there was no finish reason.
        """
        if self._finish is None:
            raise MachineError("broke off before the end of an answer", where=self._server.url)
        return Event(self._number, "", (), "length" if self._finish == "length" else "stop", self._usage)


def _body(request: Request, model: str) -> tuple[str, dict[str, Any]]:
    body = {"model": model, "stream": True, "stream_options": {"include_usage": True}, **_sampling(request.settings)}
    if request.text is not None:
        return "/completions", {**body, "prompt": nfc(request.text)}
    turns = [{**turn, "content": nfc(turn["content"])} for turn in request.turns]
    return "/chat/completions", {**body, "messages": turns}


def _sampling(settings: GenerationConfig) -> dict[str, Any]:
    """OpenAI's own settings; those of vLLM and llama.cpp only where they are used, since strict servers refuse them."""
    default = GenerationConfig()
    own = {name: getattr(settings, name) for name in ("temperature", "top_p", "max_tokens", "seed")}
    others = ("top_k", "min_p", "repetition_penalty", "dry_multiplier", "dry_base", "dry_allowed_length", "min_tokens")
    used = {name: getattr(settings, name) for name in others if getattr(settings, name) != getattr(default, name)}
    if "repetition_penalty" in used:
        used["repeat_penalty"] = settings.repetition_penalty  # its name in llama.cpp
    return own | used | ({"stop": settings.stop} if settings.stop else {})
