"""Text out of tokens: whole characters only, stop texts found wherever a token ends, nothing twice and nothing lost."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from workbench import CONVERSATIONS

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Abilities, Engine, Request, complete, complete_all
from llmops_cli.inference.streaming import TextEngine, TextStream
from llmops_cli.inference.streams import StreamBatch
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.prompts.encode import Encoded

TEXTS = [
    "오늘은 비가 온다. 우산을 챙기자.",
    "뷁뷁 쀍 漢字 🙂👩\u200d👩\u200d👧 é ㅋㅋ",
    " 앞뒤 빈칸 ",
    "한 줄\n두 줄\n\n",
    "plain ASCII, too.",
]
EVERY_TURN = [turn["content"] for row in CONVERSATIONS for turn in row["messages"]]


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> ModelTokenizer:
    return load_tokenizer(tiny_model)


def bytewise(tokenizer: ModelTokenizer, text: str) -> list[int]:
    """The text in the smallest tokens there are, one for each byte."""
    from tokenizers import pre_tokenizers

    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return [tokenizer.backend.token_to_id(letter) for word, _ in letters for letter in word]


def streamed(tokenizer: ModelTokenizer, ids: Sequence[int], *stop: str) -> tuple[list[str], TextStream]:
    stream = TextStream(tokenizer, stop)
    pieces = []
    for token in ids:
        pieces.append(stream.push(token))
        if stream.stopped:
            break
    return [*pieces, stream.finish()], stream


@pytest.mark.parametrize("text", [*TEXTS, *EVERY_TURN[:6]])
@pytest.mark.parametrize("split", ["bytes", "tokens"])
def test_every_cut_of_a_text_gives_whole_characters(tokenizer: ModelTokenizer, text: str, split: str) -> None:
    ids = bytewise(tokenizer, text) if split == "bytes" else tokenizer.encode(text)
    for end in range(len(ids) + 1):
        pieces, stream = streamed(tokenizer, ids[:end])
        assert not any("\ufffd" in piece for piece in pieces)
        assert "".join(pieces) == stream.text
        assert text.startswith(stream.text)
        assert stream.text == tokenizer.decode(ids[:end]).rstrip("\ufffd")
    assert stream.text == text


def test_characters_come_as_soon_as_they_are_whole(tokenizer: ModelTokenizer) -> None:
    pieces, _ = streamed(tokenizer, bytewise(tokenizer, "비가 와"))
    assert pieces == ["", "", "비", "", "", "가", " ", "", "", "와", ""]


def test_random_tokens_give_the_text_of_the_tokenizer(tokenizer: ModelTokenizer) -> None:
    """A model may write bytes that are no character; they stay as U+FFFD inside, and go at the end."""
    draw = random.Random(7)
    for _ in range(300):
        ids = [draw.randrange(3, 400) for _ in range(draw.randint(0, 30))]
        pieces, stream = streamed(tokenizer, ids)
        assert "".join(pieces) == stream.text == tokenizer.decode(ids).rstrip("\ufffd")


@pytest.mark.parametrize("split", ["bytes", "tokens"])
@pytest.mark.parametrize(
    ("text", "stop", "want"),
    [
        ("비가 온다. 끝 더 말한다", ["끝"], "비가 온다. "),
        ("비가 온다. 끝 더 말한다", ["더", "끝"], "비가 온다. "),  # the first in the text, not in the list
        ("비가 온다.\n\n사용자: 그래", ["\n\n사용자:"], "비가 온다."),
        ("가가나 가나다", ["가나다"], "가가나 "),
        ("가가가나", ["가가나"], "가"),
        ("겨울 바다", ["다", "바"], "겨울 "),  # both in one token
        ("비가 온다", ["다"], "비가 온"),
        ("비가 온다", ["비"], ""),
        ("비가 온다", ["다라", "온다 "], "비가 온다"),  # only begun
        ("비가 온다", ["", "눈"], "비가 온다"),
        ("🙂🙃", ["🙃"], "🙂"),
    ],
)
def test_stop_texts_end_the_answer(
    tokenizer: ModelTokenizer, text: str, stop: list[str], want: str, split: str
) -> None:
    ids = bytewise(tokenizer, text) if split == "bytes" else tokenizer.encode(text)
    pieces, stream = streamed(tokenizer, ids, *stop)
    assert "".join(pieces) == stream.text == want
    assert stream.stopped == any(word and word in text for word in stop)


class Scripted:
    """Tokens that say what they were told to."""

    name = "scripted"
    abilities = Abilities(batch=True)
    context_length = 1000

    def __init__(self, tokenizer: ModelTokenizer, ids: list[int]) -> None:
        self.tokenizer = tokenizer
        self._ids = ids

    def open_tokens(self) -> StreamBatch:
        return StreamBatch(lambda prompt, settings, session: iter(self._ids[: settings.max_tokens]), together=True)

    def log_probabilities(self, records: Iterable[Encoded]) -> Iterator[list[float]]:
        raise AssertionError("not asked for")

    def logits(self, ids: Sequence[int]) -> Iterator[Any]:
        raise AssertionError("not asked for")


def scripted(tokenizer: ModelTokenizer, ids: list[int]) -> Engine:
    return TextEngine(Scripted(tokenizer, ids))


@pytest.mark.parametrize(
    ("after", "settings", "finish", "length"),
    [
        ([2, 300, 300], {}, "stop", 1),  # nothing is read after the end of the turn
        ([0, 300], {}, "stop", 1),  # the other end
        ([], {}, "length", 0),
        ([], {"stop": ["챙기자"]}, "stop", None),
        ([2], {"max_tokens": 5}, "length", None),
    ],
)
def test_why_an_answer_ended(
    tokenizer: ModelTokenizer, after: list[int], settings: dict, finish: str, length: int | None
) -> None:
    ids = tokenizer.encode(TEXTS[0])
    told: list[str] = []
    request = Request(GenerationConfig(**{"max_tokens": len(ids + after)} | settings), text="비가")
    completion = complete(scripted(tokenizer, ids + after), request, told.append)
    assert (completion.finish_reason, completion.prompt_tokens) == (finish, len(tokenizer.encode("비가")))
    assert completion.completion_tokens == len(completion.token_ids)
    assert "".join(told) == completion.output
    assert all(told)
    if length is not None:
        assert completion.token_ids == ids + after[:length]
        assert completion.output == TEXTS[0]


def test_token_ids_of_a_stopped_answer_hold_what_was_generated(tokenizer: ModelTokenizer) -> None:
    ids = bytewise(tokenizer, TEXTS[0])
    completion = complete(scripted(tokenizer, ids), Request(GenerationConfig(stop=["우산"]), text="비"))
    assert completion.token_ids == ids[: len(completion.token_ids)]
    assert tokenizer.decode(completion.token_ids) == completion.output + "우산"


@pytest.mark.parametrize("tokens", range(1, 25))
def test_a_token_limit_cuts_no_character(tokenizer: ModelTokenizer, tokens: int) -> None:
    ids = bytewise(tokenizer, "뷁🙂 가 나")
    told: list[str] = []
    request = Request(GenerationConfig(max_tokens=tokens), text="비")
    completion = complete(scripted(tokenizer, [*ids, 2]), request, told.append)
    assert "\ufffd" not in completion.output
    assert "".join(told) == completion.output
    assert completion.output == tokenizer.decode(completion.token_ids).rstrip("\ufffd")
    assert completion.finish_reason == ("length" if tokens <= len(ids) else "stop")


def test_a_prompt_as_long_as_the_context_is_refused(tokenizer: ModelTokenizer) -> None:
    for letters in (1000, 1001):  # a token each
        with pytest.raises(InputError, match=f"the prompt has {letters} tokens, the model's context 1000"):
            complete(scripted(tokenizer, [5]), Request(GenerationConfig(), text="7" * letters))
    assert complete(scripted(tokenizer, [5, 5]), Request(GenerationConfig(), text="7" * 999)).token_ids == [5]


def test_requests_that_are_answered_together_get_their_own_answers(tokenizer: ModelTokenizer) -> None:
    ids = [*tokenizer.encode(TEXTS[0]), 2]
    limits = [3, 100, 1, 7, 5]
    requests = [Request(GenerationConfig(max_tokens=limit), text="비") for limit in limits]
    engine = scripted(tokenizer, ids)
    alone = [complete(engine, request) for request in requests]
    for at_once in (1, 2, 8):
        found = list(complete_all(engine, requests, at_once=at_once))
        assert [completion for _, completion in sorted(found, key=lambda item: item[0])] == alone
        shortest_first = [place for place, _ in found] == sorted(range(5), key=limits.__getitem__)
        assert shortest_first == (at_once == 8)


def test_answers_that_nobody_waits_for_are_dropped(tokenizer: ModelTokenizer) -> None:
    engine = TextEngine(tokens := Scripted(tokenizer, tokenizer.encode(TEXTS[0])))
    batch = tokens.open_tokens()
    tokens.open_tokens = lambda: batch  # type: ignore[method-assign]
    requests = [Request(GenerationConfig(max_tokens=limit), text="비") for limit in (2, 9, 9)]
    for place, _ in complete_all(engine, requests):
        assert place == 0
        break
    assert batch.step() == []
