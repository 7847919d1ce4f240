"""The users' corpus at full size through `data convert`, `validate`, `mask`, `dedup` and `split`, by the command line.

The corpus is made anew, or taken from the folder that LLMOPS_BENCH_CORPUS names.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.gauge import gflops
from tests.bench.process import timed
from tests.planting.corpus import make_corpus

AIM = 90.0
"""Seconds of all steps together, on the two cores of the build machine."""


def run() -> None:
    """Each step once: seconds, peak memory, records that it took and gave."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = os.environ.get("LLMOPS_BENCH_CORPUS") or _made(folder / "corpus")
        print(f"gauge {gflops():.1f} GFLOP/s")
        steps = [
            ("convert", corpus, "converted.jsonl"),
            ("validate", "converted.jsonl", ""),
            ("mask", "converted.jsonl", "masked.jsonl"),
            ("dedup", "masked.jsonl", "distinct.jsonl"),
            ("split", "distinct.jsonl", "parts"),
        ]
        total = 0.0
        for step, source, target in steps:
            options = ["-o", target] if target else ["--model", "builtin:tiny-ko"]
            command = [sys.executable, "-m", "llmops_cli", "data", step, source, *options, "--json"]
            # validate ends with 1 where it finds errors
            done = timed(command, allowed=(0, 1) if step == "validate" else (0,), cwd=folder)
            total += done.seconds
            wrote = f"{_records(folder / target):,} out" if target else f"found {_found(done.out)}"
            memory = f"peak {done.peak / 2**20:,.0f} MiB"
            print(f"{step:9} {done.seconds:6.1f} s  {memory}  {_records(folder / source):,} in, {wrote}")
        print(f"{'together':9} {total:6.1f} s, aim {AIM:.0f} s; gauge {gflops():.1f} GFLOP/s")


def _made(folder: Path) -> str:
    started = time.perf_counter()
    made = make_corpus(folder)
    print(
        f"made {made.files:,} files, {made.characters:,} characters, {len(made.exact)} exact and {len(made.near)} near "
        f"duplicates, {len(made.personal)} with personal data, in {time.perf_counter() - started:.1f} s"
    )
    return str(folder)


def _records(path: Path) -> int:
    """Lines of a .jsonl, or of all in a folder; of raw documents each counts as one."""
    files = [path] if path.is_file() else [file for file in path.rglob("*.json*") if ".manifest." not in file.name]
    return sum(file.read_bytes().count(b"\n") if file.suffix == ".jsonl" else 1 for file in files)


def _found(out: str) -> dict[str, int]:
    """Findings by check."""
    return {name: check["count"] for name, check in json.loads(out)["checks"].items() if check["count"]}
