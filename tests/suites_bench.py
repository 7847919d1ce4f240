"""Tiny suites and evaluations of them."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from workbench import Cli

CACHE = Path("runs/.cache/evaluation.sqlite")
ITEMS = [{"id": f"p{number}", "prompt": f"바다 이야기 {number}번을 써 줘."} for number in range(4)]
METRICS = ["rep_1", "stop_rate", "output_length", "first_token_time[p50]"]


def write_suite(name: str = "s.yaml", **values: Any) -> str:
    suite = {"about": "바다", "metrics": METRICS, "items": ITEMS, "generation": {"max_tokens": 6}} | values
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(json.dumps(suite, ensure_ascii=False), encoding="utf-8")
    return name


def write_eval(model: object = "fake:words", **values: Any) -> None:
    config = {"model": str(model), "suites": ["s.yaml"], "tracking": {"mlflow": False}} | values
    Path("e.yaml").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")


def measured(cli: Cli, *arguments: str, name: str = "e") -> dict[str, Any]:
    shutil.rmtree(f"runs/{name}", ignore_errors=True)
    answer = cli("eval", "e.yaml", "--name", name, "--json", *arguments)
    assert answer.code == 0, answer.err
    result: dict[str, Any] = answer.json()
    assert answer.out == Path(f"runs/{name}/report.json").read_text(encoding="utf-8")
    return result


def lines_of(name: str = "e") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"runs/{name}/items.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


def entries() -> dict[str, str]:
    """What the cache holds; nothing where it is being made."""
    if CACHE.is_file():
        with contextlib.closing(sqlite3.connect(CACHE)) as connection, contextlib.suppress(sqlite3.OperationalError):
            return dict(connection.execute("SELECT key, value FROM entries"))
    return {}


def kept() -> int:
    """How many answers the cache holds."""
    return len(entries())
