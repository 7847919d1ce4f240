"""The transformers engine: the same tokens as ever, of any architecture, alone or in a queue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from workbench import Cli, make_tokenizer

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Engine, Request, complete, complete_all
from llmops_cli.inference.open import choose_engine, open_engine

PROMPTS = ["비가 와?", "오늘 저녁에", "책 샀어?", "겨울 바다는"]


def opened(model: object, **settings: str) -> Engine:
    return open_engine(EngineConfig(model=str(model), device="cpu", engine="transformers", **settings))  # type: ignore[arg-type]


def test_requests_in_a_queue_get_the_answers_they_get_alone(tiny_model: Path) -> None:
    engine = opened(tiny_model)
    requests = [
        Request(GenerationConfig(seed=place, max_tokens=5 + place), text=text) for place, text in enumerate(PROMPTS)
    ]
    alone = [complete(engine, request) for request in requests]
    assert [completion for _, completion in complete_all(engine, requests, at_once=4)] == alone
    batch = engine.open()
    numbers = [batch.add(request) for request in requests]
    batch.drop(numbers[1])
    told = []
    while events := batch.step():
        told += [(event.number, token) for event in events for token in event.token_ids]
    want = [(number, token) for number in (1, 3, 4) for token in alone[number - 1].token_ids]
    assert told == want


def test_penalties_look_at_the_prompt_and_the_answer(tiny_model: Path) -> None:
    engine = opened(tiny_model)
    plain = GenerationConfig(temperature=0, max_tokens=60)
    repeated = complete(engine, Request(plain, text="비가")).token_ids
    penalised = plain.model_copy(update={"repetition_penalty": 5.0})
    found = complete(engine, Request(penalised, text="비가")).token_ids
    assert len(set(found)) / len(found) > len(set(repeated)) / len(repeated)
    dry = plain.model_copy(update={"dry_multiplier": 20.0})
    assert complete(engine, Request(dry, text="비가")).token_ids != repeated


def test_an_adapter_by_name_is_refused(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="cannot switch to the adapter 'b'"):
        complete(opened(tiny_model), Request(GenerationConfig(), text="비", adapter="b"))


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_precision_is_that_of_the_weights(tiny_model: Path, precision: str, dtype: torch.dtype) -> None:
    engine = opened(tiny_model, precision=precision)
    assert {weight.dtype for weight in engine._tokens._model.parameters()} == {dtype}  # type: ignore[attr-defined]


def test_an_architecture_that_only_transformers_knows_answers(cli: Cli) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = make_tokenizer(Path("gpt"))
    torch.manual_seed(1)
    shape = GPT2Config(vocab_size=tokenizer.size, n_embd=32, n_layer=2, n_head=2, n_positions=128)
    GPT2LMHeadModel(shape).save_pretrained("gpt")
    config = json.loads(Path("gpt/config.json").read_text()) | {"max_position_embeddings": 128}
    Path("gpt/config.json").write_text(json.dumps(config))
    assert choose_engine(EngineConfig(model="gpt")).engine == "transformers"
    answer = cli("chat", "gpt", "--once", "비가 와?", "--set", "generation.max_tokens=5", "--json")
    assert (answer.code, len(answer.json()["token_ids"])) == (0, 5)
