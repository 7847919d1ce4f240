"""The torch engine: greedy tokens of transformers, however they are computed, and answers that need no companions."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from workbench import log_probabilities, make_tokenizer

from llmops_cli.core.errors import GateFailed, InputError, MachineError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.decoder import drafts, sessions
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.inference.engine import Completion, Request, complete_all
from llmops_cli.inference.engines.torch import TorchEngine
from llmops_cli.inference.streaming import TextEngine
from llmops_cli.inference.streams import common_prefix
from llmops_cli.models.resolve import BUILTIN_DIRECTORY, ModelFiles, resolve_model
from llmops_cli.prompts.encode import IGNORED, Encoded, encode_prompt

BEGINNINGS = """오늘은 아침부터 비가 와서|바닷가 작은 마을에는|할머니는 늘 부엌에서|기차가 떠난 뒤에 남은 것은
가을이 오면 나는|고양이가 창가에 앉아|편지를 쓰다가 문득|김치찌개를 맛있게 끓이려면|그는 말없이 문을 열고
별이 많은 밤이었다.|시장 골목에서 만난|눈이 내리는 날에는|책을 덮고 나서|오래된 사진 속의|첫 출근을 앞두고
강아지와 산책을 하다가|버스 정류장에서|비밀을 하나 말하자면|겨울 산을 오르며|내일은 꼭""".replace("\n", "|").split("|")
ASKED = [[{"role": "user", "content": f"{text} 이어서 이야기를 써 줘."}] for text in BEGINNINGS]
GREEDY = GenerationConfig(temperature=0, max_tokens=24)


@pytest.fixture(scope="module")
def engine() -> TorchEngine:
    return TorchEngine(resolve_model("builtin:tiny-ko"), "cpu", "fp32")


@pytest.fixture(scope="module")
def prompts(engine: TorchEngine) -> list[list[int]]:
    return [encode_prompt(engine.tokenizer, turns) for turns in ASKED]


@pytest.fixture(scope="module")
def transformers_model() -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(BUILTIN_DIRECTORY / "tiny-ko", dtype=torch.float32)


def wanted(model: Any, prompt: Sequence[int], tokens: int = 24) -> list[int]:
    ids = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=tokens)
    return ids[0, len(prompt) :].tolist()


@pytest.fixture(scope="module")
def greedy(transformers_model: Any, prompts: list[list[int]]) -> list[list[int]]:
    return [wanted(transformers_model, prompt) for prompt in prompts]


def answers(
    engine: TorchEngine, prompts: Sequence[Sequence[int]], settings: GenerationConfig, session: str = ""
) -> list[list[int]]:
    """All prompts answered together."""
    batch = engine.open_tokens()
    found: dict[int, list[int]] = {batch.add(prompt, settings, session, ""): [] for prompt in prompts}
    while given := batch.step():
        for number, token in given:
            found[number].append(token)
    return list(found.values())


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Tokens of every span of every forward pass."""
    seen: list[list[int]] = []
    forward = Decoder.forward

    def counted(self: Decoder, spans: Sequence[Span]) -> torch.Tensor:
        seen.append([len(span.ids) for span in spans])
        return forward(self, spans)

    monkeypatch.setattr(Decoder, "forward", counted)
    return seen


def test_greedy_tokens_are_those_of_transformers(
    engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]]
) -> None:
    assert [answers(engine, [prompt], GREEDY)[0] for prompt in prompts] == greedy
    assert len({token for row in greedy for token in row}) >= 50


def test_eight_of_different_lengths_together_give_what_each_gives_alone(
    engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]], passes: list[list[int]]
) -> None:
    assert answers(engine, prompts[:8], GREEDY) == greedy[:8]
    assert len({len(prompt) for prompt in prompts[:8]}) > 3
    assert len(passes) == max(map(len, greedy[:8]))


@pytest.mark.parametrize("temperature", [0, 0.7])
def test_a_turn_has_the_fewest_tokens_that_are_asked_for(
    engine: TorchEngine, prompts: list[list[int]], temperature: float
) -> None:
    short = GenerationConfig(temperature=temperature, max_tokens=60, seed=1)
    ended = answers(engine, prompts[:8], short)
    least = max(map(len, ended))
    longer = answers(engine, prompts[:8], short.model_copy(update={"min_tokens": least + 3, "max_tokens": least + 9}))
    stops = set(engine.tokenizer.stop_ids)
    assert min(map(len, ended)) < least
    assert all(len(answer) > least + 3 and not stops & set(answer[: least + 3]) for answer in longer)
    assert temperature or longer[0][: len(ended[0]) - 1] == ended[0][:-1]


def test_requests_join_and_leave(engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]]) -> None:
    requests = [Request(GREEDY, turns=turns) for turns in ASKED]
    done: dict[int, Completion] = dict(complete_all(TextEngine(engine), requests, at_once=3))
    assert [done[place].token_ids for place in range(len(requests))] == greedy

    batch = engine.open_tokens()
    first, second = batch.add(prompts[0], GREEDY, "", ""), batch.add(prompts[1], GREEDY, "", "")
    given = [*batch.step(), *batch.step()]
    batch.drop(first)
    third = batch.add(prompts[2], GREEDY, "", "")
    while more := batch.step():
        given += more
    assert [token for number, token in given if number == second] == greedy[1]
    assert [token for number, token in given if number == third] == greedy[2]
    assert len([token for number, token in given if number == first]) == 2


def test_a_conversation_goes_on_from_what_is_computed(
    engine: TorchEngine, transformers_model: Any, passes: list[list[int]]
) -> None:
    turns, before = list(ASKED[4]), list[int]()
    for more in ("더 길게 써 줘.", "이번에는 짧게.", "제목도 지어 줘."):
        prompt = encode_prompt(engine.tokenizer, turns)
        shared = common_prefix(before, prompt)
        passes.clear()
        (answer,) = answers(engine, [prompt], GREEDY, session="이야기")
        assert answer == wanted(transformers_model, prompt)
        assert passes[0] == [len(prompt) - shared]
        assert shared > 0.6 * len(prompt) or not before
        before = [*prompt, *answer[:-1]]
        turns += [
            {"role": "assistant", "content": engine.tokenizer.decode(answer)},
            {"role": "user", "content": more},
        ]


def test_a_changed_past_is_computed_again(
    engine: TorchEngine, transformers_model: Any, passes: list[list[int]]
) -> None:
    prompt = encode_prompt(engine.tokenizer, [*ASKED[0]])
    answers(engine, [prompt], GREEDY, session="changed")
    for other in (prompt[:-9] + prompt[-7:], prompt[:3], prompt):
        assert answers(engine, [other], GREEDY, session="changed") == [wanted(transformers_model, other)]
    passes.clear()
    answers(engine, [prompt], GREEDY, session="changed")
    assert passes[0] == [1]  # the last token of a prompt is always computed


def test_two_requests_of_one_session_do_not_share_a_cache(
    engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]]
) -> None:
    for _ in range(2):
        assert answers(engine, prompts[:3], GREEDY, session="same") == greedy[:3]


def test_the_oldest_sessions_are_forgotten(
    prompts: list[list[int]], passes: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_pass(session: str) -> int:
        passes.clear()
        answers(engine, prompts[:1], GREEDY, session=session)
        return passes[0][0]

    for limit, value in (("MOST_SESSIONS", 2), ("MOST_BYTES", 2 * 256 * 6 * 2 * 64 * 4)):
        engine = TorchEngine(resolve_model("builtin:tiny-ko"), "cpu", "fp32")
        with monkeypatch.context() as patched:
            patched.setattr(sessions, limit, value)
            whole = first_pass("a")
            assert [first_pass(name) for name in "abca"] == [1, whole, whole, whole]


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_prompts_go_through_in_chunks(
    engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]], passes: list[list[int]],
    monkeypatch: pytest.MonkeyPatch, chunk: int,
) -> None:  # fmt: skip
    monkeypatch.setattr("llmops_cli.inference.decoder.batch.CHUNK", chunk)
    assert answers(engine, prompts[:4], GREEDY) == greedy[:4]
    assert max(sum(spans) for spans in passes) <= chunk + 4


REPEATED = "비가 온다. 우산을 쓴다. 강아지가 뛴다. 고양이가 잔다. "


def test_drafts_change_no_token(
    engine: TorchEngine, prompts: list[list[int]], passes: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = engine.tokenizer.encode(REPEATED * 4)
    sampled = GenerationConfig(temperature=0.7, max_tokens=100, seed=3)
    greedy = GenerationConfig(temperature=0, max_tokens=100)
    penalised = GenerationConfig(temperature=0, max_tokens=60, dry_multiplier=0.8, repetition_penalty=1.1)
    cases = [(row, settings) for row in (prompt, *prompts[:3]) for settings in (greedy, sampled, penalised)]
    monkeypatch.setattr(drafts, "FIRST_CREDIT", 1e6)
    monkeypatch.setattr(drafts, "MOST_CREDIT", 1e6)
    drafted = [answers(engine, [row], settings)[0] for row, settings in cases]
    with_drafts = len(passes)
    passes.clear()
    monkeypatch.setattr(drafts.PromptLookup, "propose", lambda self, ids, most: [])
    assert [answers(engine, [row], settings)[0] for row, settings in cases] == drafted
    assert with_drafts < len(passes)


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
def test_drafting_pays_on_text_that_repeats_itself(precision: Any) -> None:
    lookup, ids = drafts.PromptLookup(precision), [*range(40), 7]
    follows = list(range(40)) * 3
    time, tokens = 0.0, 0
    while tokens < 100:
        draft = lookup.propose(ids, 50)
        real = follows[tokens : tokens + len(draft) + 1]
        accepted = next((n for n, (a, b) in enumerate(zip(draft, real, strict=False)) if a != b), len(draft))
        lookup.settle(len(draft), accepted)
        ids += real[: accepted + 1]
        tokens += accepted + 1
        time += 1 + lookup.cost(len(draft))
    assert time < 60


def test_a_draft_goes_round_in_a_short_repeat() -> None:
    for ids, draft in (
        ([8, 5, 5, 5, 5, 5], [5, 5, 5, 5]),
        ([1, 2, 1, 2, 1, 2, 1], [2, 1, 2, 1, 2]),
        ([1, 2, 3, 1, 2, 3], []),
    ):
        assert drafts.PromptLookup("int8").propose(ids, 50) == draft
        assert drafts.PromptLookup("int8").propose(ids, 2) == draft[:2]


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
@pytest.mark.parametrize("length", [4, 12])
def test_drafting_that_never_pays_costs_little(precision: Any, length: int) -> None:
    lookup, same = drafts.PromptLookup(precision), list(range(length))
    ids, extra, steps = [*same, 50], 0.0, 500
    for step in range(steps):
        ids += same  # what came after it always changes
        draft = lookup.propose(ids, 50)
        lookup.settle(len(draft), 0)
        ids.append(100 + step)
        extra += lookup.cost(len(draft))
    assert 0 < extra < 0.03 * steps


def test_a_sampled_answer_depends_on_its_seed_and_not_on_its_companions(
    engine: TorchEngine, prompts: list[list[int]]
) -> None:
    def config(seed: int) -> GenerationConfig:
        return GenerationConfig(temperature=1.2, top_p=0.9, max_tokens=30, seed=seed)

    alone = [answers(engine, [prompt], config(5))[0] for prompt in prompts[:6]]
    assert answers(engine, prompts[:6], config(5)) == alone
    assert answers(engine, prompts[3:9], config(5))[:3] == alone[3:]
    assert answers(engine, prompts[:6], config(6)) != alone


def test_answers_end_at_a_stop_token_the_limit_or_the_end_of_the_context(
    engine: TorchEngine, prompts: list[list[int]], greedy: list[list[int]]
) -> None:
    stops = set(engine.tokenizer.stop_ids)
    assert any(row[-1] in stops for row in greedy)
    assert not any(stops & set(row[:-1]) for row in greedy)
    assert [len(row) for row in answers(engine, prompts[:4], GenerationConfig(temperature=0, max_tokens=3))] == [3] * 4

    room = engine.context_length - 5
    prompt = (engine.tokenizer.encode(REPEATED) * 200)[:room]
    (answer,) = answers(engine, [prompt], GenerationConfig(temperature=0, max_tokens=500))
    assert len(answer) == 5 or answer[-1] in stops


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4", "bf16"])
def test_text_is_scored_in_chunks(transformers_model: Any, precision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TorchEngine(resolve_model("builtin:tiny-ko"), "cpu", precision)
    for module in ("engines.torch", "decoder.likelihood"):
        monkeypatch.setattr(f"llmops_cli.inference.{module}.CHUNK", 16)
    ids = engine.tokenizer.encode(" ".join(BEGINNINGS))
    with torch.inference_mode():
        rows = transformers_model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    exact = rows.gather(-1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()
    found = log_probabilities(engine, ids)
    assert len(found) == len(ids) - 1 > 32
    most = {"fp32": 1e-4, "int8": 0.5, "bf16": 0.5, "int4": 3}[precision]
    assert found == pytest.approx(exact, abs=most)
    assert sum(found) == pytest.approx(sum(exact), rel={"fp32": 1e-5, "int4": 0.08}.get(precision, 0.01))
    assert sum(map(len, engine.logits(ids))) == len(found)
    assert log_probabilities(engine, ids[:1]) == []


def test_records_share_passes_and_no_more_is_computed_than_is_asked_for(
    engine: TorchEngine, passes: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = engine.tokenizer.encode(" ".join(BEGINNINGS))
    ends = [9, 20, 1, 33, 5, 90]
    records = [
        Encoded(tokens[:end], [token if place % 3 else IGNORED for place, token in enumerate(tokens[:end])], 0)
        for end in ends
    ]
    alone = log_probabilities(engine, tokens)
    want = [[alone[place - 1] for place in range(1, end) if place % 3] for end in ends]
    passes.clear()
    for chunk, spans in ((512, [[8, 19, 32, 4, 89]]), (40, [[8, 19, 13], [19, 4, 17], [40], [32]])):
        monkeypatch.setattr("llmops_cli.inference.decoder.likelihood.CHUNK", chunk)
        found = list(engine.log_probabilities(records))
        assert [len(row) for row in found] == [record.labelled for record in records]
        for row, wanted in zip(found, want, strict=True):
            assert row == pytest.approx(wanted, abs=1e-4)
        assert passes == spans
        passes.clear()


def test_a_record_is_read_when_there_is_room_for_it(engine: TorchEngine, passes: list[list[int]]) -> None:
    records = iter([Encoded([5] * 201, [5] * 201, 0)] * 9)
    next(engine.log_probabilities(records))
    assert (len(list(records)), passes) == (6, [[200, 200, 112]])


def test_long_text_attends_in_blocks(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = engine.tokenizer.encode(" ".join(BEGINNINGS))
    whole = log_probabilities(engine, ids)
    for block in (1, 7, 64):
        monkeypatch.setattr("llmops_cli.inference.decoder.model.BLOCK", block)
        assert log_probabilities(engine, ids) == pytest.approx(whole, abs=1e-4)


def test_nan_in_the_logits_ends_the_job(tiny_model: Path) -> None:
    """Finite weights, and numbers that are not: a norm of 1e38 overflows."""
    folder = Path(shutil.copytree(tiny_model, "broken"))
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], 3e38)
    save_file(tensors, folder / "model.safetensors")
    engine = TorchEngine(resolve_model("broken"), "cpu", "fp32")
    for settings in (GREEDY, GenerationConfig()):
        with pytest.raises(GateFailed, match=r"broken: the model gives nan"):
            answers(engine, [[5, 6, 7]], settings)


def test_a_tokenizer_larger_than_the_embedding_is_refused(tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "model")
    make_tokenizer(Path("model"), vocabulary=450)
    with pytest.raises(InputError, match=r"the tokenizer has 450 tokens, the model 400"):
        TorchEngine(resolve_model("model"), "cpu", "fp32")


def test_precisions_that_the_device_is_slow_in_are_refused() -> None:
    with pytest.raises(MachineError, match="no fast fp16 products on the CPU"):
        TorchEngine(resolve_model("builtin:tiny-ko"), "cpu", "fp16")
    assert TorchEngine(resolve_model("builtin:tiny-ko"), "cpu").precision == "fp32"


def test_adapters_of_another_base_are_refused(tiny_model: Path, other_model: Path) -> None:
    files = ModelFiles("other", "other", other_model, Path("adapter"))
    with pytest.raises(InputError, match="the adapter 'poet' is not one of"):
        TorchEngine(resolve_model(str(tiny_model)), "cpu", "fp32", {"poet": files})


def test_a_run_answers_with_its_adapter_merged_or_beside(finished: Path, tiny_model: Path) -> None:
    run, base = resolve_model(str(finished)), resolve_model(str(tiny_model))
    merged, beside = TorchEngine(run, "cpu"), TorchEngine(base, "cpu", adapters={"mine": run})
    requests = [Request(GREEDY, text=text) for text in BEGINNINGS[:4]]
    alone = dict(complete_all(TextEngine(merged), requests))
    named = [Request(GREEDY, text=request.text, adapter=name) for request in requests for name in ("mine", "")]
    mixed = dict(complete_all(TextEngine(beside), named))
    assert [mixed[2 * place].token_ids for place in range(4)] == [alone[place].token_ids for place in range(4)]
    assert [mixed[2 * place + 1].token_ids for place in range(4)] != [alone[place].token_ids for place in range(4)]
    assert (merged.abilities.adapters, beside.abilities.adapters) == (False, True)
