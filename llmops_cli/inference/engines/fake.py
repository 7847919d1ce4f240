"""Made-up answers that depend on nothing but the prompt and the seed: for tests and documentation, without torch.

The model's name says how it behaves: `fake:echo` repeats the last turn, `fake:words` writes words drawn by a hash;
`?` opens options, `fake:words?length=40&delay=0.01`. The tokenizer is that of builtin:tiny-ko.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Abilities, Engine
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.inference.streams import StreamBatch
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.source import FAKE_PREFIX, FakeModel
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import Encoded

if TYPE_CHECKING:
    import torch

RUNS = FakeModel
PRECISIONS = ()
WORDS = ("바다는", "오늘도", "조용했고,", "아이는", "천천히", "걸었다.", "비가", "그치자", "새가", "울었다.", "🙂")


class Params(BaseModel):
    """What a fake model's name says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["echo", "words"]
    length: Annotated[int, Field(ge=1)] = 12
    """Words that `words` writes before it ends its turn."""
    delay: Annotated[float, Field(ge=0)] = 0.0
    """Seconds before each token."""
    context: Annotated[int, Field(ge=1)] = 2048
    """Most tokens of a prompt and its answer."""


def parse(name: str) -> Params:
    """The parameters in a fake model's name.

    Raises:
        InputError: there is no such mode or option, or its value is wrong.
    """
    mode, _, options = name.removeprefix(FAKE_PREFIX).partition("?")
    try:
        return Params.model_validate({**dict(parse_qsl(options)), "mode": mode})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{first['loc'][0]}: {first['msg']}", where=name, hint="fake:echo or fake:words?length=12"
        ) from None


def cannot_run(source: FakeModel) -> str | None:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    parse(source.name)
    return None


def load(source: FakeModel, config: EngineConfig) -> Engine:
    """See :class:`llmops_cli.inference.engine.EngineModule`."""
    return TextEngine(FakeEngine(parse(source.name)))


class FakeEngine:
    """Tokens out of a hash; every token is equally likely to it."""

    name = "fake"
    abilities = Abilities(batch=True, logprobs=True)

    def __init__(self, params: Params) -> None:
        self._params = params
        self.context_length = params.context
        self.tokenizer = load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko")

    def open_tokens(self) -> StreamBatch:
        return StreamBatch(self._stream, together=True)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        return ([-math.log(self.tokenizer.size)] * record.labelled for record in records)

    def logits(self, ids: Sequence[int]) -> Iterator[torch.Tensor]:
        import torch

        yield torch.zeros(len(ids) - 1, self.tokenizer.size)

    def _stream(self, prompt: Sequence[int], settings: GenerationConfig, session: str) -> Iterator[int]:
        text = self._echo(prompt) if self._params.mode == "echo" else self._words(prompt, settings)
        answer = [*self.tokenizer.encode(text), self.tokenizer.eos_id]
        for token in answer[: min(settings.max_tokens, self.context_length - len(prompt))]:
            time.sleep(self._params.delay)
            yield token

    def _echo(self, prompt: Sequence[int]) -> str:
        *_, last, opened = [
            "",
            *self.tokenizer.backend.decode(list(prompt), skip_special_tokens=False).split("<|im_start|>"),
        ]
        return last.partition("\n")[2].partition("<|im_end|>")[0] or opened

    def _words(self, prompt: Sequence[int], settings: GenerationConfig) -> str:
        seed = settings.seed if settings.temperature else "greedy"
        start = f"{seed}|{list(prompt)}"
        draws = (hashlib.sha256(f"{start}|{place}".encode()).digest()[0] for place in range(self._params.length))
        return " ".join(WORDS[draw % len(WORDS)] for draw in draws)
