"""Outputs are whole or not there: whatever happens to inputs, disk and permissions, and whoever else writes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli, write_file, write_rows

from llmops_cli.core import files
from llmops_cli.core.console import Progress, SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import atomic_writer, locked_directory, staging_path
from llmops_cli.data import batches, convert
from llmops_cli.data.config import ConvertConfig
from llmops_cli.data.rewrite import RewriteResult

ROWS = '{"text": "하나"}\n{"text": "둘"}\n'


class Meddler(SilentReporter):
    """Does something to the files while they are read."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self._meddle = meddle

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None, unit: str = "") -> Iterator[Progress]:
        with super().progress(label, total, unit) as progress:
            self._meddle()
            yield progress


@pytest.fixture
def run() -> Callable[[Callable[[], object]], RewriteResult]:
    """A conversion of `d` to `old.jsonl` in which something happens to the files."""
    write_file("d/a.jsonl", ROWS)
    write_file("d/b.jsonl", ROWS)
    write_file("old.jsonl", "old")

    def meddled(meddle: Callable[[], object]) -> RewriteResult:
        config = ConvertConfig(input=["d"], output="old.jsonl")
        return convert.run(convert.plan(config), Meddler(meddle))

    return meddled


def grow() -> None:
    with Path("d/b.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"text": "셋"}\n')


@pytest.mark.parametrize(
    "meddle",
    [
        grow,
        lambda: Path("d/b.jsonl").unlink(),
        lambda: Path(write_file("other.jsonl", ROWS)).replace("d/b.jsonl"),
        lambda: os.truncate("d/b.jsonl", 5),
        lambda: (Path("d/b.jsonl").unlink(), Path("d/b.jsonl").mkdir()),
    ],
    ids=["grown", "gone", "replaced", "cut", "a folder"],
)
@pytest.mark.parametrize("small", [1_000, 0])
def test_an_input_that_changes_while_it_is_read(
    run: Callable[[Callable[[], object]], RewriteResult],
    monkeypatch: pytest.MonkeyPatch,
    meddle: Callable[[], object],
    small: int,
) -> None:
    monkeypatch.setattr(batches, "_SMALL", small)
    with pytest.raises(InputError) as caught:
        run(meddle)
    (problem,) = caught.value.problems
    assert problem.where == "d/b.jsonl"
    assert "changed while it was read; nothing was written" in problem.what
    assert Path("old.jsonl").read_text(encoding="utf-8") == "old"
    assert not list(Path().glob(".staging-*"))


def test_a_file_that_comes_while_others_are_read_is_left_out(
    run: Callable[[Callable[[], object]], RewriteResult],
) -> None:
    assert run(lambda: write_file("d/c.jsonl", ROWS)).records == 4


def refuse(number: int, name: str) -> Callable[..., Any]:
    """An `os.open` that fails for one file."""
    whole = os.open

    def opened(path: Any, *arguments: Any, **options: Any) -> int:
        if name in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return whole(path, *arguments, **options)

    return opened


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written(cli: Cli, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    write_file("a.jsonl", ROWS)
    monkeypatch.setattr(os, "open", refuse(number, "out.jsonl"))
    answer = cli("data", "convert", "a.jsonl", "-o", "out.jsonl")
    assert (answer.code, answer.out, len(answer.errors)) == (3, "", 1)
    assert answer.err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
@pytest.mark.parametrize("output", ["/proc/out.jsonl", "/proc/folder/out.jsonl"])
def test_a_place_that_can_hold_no_file(cli: Cli, output: str) -> None:
    write_file("a.jsonl", ROWS)
    answer = cli("data", "convert", "a.jsonl", "-o", output)
    assert answer.code == 3
    assert answer.errors == [f"{output}: nothing can be made here -> choose another folder"]


def test_an_input_that_may_not_be_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file("d/a.jsonl", ROWS)
    write_file("d/b.jsonl", ROWS)
    whole = Path.open

    def opened(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "b.jsonl":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", opened)
    answer = cli("data", "convert", "d/b.jsonl", "-o", "out.jsonl")
    assert (answer.code, answer.errors) == (2, ["d/b.jsonl: cannot be read: Permission denied"])


class FullDisk(io.FileIO):
    """A file on a disk with room for a few bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 300:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "avro"])
def test_a_full_disk(cli: Cli, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    write_file("a.jsonl", ROWS * 100)
    write_file(f"out.{suffix}", "old")
    monkeypatch.setattr(files, "open", lambda file, mode: io.BufferedWriter(FullDisk(file, mode)), raising=False)
    answer = cli("data", "convert", "a.jsonl", "-o", f"out.{suffix}")
    assert answer.code == 3
    (line,) = answer.errors
    assert line.startswith("no space left on the disk; what was whole before still is")
    assert sorted(path.name for path in Path().iterdir()) == ["a.jsonl", f"out.{suffix}"]
    assert Path(f"out.{suffix}").read_text(encoding="utf-8") == "old"


def test_two_runs_do_not_write_one_output(cli: Cli) -> None:
    write_file("a.jsonl", ROWS)
    with atomic_writer(Path("out.jsonl")) as first:
        first.write("of the first ")
        answer = cli("data", "convert", "a.jsonl", "-o", "out.jsonl")
        assert answer.code == 3
        assert answer.errors == ["out.jsonl: another process is writing this -> wait until it is done"]
        first.write("run")
    assert Path("out.jsonl").read_text(encoding="utf-8") == "of the first run"
    assert cli("data", "convert", "a.jsonl", "-o", "out.jsonl").code == 0


def test_two_splits_do_not_write_one_folder(cli: Cli) -> None:
    write_rows("a.jsonl", [{"text": f"{number}번째로 쓴 전혀 다른 글 {number * 7919}"} for number in range(20)])
    with locked_directory(Path("parts")):
        answer = cli("data", "split", "a.jsonl", "-o", "parts")
        assert (answer.code, list(Path("parts").iterdir())) == (3, [])
    assert cli("data", "split", "a.jsonl", "-o", "parts").code == 0


def test_what_a_killed_run_left_is_taken_over() -> None:
    target = Path("out.txt")
    staging_path(target).write_text("half of something much longer", encoding="utf-8")
    with atomic_writer(target) as stream:
        stream.write("whole")
    assert [path.name for path in Path().iterdir()] == ["out.txt"]
    assert target.read_text(encoding="utf-8") == "whole"


def test_a_writer_that_fails_leaves_nothing() -> None:
    with contextlib.suppress(KeyboardInterrupt), atomic_writer(Path("deep/out.txt")) as stream:
        stream.write("half")
        raise KeyboardInterrupt
    assert list(Path("deep").iterdir()) == []
