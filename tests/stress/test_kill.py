"""SIGKILL at any moment of a training, inside a save too: resumed, it comes to the same adapter."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

from workbench import write_config

STEPS = 40
KILLS = 6


def _train(name: str) -> subprocess.Popen[bytes]:
    settings = [f"train.max_steps={STEPS}", "train.checkpoint_every=2", "tracking.mlflow=false"]
    command = [sys.executable, "-m", "llmops_cli", "train", "train.yaml", "--name", name, "--resume"]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _adapter(name: str) -> str:
    return hashlib.sha256(Path("runs", name, "adapter", "adapter_model.safetensors").read_bytes()).hexdigest()


def _losses(name: str) -> list[str]:
    import json

    entries = [json.loads(line) for line in Path("runs", name, "metrics.jsonl").read_text().splitlines()]
    return [f"{entry['step']}:{entry['loss']}" for entry in entries if "loss" in entry]


def test_a_killed_training_loses_nothing(tiny_model: Path) -> None:
    write_config(tiny_model)
    straight = _train("straight")
    assert straight.wait(120) == 0
    dice = random.Random(7)
    kills = 0
    while kills < KILLS:
        process = _train("killed")
        metrics = Path("runs/killed/metrics.jsonl")
        before = metrics.read_bytes().count(b"\n") if metrics.is_file() else 0
        while process.poll() is None and (not metrics.is_file() or metrics.read_bytes().count(b"\n") <= before):
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.6))
        if process.poll() is not None:
            break
        process.kill()
        process.wait(30)
        kills += 1
    assert kills >= 1
    last = _train("killed")
    _, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors.decode()
    assert _adapter("killed") == _adapter("straight")
    assert _losses("killed") == _losses("straight")
