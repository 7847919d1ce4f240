"""SIGKILL at any moment of a data job: outputs are old or new, workers end, and the next run leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workbench import write_rows

ROUNDS = 4  # of each job
OUTPUTS = {
    "convert": ["out/a.jsonl"],
    "merge": ["out/a.parquet"],
    "mask": ["out/a.jsonl"],
    "dedup": ["out/a.avro"],
    "split": ["out/train.jsonl", "out/heldout.jsonl"],
}


def start(job: str, source: str) -> subprocess.Popen[bytes]:
    """A job in a process group of its own."""
    output = "out" if job == "split" else OUTPUTS[job][0]
    command = [sys.executable, "-m", "llmops_cli", "data", job, source, "-o", output, "--set", "workers=2"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()


def digests(job: str) -> dict[str, str]:
    """SHA-256 of the outputs that are there."""
    return {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in OUTPUTS[job] if Path(name).exists()}


def running(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [words[-1] for words in found if int(words[0]) == group and not words[1].startswith("Z")]


def write_corpus(name: str, count: int) -> str:
    dice = random.Random(count)
    words = [chr(dice.randrange(ord("가"), ord("힣"))) + "다" for _ in range(2_000)]
    return write_rows(
        name,
        [
            {
                "id": f"r{number}",
                "prompt": " ".join(dice.choices(words, k=20)),
                "completion": " ".join(dice.choices(words, k=40)),
            }
            for number in range(count)
        ],
    )


@pytest.mark.parametrize("job", list(OUTPUTS))
def test_a_killed_job(job: str) -> None:
    small, large = write_corpus("small.jsonl", 300), write_corpus("large.jsonl", 24_000)
    finish(start(job, large))
    new = digests(job)
    before = time.monotonic()
    finish(start(job, large))
    seconds = time.monotonic() - before
    assert digests(job) == new, "the same input came to another output"
    shutil.rmtree("out")
    finish(start(job, small))
    old = digests(job)
    shutil.copytree("out", "old")
    dice = random.Random(7)
    for _ in range(ROUNDS):
        shutil.rmtree("out")
        shutil.copytree("old", "out")
        process = start(job, large)
        time.sleep(seconds * dice.uniform(0.2, 1.02))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed = time.monotonic()
        while left := running(process.pid):
            assert time.monotonic() - killed < 5, left
            time.sleep(0.05)
        found = digests(job)
        assert found.items() <= old.items() or found.items() <= new.items()  # a split may be torn, never mixed
        assert found in (old, new) or job == "split"
    finish(start(job, large))
    assert digests(job) == new
    assert not list(Path().rglob(".staging-*"))
    for name, digest in new.items():
        assert json.loads(Path(f"{name}.manifest.json").read_text(encoding="utf-8"))["output"]["sha256"] == digest
