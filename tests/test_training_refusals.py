"""What a training refuses: one line each with the right exit code, and nothing that was there is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, TRAINED_ON, Answer, Train, losses_of, record_of, weights_of, write_rows

REAL_LOOKUP = socket.getaddrinfo


def refused(answer: Answer, code: int, *words: str, lines: int = 1) -> None:
    assert answer.code == code, answer.err
    assert len(answer.errors) == lines, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.jsonl", None, ["gone.jsonl: no such file or folder"]),
        ("empty.jsonl", "", ["empty.jsonl: the file is empty"]),
        ("blank.jsonl", "\n\n", ["blank.jsonl: "]),
        ("notes.md", "비가 온다.", ["notes.md: cannot read .md: want .json, .jsonl, .ndjson, .csv, .tsv, .txt"]),
        ("broken.jsonl", '{"text": "하나"}\n{"text": "둘"}\n{"text": "셋"\n', ["broken.jsonl:3: broken JSON"]),
        ("shape.jsonl", '{"이름": "봄"}\n', ["shape.jsonl:1: unknown shape with 이름"]),
        (
            "words.jsonl",
            "비가 온다.\n",
            ["words.jsonl:1: plain text, no JSON in any line", "--set data.text_unit=file"],
        ),
        ("cp949.jsonl", '{"text": "비가 온다."}\n'.encode("cp949"), ["CP949", "--set data.encoding=cp949"]),
    ],
)
@pytest.mark.parametrize("role", ["train", "eval"])
def test_bad_data(train: Train, name: str, content: str | bytes | None, words: list[str], role: str) -> None:
    if content is not None:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    refused(train("a", **{f"data__{role}": name}), 2, *words)
    assert not Path("runs").exists()


def test_no_data_is_an_error_of_the_section(train: Train) -> None:
    refused(train("a", data__train=[]), 2, "data.train: no file is named -> --set data.train=PATH")


def test_data_of_which_nothing_can_be_learned(train: Train) -> None:
    silent = {"messages": [{"role": "user", "content": "비 " * 60}, {"role": "assistant", "content": "응."}]}
    write_rows("train.jsonl", [silent])
    refused(train("a"), 2, "data.train: no record teaches anything", "--set data.max_length=2048")
    write_rows("train.jsonl", TRAINED_ON)
    write_rows("heldout.jsonl", [silent])
    refused(train("a"), 2, "data.eval: no held-out record teaches anything")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train__lerning_rate": 1}, ["unknown key 'train.lerning_rate'", "did you mean 'learning_rate'?"]),
        ({"train__learning_rate": "fast"}, ["train.learning_rate: got 'fast', want "]),
        ({"train__learning_rate": -1}, ["train.learning_rate: got -1"]),
        ({"train__batch_size": 2.5}, ["train.batch_size: got 2.5, want "]),
        ({"train__keep": "worst"}, ["train.keep: got 'worst', want 'best' or 'last'"]),
        ({"device": "tpu"}, ["device: got 'tpu'"]),
        ({"lora__dropout": 1}, ["lora.dropout: got 1"]),
    ],
)
def test_bad_settings(train: Train, settings: dict[str, Any], words: list[str]) -> None:
    refused(train("a", **settings), 2, *words)
    assert not Path("runs").exists()


def test_a_device_that_is_not_here_is_never_replaced(train: Train) -> None:
    refused(train("a", device="mps"), 3, "device mps is not available here (available: cpu)", "--set device=auto")
    assert not Path("runs").exists()


@pytest.mark.parametrize("lookup", ["no network", "refused", "offline"])
def test_a_hub_that_cannot_be_reached(train: Train, monkeypatch: pytest.MonkeyPatch, lookup: str) -> None:
    import huggingface_hub.constants

    if lookup == "refused":
        monkeypatch.setattr(socket, "getaddrinfo", REAL_LOOKUP)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", lookup == "offline")
    started = time.monotonic()
    answer = train("a", model="Qwen/Qwen2-0.5B-Instruct")
    assert time.monotonic() - started < 20
    name = "Qwen/Qwen2-0.5B-Instruct"
    refused(answer, 3, f"{name}: not on this machine", f"llmops model fetch {name}", "--set model=FOLDER")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    "name", ["한국어/모델", "a b/c", "-x/y", "a/b..c", "./here", "/gone/model", "runs/gone", "~/gone", "only", "a/b/c"]
)
def test_a_model_that_is_nowhere(train: Train, run_here: Path, name: str) -> None:
    refused(train("a", model=name), 3, name, "finished")  # the runs that are here are named
    assert not Path("runs/a").exists()


def test_a_name_that_is_taken(train: Train) -> None:
    train("a")
    before = weights_of("runs/a"), record_of("runs/a")
    refused(train("a"), 2, "runs/a: a run named 'a' exists", "--name", "--resume")
    assert (weights_of("runs/a"), record_of("runs/a")) == before


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "a b", "-a"])
def test_a_name_that_is_no_name(train: Train, name: str) -> None:
    answer = train(name) if name != "-a" else train("a", "--name=-a")
    refused(answer, 2, "--name: a run name is letters, digits")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["q_proj", "v_porj"], ["lora.targets: no layer 'v_porj'", "did you mean 'v_proj'?"]),
        (["attention"], ["lora.targets: no layer 'attention': there are down_proj"]),
        ("all_linear", ["lora.targets: "]),
        ([], ["lora.targets: "]),
        ("(", ["lora.targets: not a regular expression"]),
    ],
)
def test_layers_that_are_not_there(train: Train, targets: Any, words: list[str]) -> None:
    refused(train("a", lora__targets=targets), 2, *words)
    assert not Path("runs").exists()


def test_everything_that_is_wrong_is_said_at_once(train: Train) -> None:
    answer = train("a/b", data__train="gone.jsonl", data__eval="lost.jsonl", model="nowhere", device="mps")
    refused(answer, 2, "gone.jsonl", "lost.jsonl", "nowhere", "device mps", "--name", lines=5)


def test_no_room_is_noticed_before_the_start(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    refused(train("a"), 3, "needs about", "on disk", "--set train.keep_checkpoints=1")
    assert not Path("runs").exists()


def when_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Any) -> None:
    from llmops_cli.training.trainer import RunCallback

    begin = RunCallback.on_step_begin

    def hooked(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        begin(self, args, state, control, **kwargs)
        if state.global_step == step - 1:
            action()

    monkeypatch.setattr(RunCallback, "on_step_begin", hooked)


@pytest.mark.parametrize("step", [1, 3])
def test_a_full_disk_loses_nothing(train: Train, step: int) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/somewhere")

    train("whole")
    with pytest.MonkeyPatch.context() as patch:
        when_step(patch, step, lambda: patch.setattr(os, "fsync", full))
        answer = train("a")
    refused(answer, 3, "no space left on the disk", "free space and run it again")
    assert not list(Path("runs").rglob(".staging-*"))
    checkpoints = [path.name for path in Path("runs/a").glob("checkpoints/*")]
    assert checkpoints == (["checkpoint-2"] if step > 2 else [])
    resumed = train("a", "--resume")
    assert resumed.code == 0, resumed.err
    assert weights_of("runs/a") == weights_of("runs/whole")
    assert losses_of("runs/a") == losses_of("runs/whole")


def test_a_workspace_that_cannot_be_written(train: Train, monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make = Path.mkdir

    def denied(self: Path, *arguments: Any, **options: Any) -> None:
        if self.absolute().is_relative_to(workspace):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        make(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", denied)  # root may write where no one else may
    refused(train("a"), 3, "runs/a: no permission to write or read here")


def test_memory_that_runs_out(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def out() -> None:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)")

    when_step(monkeypatch, 3, out)
    refused(train("a"), 3, "out of memory", "train.pack_length")
    assert Path("runs/a/checkpoints/checkpoint-2").is_dir()


@pytest.mark.parametrize("held_out", [True, False])
def test_a_loss_that_is_no_number_stops_the_training(train: Train, held_out: bool) -> None:
    data = {} if held_out else {"data__eval": []}
    answer = train("a", train__learning_rate=1e38, train__warmup=0.0, train__max_grad_norm=1e30, **data)
    refused(answer, 1, "the loss is nan", "runs/a", "learning_rate")
    assert "--resume" not in answer.err  # a lower rate is another run
    assert record_of("runs/a")["status"] == "failed"
    assert not Path("runs/a/adapter").exists()


def test_a_step_that_ruins_the_weights_is_no_result(train: Train) -> None:
    """The loss of the only step is a number; what it leaves is not."""
    answer = train("a", train__learning_rate=1e38, train__warmup=0.0, train__max_steps=1)
    refused(answer, 1, "the held-out loss is nan")
    assert not Path("runs/a/adapter").exists()


def test_a_bug_is_one_line_and_the_traceback_is_for_debug(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    when_step(monkeypatch, 1, lambda: [][1])
    refused(train("a"), 70, "a bug in llmops: IndexError", "--debug")
    answer = train("b", "--debug")
    assert answer.code == 70
    assert "Traceback" in answer.err


def test_held_out_records_that_cannot_be_learned_are_left_out(train: Train) -> None:
    silent = {"messages": [{"role": "user", "content": "비 " * 60}, {"role": "assistant", "content": "응."}]}
    write_rows("heldout.jsonl", [*HELD_OUT, silent])
    answer = train("a")
    assert answer.code == 0
    assert "data.eval: 1 records teach nothing (all labels masked), first heldout.jsonl:5" in answer.err
    assert json.loads(Path("runs/a/record.json").read_text())["held_out_records"] == 4
