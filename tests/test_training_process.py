"""A training in a process of its own: killed without a word, then asked to stop, then finished, to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench import Train, losses_of, record_of, weights_of

SETTINGS = {"train__max_steps": 80, "train__checkpoint_every": 4, "data__eval": []}
CHECKPOINTS = Path("runs/cut/checkpoints")


def in_a_process(number: int, until: Callable[[], bool], *flags: str) -> tuple[int, str]:
    """Run the same training, send a signal when `until` holds; the exit code and stderr."""
    overrides = [f"--set={key.replace('__', '.')}={value}" for key, value in SETTINGS.items()]
    command = [sys.executable, "-m", "llmops_cli", "train", "train.yaml", "--name", "cut", *flags, *overrides]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not until() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_killed_stopped_and_finished_is_the_same_as_undisturbed(train: Train) -> None:
    code, _ = in_a_process(signal.SIGKILL, (CHECKPOINTS / "checkpoint-8/files.json").is_file)
    assert code == -signal.SIGKILL
    assert record_of("runs/cut")["status"] == "running"
    assert not Path("runs/cut/adapter").exists()
    killed_at = max(losses_of("runs/cut"))
    assert killed_at < 80

    code, errors = in_a_process(
        signal.SIGTERM, lambda: max(losses_of("runs/cut"), default=0) > killed_at + 4, "--resume"
    )
    assert code == 143, errors
    assert errors.count("\n") == 2  # that there is no held-out data, and where it stopped
    assert "error: runs/cut: stopped at step " in errors
    record = record_of("runs/cut")
    assert record["status"] == "interrupted"
    assert record["resumed_at"] >= 8

    answer = train("cut", "--resume", **SETTINGS)
    assert answer.code == 0, answer.err
    assert train("whole", **SETTINGS).code == 0
    assert weights_of("runs/cut") == weights_of("runs/whole")
    assert losses_of("runs/cut") == losses_of("runs/whole")
    assert not list(Path("runs").rglob(".staging-*"))
