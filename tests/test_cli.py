"""The command line as a person and a shell meet it: help, exit codes, one line per error."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import typer

from llmops_cli import __version__
from llmops_cli.app import app
from llmops_cli.commands import doctor, init
from llmops_cli.core.errors import MachineError
from llmops_cli.core.workspace import PACKAGE, shipped_root

if TYPE_CHECKING:
    from conftest import Cli

HEAVY = ("torch", "transformers", "peft", "mlflow", "chromadb", "pandas", "pydantic", "rich", "numpy", "matplotlib")


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    command = command or typer.main.get_command(app)
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


def fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `llmops init` raise."""

    def raising() -> NoReturn:
        hidden = "".join(["swo", "rdfish"])
        raise error if hidden else AssertionError

    monkeypatch.setattr(init, "shipped_root", raising)


def test_help_lists_every_command(cli: Cli) -> None:
    answer = cli("--help")
    assert (answer.code, answer.err) == (0, "")
    listed = answer.out.partition("Commands:")[2]
    names = {path[0] for path in commands() if len(path) == 1}
    assert names >= {"init", "doctor", "train", "eval", "generate", "chat", "run", "config", "data", "model"}
    assert all(f"  {name} " in listed for name in names)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from llmops_cli.app import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = done.stderr.split()
    assert "typer" in loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("path", commands(), ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_help_shows_an_example(cli: Cli, path: tuple[str, ...], flag: str) -> None:
    answer = cli(*path, flag)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: llmops {' '.join(path)}".rstrip())
    assert f"llmops {' '.join(path)}".rstrip() in answer.out.partition("Example")[2]


@pytest.mark.parametrize("path", [(), ("data",), ("config",), ("model",)], ids=" ".join)
def test_a_group_alone_shows_its_help(cli: Cli, path: tuple[str, ...]) -> None:
    answer = cli(*path)
    assert (answer.code, answer.out, answer.err.splitlines()) == (2, "", cli(*path, "--help").out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean 'train'? -> llmops --help"),
        (["config", "shwo", "x.yaml"], "Did you mean 'show'? -> llmops config --help"),
        (["data", "convert", "a", "--ouput", "b.jsonl"], "--output"),
        (["train", "x.yaml", "--nope"], "No such option: --nope"),
        (["train"], "Missing argument 'CONFIG'"),
        (["train", "x.yaml", "y.yaml"], "unexpected extra argument"),
        (["train", "x.yaml", "--set"], "requires an argument"),
        (["train", "x.yaml"], "x.yaml: no such configuration file"),
        (["config", "schema", "trian"], "did you mean 'train'?"),
        (["chat"], "--once"),
        (["data", "validate", "nowhere"], "nowhere: no such file or folder"),
        (["init", "/dev/null/x"], "/dev/null/x: cannot be used: not a directory"),
        (["config", "check", "/dev/null/x"], "no such configuration file"),
        (["config", "check", "x" * 5000], "file name too long"),
    ],
)
def test_wrong_input_is_one_line_and_2(cli: Cli, arguments: list[str], said: str) -> None:
    answer = cli(*arguments)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert answer.err.startswith("error: ")
    assert said in answer.err


def test_version(cli: Cli) -> None:
    answer = cli("--version")
    assert (answer.code, answer.out, answer.err) == (0, f"llmops {__version__}\n", "")


def test_python_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["llmops_cli", "--version"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("llmops_cli", run_name="__main__")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ended.value.code, capsys.readouterr().out) == (0, f"llmops {__version__}\n")


def test_a_name_that_is_not_utf_8(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, UnicodeEncodeError("utf-8", "a\udcff.csv", 1, 2, "surrogates not allowed"))
    answer = cli("init", "x")
    assert (answer.code, answer.errors) == (
        2,
        [r"a file name or an argument that is not UTF-8: 'a\udcff.csv' -> rename it"],
    )


def test_stdin_that_is_not_utf_8(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ab\xff"), encoding="utf-8"))
    answer = cli("chat", "builtin:tiny-ko", "--once", "-")
    assert (answer.code, answer.errors) == (2, ["stdin: not UTF-8 -> iconv -f CP949 -t UTF-8"])


@pytest.mark.parametrize("error", [KeyError("lost"), RuntimeError("two\nlines"), AssertionError(), FileNotFoundError()])
def test_a_bug_is_one_line_and_70(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail(monkeypatch, error)
    answer = cli("init", "x")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (70, "", 1)
    assert f"a bug in llmops: {type(error).__name__}" in answer.err
    assert "--debug" in answer.err


@pytest.mark.parametrize("words", [["--debug", "init", "x"], ["init", "--debug", "x"], ["init", "x", "--debug"]])
def test_debug_shows_the_traceback_without_locals(cli: Cli, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    fail(monkeypatch, KeyError("lost"))
    answer = cli(*words)
    assert answer.code == 70
    assert "Traceback" in answer.err
    assert "shipped_root()" in answer.err
    assert "swordfish" not in answer.err
    assert answer.err.splitlines()[-1].startswith("error: ")


def test_debug_works_for_errors_that_are_no_bugs(cli: Cli) -> None:
    answer = cli("train", "x.yaml", "--debug")
    assert answer.code == 2
    assert "Traceback" in answer.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/a/model"), "runs/a/model: no space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "x"), "no space left"),
        (PermissionError(errno.EACCES, "Permission denied", "runs/a"), "runs/a: no permission"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "no permission"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "no space left"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)\nmore"), "out of memory"),
        (MemoryError(), "out of memory"),
        (ModuleNotFoundError("No module named 'peft.x'", name="peft.x"), "library peft is missing -> llmops doctor"),
        (MachineError("no such model", where="a/b"), "a/b: no such model"),
    ],
)
def test_what_the_machine_lacks_is_one_line_and_3(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    fail(monkeypatch, error)
    answer = cli("init", "x")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (3, "", 1)
    assert said in answer.err


def test_a_missing_module_of_ours_is_a_bug(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, ModuleNotFoundError("No module named 'llmops_cli.x'", name="llmops_cli.x"))
    assert cli("init", "x").code == 70


def test_ctrl_c_is_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, KeyboardInterrupt())
    answer = cli("init", "x")
    assert (answer.code, answer.out, answer.err.split()) == (130, "", ["interrupted"])


def test_sigterm_is_143() -> None:
    command = [sys.executable, "-m", "llmops_cli", "chat", "--once", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("model:")  # from here on it waits for stdin
        process.terminate()
        assert process.wait(30) == 143
        assert process.stderr.read() == ""


def test_a_broken_pipe_is_quiet() -> None:
    Path("a.yaml").write_text("model: m\nprompt: p\n", encoding="utf-8")
    command = [sys.executable, "-m", "llmops_cli", "config", "show", "a.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (0, "")


def test_doctor(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = cli("doctor")
    assert (text.code, text.err) == (0, "")
    assert all(word in text.out for word in ("device", "dtype", "memory", str(Path().resolve()), "torch", "nothing"))
    answer = cli("doctor", "--json")
    facts = answer.json()
    assert (answer.code, answer.err, facts["missing"], facts["type"]) == (0, "", [], None)
    assert facts["device"] in ("mps", "cuda", "cpu")
    assert facts["device_reason"]
    assert facts["memory"] > 0
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in cli("doctor", "--json").json()["offline"]


@pytest.mark.parametrize("missing", [("sentence_transformers", "optuna"), ("torch",)])
def test_doctor_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else found(name))
    monkeypatch.setenv("COLUMNS", "200")
    order = [name for name in doctor.REQUIRED if name in missing]
    install = f"pip install {' '.join(order).replace('_', '-')}"
    text, answer = cli("doctor"), cli("doctor", "--json")
    assert (text.code, answer.code) == (3, 3)
    assert install in text.out
    assert (answer.json()["missing"], answer.json()["type"]) == (order, install)


def test_doctor_in_a_folder_that_cannot_be_written(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    assert cli("doctor", "--json").code == 3


@pytest.fixture
def few_samples(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `init` copy the shipped configs and recipes and one file of data."""
    root = tmp_path_factory.mktemp("shipped")
    for name in ("configs", "recipes"):
        (root / name).symlink_to(shipped_root() / name)
    (root / "data/.hidden").mkdir(parents=True)
    (root / "data/a.jsonl").write_text('{"text": "가"}\n', encoding="utf-8")
    monkeypatch.setattr(init, "shipped_root", lambda: root)


@pytest.mark.usefixtures("few_samples")
@pytest.mark.parametrize("directory", ["story", "a/b/이야기", "."])
def test_init(cli: Cli, directory: str) -> None:
    answer = cli("init", directory, "--json")
    assert (answer.code, answer.err, answer.json()["directory"]) == (0, "", directory)
    assert sorted(path.name for path in Path(directory).iterdir()) == ["configs", "data", "recipes"]
    for name in ("configs", "recipes"):
        files = list(Path(directory, name).rglob("*.yaml"))
        assert files
        for path in files:
            assert path.read_bytes() == (shipped_root() / path.relative_to(directory)).read_bytes()
    assert [path.name for path in Path(directory, "data").iterdir()] == ["a.jsonl"]
    assert json.loads(Path(directory, "data/a.jsonl").read_text(encoding="utf-8")) == {"text": "가"}


@pytest.mark.usefixtures("few_samples")
def test_init_leaves_what_is_there_alone(cli: Cli) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine", encoding="utf-8")
    for taken in ("full", "full/mine.txt"):
        answer = cli("init", taken)
        assert (answer.code, len(answer.err.splitlines())) == (2, 1)
        assert f"error: {taken}: " in answer.err
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]
    assert Path("full/mine.txt").read_text(encoding="utf-8") == "mine"


def test_data_convert_and_validate(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    Path("raw.csv").write_text("Q,A\n안녕?,반가워.\n빈 답,\n", encoding="utf-8")
    answer = cli("data", "convert", "raw.csv", "-o", "a.jsonl", "--json")
    assert (answer.code, answer.err) == (0, "warning: dropped 1: empty content 1\n")
    assert answer.json()["records"] == {"in": 2, "out": 1, "dropped": {"empty content": 1}, "changed": {}}
    text = cli("data", "convert", "raw.csv", "-o", "a.jsonl")
    assert text.code == 0
    assert all(word in text.out for word in ("a.jsonl", "a.jsonl.manifest.json", "dropped"))
    assert cli("data", "validate", "a.jsonl").out.startswith("good: nothing found")
    for flags in ((), ("--json",)):
        answer = cli("data", "validate", "raw.csv", *flags)
        assert (answer.code, answer.err) == (1, "")
        assert "raw.csv:3" in answer.out
    assert answer.json()["ok"] is False
    wrong = cli("data", "convert", "raw.csv", "-o", "a.txt", "--set", "limt=1", "--set", "limit=0")
    assert (wrong.code, len(wrong.errors)) == (2, 3)


def test_a_long_list_of_findings_is_cut_for_people_only(cli: Cli) -> None:
    Path("raw.jsonl").write_text('{"text": "글 \\ufffd"}\n' * 25, encoding="utf-8")
    assert "more: --json lists" in cli("data", "validate", "raw.jsonl").out
    assert len(cli("data", "validate", "raw.jsonl", "--json").json()["findings"]) >= 25
