"""`llmops chat --once`: the answer on stdout and nothing else."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli, write_rows

SHORT = ("--set", "generation.max_tokens=12", "--set", "generation.temperature=0")


def asked(cli: Cli, *arguments: object) -> str:
    answer = cli("chat", *arguments, *SHORT)
    assert answer.code == 0, answer.err
    return answer.out


def test_stdout_is_the_answer(cli: Cli, run_here: Path) -> None:
    answer = cli("chat", "finished", "--once", "비가 와?", *SHORT)
    write_rows("p.jsonl", [{"messages": [{"role": "user", "content": "비가 와?"}]}])
    assert cli("generate", "p.jsonl", "-o", "o.jsonl", "--model", "finished", *SHORT).code == 0
    written = json.loads(Path("o.jsonl").read_text())
    assert answer.out == written["output"] + "\n"
    assert answer.err == ""
    as_json = cli("chat", "finished", "--once", "비가 와?", "--json", *SHORT).json()
    assert as_json == {
        "output": written["output"], "token_ids": written["token_ids"], "finish_reason": written["finish_reason"],
        "prompt_tokens": as_json["prompt_tokens"], "completion_tokens": len(written["token_ids"]),
    }  # fmt: skip
    assert as_json["prompt_tokens"] > 5


def test_the_question_may_come_from_stdin(cli: Cli, run_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("비가 와?\n"))
    assert asked(cli, "finished", "--once", "-") == asked(cli, "finished", "--once", "비가 와?")


def test_without_a_name_the_newest_run_answers(cli: Cli, finished: Path, run_here: Path, tiny_model: Path) -> None:
    newer = Path(shutil.copytree(finished, "runs/newer"))
    os.utime(newer / "adapter", (2e9, 2e9))
    shutil.copytree(finished, "runs/unfinished")
    shutil.rmtree("runs/unfinished/adapter")
    answer = cli("chat", "--once", "비가 와?", *SHORT)
    assert (answer.code, answer.err) == (0, "model: runs/newer\n")
    assert answer.out == asked(cli, "runs/newer", "--once", "비가 와?")
    (run_here / "model").mkdir()  # of a full training
    os.utime(run_here / "model", (2.1e9, 2.1e9))
    assert cli("chat", "--once", "비가 와?", *SHORT).err == "model: runs/finished\n"


def test_without_any_run_the_builtin_model_is_taken(
    cli: Cli, monkeypatch: Any, tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model, tmp_path / "builtin/tiny-ko")
    monkeypatch.setattr("llmops_cli.models.resolve.BUILTIN_DIRECTORY", tmp_path / "builtin")
    answer = cli("chat", "--once", "비가 와?", *SHORT)
    assert (answer.code, answer.err) == (0, "model: builtin:tiny-ko\n")
    assert answer.out.strip()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ((), 2, "--once: want a question"),
        (("finished",), 2, "--once: want a question"),
        (("finished", "--once", ""), 2, "arguments: prompt: "),
        (("nowhere", "--once", "비?"), 3, "nowhere: no such model folder, run or hub name"),
        (("builtin:nothing", "--once", "비?"), 3, "model: no builtin model 'builtin:nothing'"),
        (("finished", "--once", "비?", "--set", "generation.temperature=hot"), 2, "--set generation.temperature: "),
        (("finished", "--once", "비?", "--set", "device=cuda"), 3, "device: device cuda is not available here"),
        (("finished", "--once", "비 " * 300), 2, "the prompt has "),
    ],
)
def test_what_cannot_be_asked(cli: Cli, run_here: Path, arguments: Any, code: int, line: str) -> None:
    answer = cli("chat", *arguments)
    assert answer.code == code
    assert len(answer.errors) == 1
    assert answer.errors[0].startswith(line)
    assert answer.out == ""


@pytest.mark.parametrize("piped", ["", " \n"])
def test_an_empty_stdin_is_no_question(cli: Cli, run_here: Path, monkeypatch: pytest.MonkeyPatch, piped: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    answer = cli("chat", "finished", "--once", "-")
    assert (answer.code, len(answer.errors), answer.out) == (2, 1, "")


def test_a_pipe_has_no_colours_and_keeps_nothing(cli: Cli, run_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("비가 와?\n"))
    answer = cli("chat", "finished", "--once", "-", *SHORT)
    assert "\x1b" not in answer.out + answer.err
    assert answer.out.endswith("\n")
    assert not answer.out.endswith("\n\n")
    assert not Path("chats.db").exists()


def test_a_real_pipe() -> None:
    """Bytes that are no UTF-8 are refused; a reader that goes away ends the answer without a word."""
    command = [sys.executable, "-m", "llmops_cli", "chat", "fake:words?length=2000", "--once", "-"]
    broken = subprocess.run(command, input=b"\xff\xfe", capture_output=True, check=False)
    assert (broken.returncode, broken.stdout) == (2, b"")
    assert broken.stderr.decode().startswith("error: stdin: not UTF-8 -> ")
    pipe = subprocess.PIPE
    long = [*command, "--set", "generation.max_tokens=20000"]
    with subprocess.Popen(long, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write("비가 와?".encode())
        process.stdin.close()
        assert process.stdout.read(3)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
