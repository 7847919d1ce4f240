"""What every test gets: a temp folder to stand in, an empty home, and no network."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from chat_server import Server
from workbench import Answer, Cli, Train, make_model, write_config

from llmops_cli.core.environment import quiet_libraries

quiet_libraries()  # before a test imports what it quiets
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # nothing listens there; also for the processes that tests start
os.environ["OMP_NUM_THREADS"] = "1"  # two threads are slower than one on models this small
RESOLVE = socket.getaddrinfo


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder the test runs in."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("HF_HOME", str(home / "huggingface"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> NoReturn:
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with the OpenAI interface, which can be reached, and no key for it."""
    monkeypatch.setattr(socket, "getaddrinfo", RESOLVE)
    for name in ("OPENAI_API_KEY", "LLMOPS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("train", "x.yaml")`: the command line in this process."""

    def run(*arguments: object) -> Answer:
        from llmops_cli.app import main

        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base model of the tests."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the same shape with other weights."""
    return make_model(tmp_path_factory.mktemp("models") / "other", seed=2)


@pytest.fixture(scope="session")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another shape."""
    return make_model(tmp_path_factory.mktemp("models") / "wide", hidden=48)


@pytest.fixture
def train(cli: Cli, tiny_model: Path) -> Train:
    """`train("a", "--resume", train__seed=8)`: a training of a few steps in runs/a."""
    write_config(tiny_model)

    def run(name: str, *flags: str, **settings: object) -> Answer:
        overrides = [
            word
            for key, value in settings.items()
            for word in ("--set", f"{key.replace('__', '.')}={json.dumps(value, ensure_ascii=False)}")
        ]
        return cli("train", "train.yaml", "--name", name, *flags, *overrides)

    return run


@pytest.fixture(scope="session")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 20 steps. Tests that change it copy it first."""
    from llmops_cli.config.layers import resolve
    from llmops_cli.core.console import SilentReporter
    from llmops_cli.core.workspace import RunRequest
    from llmops_cli.training import job
    from llmops_cli.training.config import TrainConfig

    with contextlib.chdir(tmp_path_factory.mktemp("finished")):
        config = resolve(TrainConfig, write_config(tiny_model), ["train.max_steps=20"]).config
        job.run(job.plan(config, RunRequest("finished")), SilentReporter())
        return Path("runs/finished").resolve()


@pytest.fixture
def run_here(finished: Path) -> Path:
    """A copy of the finished run in this workspace."""
    return Path(shutil.copytree(finished, "runs/finished"))


@pytest.fixture
def evaluation(tiny_model: Path) -> Path:
    """`eval.yaml` with its data."""
    return write_config(tiny_model).with_name("eval.yaml")
