"""Memory of a data job does not grow with its input, and a line of a gigabyte is refused in little of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

MB = 1_000_000


def convert(source: str, *options: str) -> tuple[int, str, float]:
    """Exit code, stderr, and the most MB that the processes of a conversion had at one time."""
    command = [sys.executable, "-m", "llmops_cli", "data", "convert", source, "-o", "out.jsonl", *options]
    with Path("said.txt").open("wb") as said:
        process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        most = 0
        while process.poll() is None:
            most = max(most, memory(process))
            time.sleep(0.02)
    return process.returncode, Path("said.txt").read_text(encoding="utf-8"), most / MB


def memory(process: psutil.Process) -> int:
    """Resident bytes of a process and its children; one that ends meanwhile has none."""
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def write_large(name: str, size: int, characters: int) -> str:
    """Rows of plain text of some `characters` each, as JSON lines or a JSON array, to `size` bytes."""
    text = ("오늘 저녁에는 김치찌개를 끓여 먹자. " * (characters // 20 + 1))[:characters]
    array = name.endswith(".json")
    written = number = 0
    with Path(name).open("w", encoding="utf-8") as stream:
        stream.write("[" * array)
        while written < size:
            number += 1
            row = json.dumps({"id": f"r{number}", "text": f"{number}번 {text}"}, ensure_ascii=False)
            stream.write(f"{',' * (array and number > 1)}{row}\n")
            written += len(row.encode())
        stream.write("]" * array)
    return name


@pytest.mark.parametrize(
    ("name", "characters", "growth"), [("a.jsonl", 500, 60), ("a.jsonl", 100_000, 30), ("a.json", 500, 90)]
)
@pytest.mark.parametrize("workers", [1, 2])
def test_ten_times_the_input_takes_no_more_memory(name: str, characters: int, growth: int, workers: int) -> None:
    """Of `growth` MB at most; ids are kept, some 80 bytes each."""
    peaks = []
    for size in (30, 300):
        code, said, most = convert(write_large(name, size * MB, characters), "--set", f"workers={workers}")
        assert code == 0, said
        peaks.append(most)
    print(f"{name} of rows of {characters}, {workers} workers: {peaks[0]:.0f} MB for 30 MB, {peaks[1]:.0f} for 300")
    assert peaks[1] < peaks[0] + growth


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_a_line_of_a_gigabyte(name: str) -> None:
    opening = {"a.jsonl": '{"text": "', "a.json": '[{"text": "', "a.csv": "Q,A\n", "a.txt": ""}[name]
    with Path(name).open("w", encoding="utf-8") as stream:
        stream.write({"a.jsonl": '{"text": "첫 줄"}\n', "a.csv": "Q,A\n하나,둘\n"}.get(name, "") + opening)
        for _ in range(1_000):
            stream.write("x" * MB)
        stream.write('"}\n{"text": "끝 줄"}\n')
    code, said, most = convert(name)
    print(f"{name}: {most:.0f} MB")
    assert code == (2 if name == "a.json" else 0), said
    assert "unreadable" in said or "a row of more than 64 MiB" in said
    assert most < 400
