"""The rooms import one way, heavy libraries stay in theirs, and modules stay small."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops_cli.core.workspace import PACKAGE

NAME = "llmops_cli"
ORDER = (
    ("__main__",),
    ("app",),
    ("commands",),
    ("pipeline",),
    ("serving", "chat", "tuning"),
    ("training", "evaluation", "export", "rag", "release"),
    ("inference",),
    ("models", "tracking"),
    ("data", "prompts"),
    ("safety",),
    ("text", "reporting", "config"),
    ("core",),
    ("__init__",),
)
"""Rooms from the top down; a room imports itself and rooms of later lines."""
EDGES: set[tuple[str, str]] = set()
"""Allowed edges between rooms of one line: (importing, imported)."""

LIBRARIES = {
    "torch": ("training/", "models/", "inference/", "export/", "core/device.py", "evaluation/metrics/bertscore.py"),
    "transformers": ("training/", "models/load.py", "inference/engines/", "evaluation/metrics/bertscore.py"),
    "peft": ("training/", "models/load.py", "inference/engines/"),
    "mlflow": ("tracking/",),
    "chromadb": ("rag/",),
    "sentence_transformers": ("rag/",),
    "fastapi": ("serving/",),
    "optuna": ("tuning/",),
    "matplotlib": ("reporting/",),
    "evaluate": ("evaluation/metrics/",),
    "prompt_toolkit": ("chat/terminal/",),
    "docx": ("chat/export.py",),
}
LAZY = {("torch", "core/device.py")}
"""Where a library may be imported inside functions and for annotations only."""
PRINTING = ("commands/", "core/console.py", "app.py")
LONGEST = 350
BANNED_NAMES = ("utils", "helpers", "common")
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


@dataclass(frozen=True)
class Import:
    """`name`, imported in line `line` of a module; `lazy` when not while the module is loaded."""

    name: str
    line: int
    lazy: bool


def sources(package: Path) -> Iterator[tuple[str, ast.Module, str]]:
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(package).as_posix(), ast.parse(text, str(path)), text


def imports(tree: ast.AST, module: str, lazy: bool = False) -> Iterator[Import]:
    """Every import of a module: statements anywhere, and texts that name one of our modules (`llmops_cli.a.b:C`)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = f"{NAME}/{module}".removesuffix(".py").split("/")
            base = ".".join([*parts[: -node.level], *([node.module] if node.module else [])]) if node.level else ""
            name = base or node.module or ""
            yield from (Import(f"{name}.{alias.name}", node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(rf"{NAME}(\.\w+)+(:\w+)?", node.value):
                yield Import(node.value.partition(":")[0], node.lineno, True)
        else:
            typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports(node, module, lazy or typing or function)


def room_of(name: str) -> str:
    """The room of a dotted name of ours; names of the package itself, such as the version, are in `__init__`."""
    first = name.split(".")[1]
    return first if first in RANK or (PACKAGE / first).is_dir() else "__init__"


def violations(package: Path) -> list[str]:
    """Every rule that a tree of sources breaks, as `module:line: what`."""
    found = []
    for module, tree, text in sources(package):
        room = module.split("/")[0].removesuffix(".py")
        if room not in RANK:
            found.append(f"{module}:1: {room} has no place in the order")
            continue
        for each in imports(tree, module):
            where = f"{module}:{each.line}"
            top = each.name.split(".")[0]
            if top == NAME:
                target = room_of(each.name)
                if target not in RANK:
                    found.append(f"{where}: {target} has no place in the order")
                elif target != room and RANK[target] <= RANK[room] and (room, target) not in EDGES:
                    found.append(f"{where}: {room} imports {target}")
            elif top in LIBRARIES:
                if not module.startswith(LIBRARIES[top]):
                    found.append(f"{where}: {top} is imported outside {', '.join(LIBRARIES[top])}")
                elif (top, module) in LAZY and not each.lazy:
                    found.append(f"{where}: {top} is imported at the top")
        if not module.startswith(PRINTING):
            found += [f"{module}:{line}: prints" for line in prints(tree)]
        if len(text.splitlines()) > LONGEST:
            found.append(f"{module}:{LONGEST}: longer than {LONGEST} lines")
        if Path(module).stem in BANNED_NAMES:
            found.append(f"{module}:1: says nothing about what is in it")
    return found


def prints(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "print":
            yield node.lineno
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr", "typer.echo"):
            yield node.lineno


def test_the_sources_keep_the_rules() -> None:
    assert len(list(sources(PACKAGE))) > 80
    assert violations(PACKAGE) == []


def test_every_room_is_in_the_order() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.rglob("*.py"))}
    assert rooms <= set(RANK)
    assert len(RANK) == sum(map(len, ORDER))


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("data/new.py", "from llmops_cli.models.resolve import resolve_model", "data/new.py:1: data imports models"),
        ("core/new.py", "def f():\n    import llmops_cli.config.yaml", "core/new.py:2: core imports config"),
        ("text/new.py", "from llmops_cli import reporting", "text/new.py:1: text imports reporting"),
        ("text/new.py", "from ..reporting import curves", "text/new.py:1: text imports reporting"),
        ("data/checks/new.py", "from ...chat.once import plan", "data/checks/new.py:1: data imports chat"),
        ("data/new.py", "from llmops_cli.prompts import encode", "data/new.py:1: data imports prompts"),
        ("chat/new.py", "from llmops_cli.pipeline.jobs import JOBS", "chat/new.py:1: chat imports pipeline"),
        (
            "evaluation/new.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from llmops_cli.training.job import run",
            "evaluation/new.py:3: evaluation imports training",
        ),
        ("models/new.py", "JOB = ('llmops_cli.training.job:run',)", "models/new.py:1: models imports training"),
        ("tracking/new.py", "import llmops_cli.app", "tracking/new.py:1: tracking imports app"),
        ("things/new.py", "", "things/new.py:1: things has no place in the order"),
        ("data/new.py", "def f():\n    import torch.nn", "data/new.py:2: torch is imported outside"),
        ("core/device.py", "import torch", "core/device.py:1: torch is imported at the top"),
        ("models/new.py", "def f():\n    from peft import PeftModel", "models/new.py:2: peft is imported outside"),
        ("training/new.py", "import mlflow", "training/new.py:1: mlflow is imported outside tracking/"),
        ("training/new.py", "print('x')", "training/new.py:1: prints"),
        ("data/new.py", "import sys\nsys.stderr.write('x')", "data/new.py:2: prints"),
        ("data/new.py", "x = 1\n" * 351, "data/new.py:350: longer than 350 lines"),
        ("text/utils.py", "", "text/utils.py:1: says nothing about what is in it"),
    ],
)
def test_a_planted_fault_is_named(tmp_path: Path, module: str, text: str, said: str) -> None:
    (tmp_path / module).parent.mkdir(parents=True)
    (tmp_path / module).write_text(text, encoding="utf-8")
    (found,) = violations(tmp_path)
    assert found.startswith(said)


def test_a_fault_planted_into_our_sources_is_the_only_one(tmp_path: Path) -> None:
    package = Path(shutil.copytree(PACKAGE, tmp_path / NAME, ignore=shutil.ignore_patterns("builtin", "__pycache__")))
    with (package / "data/reading.py").open("a", encoding="utf-8") as stream:
        stream.write("\n\ndef late():\n    from llmops_cli.models import resolve\n")
    (found,) = violations(package)
    assert re.fullmatch(r"data/reading\.py:\d+: data imports models", found)


def test_an_edge_inside_a_line_can_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.py").write_text("import llmops_cli.prompts.encode\n", encoding="utf-8")
    assert len(violations(tmp_path)) == 1
    monkeypatch.setattr(sys.modules[__name__], "EDGES", {("data", "prompts")})
    assert violations(tmp_path) == []


def test_commands_and_schemas_import_nothing_heavy() -> None:
    paths = [*PACKAGE.glob("commands/*.py"), *PACKAGE.rglob("config.py")]
    modules = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in sorted(paths)]
    assert len(modules) > 15
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = set(done.stdout.split())
    assert set(modules) - {f"{NAME}.commands.__init__"} <= loaded
    assert not {*LIBRARIES, "tokenizers", "safetensors", "numpy", "pandas", "rich", "huggingface_hub"} & loaded
