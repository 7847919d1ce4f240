"""How often the gate fails a model that did not change, and how often it catches one that became 10 % worse.

`builtin:tiny-ko` answers prompts with two seeds, each gate prompts of its own, and nothing may be worse than with the
first. The worse model is the same with noise on its weights, as much as puts its perplexity on held-out text 10 % up.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from llmops_cli.core.console import SilentReporter
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.evaluation.answering import answer_seed
from llmops_cli.evaluation.calling import Metric, find_metrics
from llmops_cli.evaluation.config import GateConfig
from llmops_cli.evaluation.gate import decide
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item, Likelihood, Measurement
from llmops_cli.evaluation.report import Gate, Report, SetScores
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Engine, Request, complete_all
from llmops_cli.inference.open import open_engine
from llmops_cli.inference.scoring import score, scores
from llmops_cli.models.dataset import encode_records
from llmops_cli.models.resolve import resolve_model
from llmops_cli.prompts.encode import encode_conversation

MODEL = "builtin:tiny-ko"
GATES = int(os.environ.get("LLMOPS_BENCH_GATES", "200"))
PROMPTS = 24
SIZES = (1, 2, 4)
"""So many gates are joined to one, to see what more prompts bring."""
METRICS = {
    "answers": ("perplexity", "rep_2[char]", "rep_4[char]", "distinct_1", "distinct_2"),
    "references": ("perplexity",),
}
PARAMS = {name: {"window": 10} for name in ("distinct_1", "distinct_2")}
"""The answers are about 30 characters long."""
TOKENS = 48
AT_ONCE = 128
WORSE = 1.1
STEPS = 8
HELD_OUT = ["data/heldout/daily_json"]
TEXTS = 100

WHO = ("엄마", "아빠", "누나", "동생", "친구", "선생님", "할머니", "할아버지", "이모", "삼촌", "짝꿍", "선배")
WHEN = ("오늘 아침", "어제저녁", "지난 주말", "방학 첫날", "점심시간", "비 오는 날", "생일날", "새벽", "소풍날")
WHERE = ("부엌", "마당", "교실", "시장", "병원", "도서관", "바닷가", "공원", "편의점", "옥상", "기차역", "골목")
DID = ("전화를 걸었어", "우산을 잃어버렸어", "김밥을 만들었어", "편지를 받았어", "노래를 불렀어", "길을 물어봤어")
ASKS = ("그래서 어떻게 됐을까?", "너라면 어떻게 할래?", "이 이야기를 이어서 들려줘.")
REFERENCES = ("{where}에서 그런 일이 있었구나.", "나도 {when}에 {who}를 만났어.", "{who}한테 먼저 물어볼 것 같아.")

NO_BAR = SilentReporter().progress("", None).__enter__()

Row = tuple[str, Mapping[str, Measurement | None]]
Measured = dict[str, list[Row]]
"""By suite."""


def run() -> None:
    """Takes about ten minutes; `LLMOPS_BENCH_GATES` asks for fewer gates."""
    import torch

    torch.set_num_threads(1)  # two are slower on a model this small
    started = time.perf_counter()
    prompts = _prompts(GATES * PROMPTS)
    model = _engine(MODEL)
    with tempfile.TemporaryDirectory() as folder:
        worse = _worse(model, Path(folder))
    before, now = _measured(model, model, prompts, 1), _measured(model, model, prompts, 2)
    noised = _measured(worse, model, prompts, 2)
    print(f"{len(prompts)} prompts answered and measured three times in {time.perf_counter() - started:.0f} s")
    for size in SIZES:
        for what, after in (("the same model, another seed", now), ("the worse model", noised)):
            for suites in (("answers", "references"), ("answers",)):
                print(f"{GATES // size} gates of {size * PROMPTS} prompts on {' and '.join(suites)}, {what}:")
                print(f"  {_rates(size * PROMPTS, suites, before, after)}")


def _rates(size: int, suites: Sequence[str], before: Measured, after: Measured) -> str:
    """How many gates fail, and how often each limit does."""
    failing: Counter[str] = Counter()
    gates = [
        _gate({suite: (before[suite][place : place + size], after[suite][place : place + size]) for suite in suites})
        for place in range(0, len(before["answers"]) - size + 1, size)
    ]
    for gate in gates:
        failing.update(f"{each.suite}:{each.metric}" for each in gate.decisions if each.verdict == "failed")
    failed = sum(not gate.passed for gate in gates)
    undecided = sum(each.verdict == "undecided" and each.p_value is None for gate in gates for each in gate.decisions)
    limits = sum(len(gate.decisions) for gate in gates)
    by_limit = ", ".join(f"{name} {count}" for name, count in failing.most_common())
    return (
        f"{failed} of {len(gates)} failed, {failed / len(gates):.1%} ({by_limit or 'none'}); "
        f"{undecided} of {limits} limits had too few items"
    )


def _gate(rows: Mapping[str, tuple[list[Row], list[Row]]]) -> Gate:
    """Nothing may be worse; the rate of false alarms is that of a gate that says none."""
    before, after = (
        {suite: summarize(_metrics(suite), both[side], intervals=False) for suite, both in rows.items()}
        for side in (0, 1)
    )
    return decide(GateConfig(), _report(after), _report(before))


def _report(suites: dict[str, SetScores]) -> Report:
    return Report(MODEL, contract="", engine="", fingerprint="", suites=suites, beside={})


def _metrics(suite: str) -> list[Metric]:
    return find_metrics(METRICS[suite], PARAMS)


def _measured(engine: Engine, judge: Engine, prompts: Mapping[str, str], seed: int) -> Measured:
    """What the engine answers, with the perplexity that `judge` gives it, and how well it predicts the references."""
    requests = [
        Request(GenerationConfig(max_tokens=TOKENS, seed=answer_seed(seed, prompt)), _turns(prompt))
        for prompt in prompts
    ]
    done = dict(complete_all(engine, requests, at_once=AT_ONCE))
    answers = [done[place].output for place in range(len(prompts))]
    return {
        "answers": _rows("answers", judge, prompts, answers),
        "references": _rows("references", engine, prompts, list(prompts.values())),
    }


def _rows(suite: str, engine: Engine, prompts: Iterable[str], answers: Sequence[str]) -> list[Row]:
    assert engine.tokenizer is not None
    encoded = [
        encode_conversation(engine.tokenizer, [*_turns(prompt), {"role": "assistant", "content": answer}])
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    items = [
        Item(str(place), answers[place], likelihood=Likelihood(found.nats, found.tokens, found.characters))
        for place, found in enumerate(scores(engine, encoded, NO_BAR))
    ]
    return [(item.id, found) for item, found in measure(_metrics(suite), items, SilentReporter())]


def _engine(model: str) -> Engine:
    return open_engine(EngineConfig(model=model, device="cpu"))


def _turns(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _prompts(count: int) -> dict[str, str]:
    """Different prompts, each with something that might be answered."""
    draw = random.Random(0)
    every = list(itertools.product(WHO, WHEN, WHERE, DID, ASKS))
    return {
        f"{when}에 {where}에서 {who}한테 {did}. {ask}": draw.choice(REFERENCES).format(who=who, when=when, where=where)
        for who, when, where, did, ask in draw.sample(every, count)
    }


def _worse(model: Engine, folder: Path) -> Engine:
    """The model with noise on its matrices, as much as its perplexity on held-out text goes up by."""
    import torch
    from safetensors.torch import load_file, save_file

    source = resolve_model(MODEL).base
    weights = load_file(source / "model.safetensors")
    torch.manual_seed(0)
    noise = {
        name: torch.randn(weight.shape) * weight.float().std() for name, weight in weights.items() if weight.ndim > 1
    }
    assert model.tokenizer is not None
    records = list(read_records(HELD_OUT, ReadOptions()))[:TEXTS]
    encoded = encode_records(model.tokenizer, records, 512).records
    usual = score(model, encoded, NO_BAR).perplexity
    low, high = 0.0, 1.0
    for number in range(STEPS):
        share = (low + high) / 2
        noised = shutil.copytree(source, folder / str(number))
        shaken = {name: (weights[name] + share * each).to(weights[name].dtype) for name, each in noise.items()}
        save_file(weights | shaken, noised / "model.safetensors", {"format": "pt"})
        engine = _engine(str(noised))
        ratio = score(engine, encoded, NO_BAR).perplexity / usual
        low, high = (share, high) if ratio < WORSE else (low, share)
    print(f"noise of {share:.3f} of each matrix's deviation: held-out perplexity {ratio:.3f} times that of {usual:.1f}")
    return engine
