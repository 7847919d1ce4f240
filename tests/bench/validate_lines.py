"""A million lines of chat: `llmops data validate` beside `datasets` doing three of its checks, in turn.

The peer loads the file into a fresh cache and maps over it: roles valid and in turn, no turn empty, enough Hangul.
LLMOPS_BENCH_LINES sets another number of lines.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.gauge import gflops
from tests.bench.process import Finished, timed
from tests.planting.corpus import narrate
from tests.planting.talk import CASUAL, POLITE, exchange, templates
from tests.planting.words import NAMES, NARRATION, vocabulary

LINES = 1_000_000
PAIRS = 3
BAD = 0.001
"""Share of the lines with each of the three defects."""

PEER = """
import re, sys
from datasets import disable_progress_bars, load_dataset

disable_progress_bars()
HANGUL = re.compile("[가-힣ㄱ-ㅣ]+")
FOREIGN = re.compile(r"[^\\W\\d_가-힣ㄱ-ㅣ]+")

def is_foreign(text):
    foreign = sum(map(len, FOREIGN.findall(text)))
    return foreign > 0 and sum(map(len, HANGUL.findall(text))) < foreign

def faults(conversations):
    found = []
    for turns in conversations:
        roles = [turn["role"] for turn in turns]
        if roles[:1] == ["system"]:
            del roles[0]
        half = len(roles) // 2
        ordered = half and len(roles) == 2 * half == roles[::2].count("user") + roles[1::2].count("assistant")
        empty = not all([turn["content"] and not turn["content"].isspace() for turn in turns])
        foreign = any([turn["role"] == "assistant" and is_foreign(turn["content"]) for turn in turns])
        found.append((not ordered) + 2 * empty + 4 * foreign)
    return {"faults": found}

if __name__ == "__main__":
    file, cache, where = sys.argv[1:]
    data = load_dataset("json", data_files=file, cache_dir=cache, split="train")
    checked = data.map(
        faults, input_columns=["messages"], remove_columns=data.column_names, batched=True, batch_size=1_000,
        num_proc=2, keep_in_memory=where == "memory",
    )
    found = checked.with_format("numpy")["faults"][:]
    print(*(int((found & bit > 0).sum()) for bit in (1, 2, 4)))
"""


def run() -> None:
    """Interleaved rounds; those whose gauge is under 90 % of the best are dropped."""
    lines = int(os.environ.get("LLMOPS_BENCH_LINES", LINES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _write(folder / "chats.jsonl", lines)
        (folder / "peer.py").write_text(PEER, encoding="utf-8")
        print(f"{lines:,} lines, {size / lines:.0f} bytes a line")
        rounds: list[tuple[float, dict[str, Finished]]] = []
        for number in range(PAIRS):
            gauge = gflops()
            samples = {
                "three checks": _ours(folder, "--set", "checks=[structure,language]"),
                "all fast checks": _ours(folder, "--fast"),
                "datasets, on disk": _peer(folder, number, "disk"),
                "datasets, in memory": _peer(folder, number, "memory"),
            }
            rounds.append((gauge, samples))
            print(
                f"gauge {gauge:.1f} GFLOP/s: "
                + ", ".join(f"{key} {done.seconds:.1f} s" for key, done in samples.items())
            )
        best = max(gauge for gauge, _ in rounds)
        kept = [samples for gauge, samples in rounds if gauge >= 0.9 * best]
        for key in kept[0]:
            seconds = statistics.median(samples[key].seconds for samples in kept)
            ratio = statistics.median(_peer_seconds(samples) / samples[key].seconds for samples in kept)
            peak = max(samples[key].peak for samples in kept) / 2**20
            print(f"{key:20} median {seconds:6.1f} s  {ratio:5.1f} times as fast as datasets  peak {peak:,.0f} MiB")
        found = kept[0]["datasets, on disk"].out.strip()
        print(f"over {len(kept)} of {PAIRS} rounds; datasets found wrong roles, empty turns, other languages: {found}")


def _peer_seconds(samples: dict[str, Finished]) -> float:
    """The peer's better setting of two."""
    return min(done.seconds for key, done in samples.items() if key.startswith("datasets"))


def _ours(folder: Path, *options: str) -> Finished:
    command = [sys.executable, "-m", "llmops_cli", "data", "validate", "chats.jsonl", *options, "--json"]
    return timed(command, allowed=(0, 1), cwd=folder)


def _peer(folder: Path, number: int, cache: str) -> Finished:
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        return timed([sys.executable, "peer.py", "chats.jsonl", fresh, cache], cwd=folder)


def _write(path: Path, lines: int) -> int:
    """Write the chats; returns the size in bytes."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(_rows(lines))
    return path.stat().st_size


def _rows(lines: int) -> Iterator[str]:
    rng = random.Random(7)
    topics = (*CASUAL, *POLITE)
    words = vocabulary(rng, [*NARRATION, *templates(topics)], {"name": NAMES}, 1)
    for number in range(lines):
        question = narrate(rng, words, 1)  # with so many words that hardly a line is there twice
        _, answer = exchange(topics[int(rng.random() * len(topics))], words, rng)
        roles = "user", "assistant"
        chance = rng.random()
        if chance < BAD:
            roles = "user", "user"
        elif chance < 2 * BAD:
            answer = " "
        elif chance < 3 * BAD:
            answer = "Please wait a moment, I will check the schedule for you."
        turns = [{"role": role, "content": text} for role, text in zip(roles, (question, answer), strict=True)]
        yield json.dumps({"id": f"line-{number}", "messages": turns}, ensure_ascii=False) + "\n"
