"""Answers are computed once, and again as soon as anything changed that they depend on."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Server, chat_piece, event, reply
from suites_bench import CACHE, ITEMS, entries, kept, lines_of, measured, write_eval, write_suite
from workbench import Cli, record_of

from llmops_cli.config.layers import resolve
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import MachineError
from llmops_cli.core.interrupt import Interrupted
from llmops_cli.core.workspace import RunRequest
from llmops_cli.evaluation import job
from llmops_cli.evaluation.cache import Cache
from llmops_cli.evaluation.config import EvalConfig


def flip(path: Path, at: int = -1) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def swap(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


CHANGES: dict[str, Callable[[], object]] = {
    "weights": lambda: flip(Path("m/model.safetensors")),
    "adapter": lambda: flip(Path("runs/finished/adapter/adapter_model.safetensors")),
    "template": lambda: swap("m/tokenizer_config.json", "assistant", "assistanu"),
    "stops": lambda: swap("m/generation_config.json", "eos_token_id", "eos_token_ie"),
    "system": lambda: write_suite(system="짧게."),
    "prompts": lambda: write_suite(items=[{**item, "prompt": f"{item['prompt'][:-1]}!"} for item in ITEMS]),
    "setting": lambda: write_suite(generation={"max_tokens": 7}),
    "seed": lambda: write_suite(generation={"max_tokens": 6, "seed": 8}),
    "override": lambda: write_eval("m", generation={"top_k": 5}),
    "precision": lambda: write_eval("m", precision="bf16"),
    "engine": lambda: write_eval("m", engine="transformers"),
}
IRRELEVANT: dict[str, Callable[[], object]] = {
    "metrics": lambda: write_suite(metrics=["stop_rate"]),
    "order": lambda: write_suite(items=ITEMS[::-1]),
    "width": lambda: write_eval("m", at_once=2),
    "limit": lambda: write_eval("m", limit=2),
    "copy": lambda: shutil.move("m", "n") and write_eval("n"),
}


@pytest.mark.parametrize("what", [*CHANGES, *IRRELEVANT])
def test_what_an_answer_depends_on_and_nothing_else_makes_it_anew(
    cli: Cli, tiny_model: Path, run_here: Path, what: str
) -> None:
    shutil.copytree(tiny_model, "m")
    write_suite()
    write_eval("finished" if what == "adapter" else "m")
    measured(cli)
    before = kept()
    (CHANGES | IRRELEVANT)[what]()
    measured(cli)
    assert kept() == before + (len(ITEMS) if what in CHANGES else 0)


def test_a_killed_evaluation_keeps_what_it_finished(cli: Cli) -> None:
    write_suite(generation={"max_tokens": 100})
    write_eval("fake:words?delay=0.02", at_once=1)
    command = [sys.executable, "-m", "llmops_cli", "eval", "e.yaml", "--name", "e"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while kept() < 2:
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert record_of("runs/e")["status"] == "running"
    done = kept()
    before = entries()
    assert 2 <= done < len(ITEMS)
    assert cli("eval", "e.yaml", "--name", "e").code == 0
    assert before.items() <= entries().items()  # with the times they were made in
    assert kept() == len(ITEMS)
    assert [line["id"] for line in lines_of()] == [item["id"] for item in ITEMS]


class Impatient(SilentReporter):
    """Presses Ctrl-C after a few news of a bar."""

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None, unit: str = "") -> Iterator[Any]:
        yield self

    def update(self, done: int, note: str = "") -> None:
        if done == 2:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_is_finished(cli: Cli) -> None:
    write_suite()
    write_eval(at_once=1)
    with pytest.raises(Interrupted) as caught:
        job.run(job.plan(resolve(EvalConfig, Path("e.yaml")).config, RunRequest("e")), Impatient())
    assert caught.value.exit_code == 130
    assert str(caught.value) == "runs/e: interrupted: what was computed is kept -> the same command goes on from there"
    assert record_of("runs/e")["status"] == "interrupted"
    before = entries()
    assert len(before) == 2
    assert cli("eval", "e.yaml", "--name", "e").code == 0
    assert before.items() <= entries().items()
    answer = cli("eval", "e.yaml", "--name", "e")
    assert (answer.code, answer.errors) == (2, ["runs/e: a run named 'e' exists -> take another --name"])


ANSWER = reply(event(chat_piece("비가 와.\u2028다음 줄", "stop")) + b"data: [DONE]\n\n")


def test_a_server_is_asked_anew_unless_an_evaluation_was_stopped(cli: Cli, server: Server) -> None:
    write_suite()
    write_eval(f"{server.url}#m", at_once=1)
    server.replies = [ANSWER, ANSWER, reply(b"{}", status=401)]
    answer = cli("eval", "e.yaml", "--name", "e")
    assert answer.code == 3
    assert "2 of 4 answers to s are kept, and the same command goes on from there" in answer.errors[0]
    server.replies = [ANSWER]
    first = measured(cli)
    assert len(server.asked) == 3 + 2
    assert measured(cli)["suites"] == first["suites"]
    assert len(server.asked) == 3 + 2 + 4
    assert lines_of()[0]["output"] == "비가 와.\u2028다음 줄"


def write_version(version: int) -> None:
    with contextlib.closing(sqlite3.connect(CACHE)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda: CACHE.write_bytes(b"no database" * 999), "is broken"),
        (lambda: CACHE.write_bytes(CACHE.read_bytes()[:4096] + b"\xff" * 8192), "is broken"),
        (lambda: write_version(99), "was written by a newer llmops"),
    ],
)
def test_a_cache_that_cannot_be_read_is_put_aside(cli: Cli, spoil: Callable[[], None], why: str) -> None:
    write_suite()
    write_eval()
    measured(cli)
    spoil()
    answer = cli("eval", "e.yaml", "--name", "f")
    assert answer.code == 0
    assert answer.err.count(f"{CACHE} {why}: put aside as evaluation.aside") == 1
    assert kept() == len(ITEMS)


def test_two_evaluations_share_the_cache(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite", pytest.fail) as one, Cache(tmp_path / "c.sqlite", pytest.fail) as other:
        for number in range(20):
            (one if number % 2 else other).put(str(number), {"바다": number})
        assert all(cache.get(str(number)) == {"바다": number} for number in range(20) for cache in (one, other))
        assert "20" not in one
        assert other.get("20") is None


def test_a_full_disk_is_the_machines_fault(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.sqlite", pytest.fail) as cache:
        cache.put("a", "바다")
        cache._connection().execute("PRAGMA max_page_count = 4")
        with pytest.raises(MachineError, match="no space left on the disk"):
            cache.put("b", "바다" * 9999)
        assert cache.get("a") == "바다"


def test_the_same_measurements_are_logged_to_mlflow_once(cli: Cli, workspace: Path) -> None:
    from mlflow import MlflowClient

    write_suite(metrics=["stop_rate", "rouge_l[char]"], items=[{**item, "reference": "바다"} for item in ITEMS])
    write_eval(tracking={"experiment": "봄"}, gate={"limits": {"stop_rate": {"min": 0.1}}})
    result = measured(cli, name="a")
    client = MlflowClient(tracking_uri=f"sqlite:///{workspace}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("봄").experiment_id])
    assert record_of("runs/a")["mlflow_run_id"] == run.info.run_id
    assert run.data.params["fingerprint"] == result["fingerprint"]
    summary = result["suites"]["s"]["summary"]
    assert run.data.metrics == {
        "s/stop_rate": summary["stop_rate"],
        "s/rouge_l.char": summary["rouge_l[char]"],
        "gate/passed": 1.0,
    }
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert artifacts == {path.name for path in Path("runs/a").iterdir()}
    measured(cli, "--baseline", "runs/a", name="b")
    assert record_of("runs/b")["mlflow_run_id"] == run.info.run_id
    assert len(client.search_runs([run.info.experiment_id])) == 1
    client.delete_run(run.info.run_id)
    measured(cli, name="c")
    assert record_of("runs/c")["mlflow_run_id"] != run.info.run_id
