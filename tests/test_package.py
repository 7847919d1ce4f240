"""The wheel works outside a clone, and the Makefile where little is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from llmops_cli.core.workspace import PACKAGE, SHIPPED

ROOT = PACKAGE.parent
BUILT = ["pyproject.toml", "README.md", "LICENSE", ".gitignore", "llmops_cli", "configs", "data", "recipes"]
VERSION = "9.8.7"
NEEDS_MAKE = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def files_under(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository whose version tells it from the one that is tested here."""
    folder = tmp_path_factory.mktemp("repository")
    for name in BUILT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, folder)
    init = folder / "llmops_cli/__init__.py"
    text, count = re.subn(r'__version__ = ".*"', f'__version__ = "{VERSION}"', init.read_text(encoding="utf-8"))
    assert count == 1
    init.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "out")]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (source / "out").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*command, "--disable-pip-version-check", "--target", target, wheel], check=True)
    return target


def test_the_wheel_carries_everything(source: Path, wheel: Path) -> None:
    assert wheel.name == f"llmops_cli-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
        metadata = archive.read(f"llmops_cli-{VERSION}.dist-info/METADATA").decode()
        entry_points = archive.read(f"llmops_cli-{VERSION}.dist-info/entry_points.txt").decode()
    expected = {f"llmops_cli/{name}" for name in files_under(source / "llmops_cli")}
    for name in SHIPPED:
        inside = files_under(source / name)
        assert inside
        expected |= {f"llmops_cli/shipped/{name}/{path}" for path in inside}
    assert {name for name in held if name.startswith("llmops_cli/")} == expected
    assert {name.split("/")[0] for name in held} == {"llmops_cli", f"llmops_cli-{VERSION}.dist-info"}
    assert f"Version: {VERSION}" in metadata
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert "llmops = llmops_cli.app:run" in entry_points


def test_installed_it_works_outside_a_clone(installed: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONIOENCODING": "ascii", "HF_HUB_OFFLINE": "1"}

    def llmops(*arguments: str, folder: str = ".") -> str:
        command = [sys.executable, "-m", "llmops_cli", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert llmops("--version") == f"llmops {VERSION}\n"
    assert ascii("이야기")[1:-1] in llmops("init", "이야기")  # what the terminal cannot show is escaped
    for name in SHIPPED:
        assert files_under(Path("이야기", name)) == files_under(ROOT / name)
    assert "a valid train configuration" in llmops("config", "check", "configs/tiny.yaml", folder="이야기")
    if (PACKAGE / "models/builtin/tiny-ko/config.json").is_file():
        short = ("train.max_steps=2", "tracking.mlflow=false", "data.eval=data/heldout/VL_movie")
        overrides = [word for override in short for word in ("--set", override)]
        llmops("train", "configs/tiny.yaml", "--name", "first", *overrides, folder="이야기")
        assert Path("이야기/runs/first/adapter/adapter_model.safetensors").is_file()


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", "Makefile")
    for name in ("pyproject.toml", "constraints.txt"):
        Path(name).touch()
    command = [str(shutil.which("make")), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}  # also under make
    environment |= {} if path is None else {"PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@NEEDS_MAKE
@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_make_help_lists_every_target(arguments: tuple[str, ...]) -> None:
    done = make(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    phony = re.search(r"^\.PHONY: (.*)$", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    assert listed == set(phony[1].split())
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines())


@NEEDS_MAKE
def test_make_without_python_says_what_to_install() -> None:
    Path("bin").mkdir()
    done = make("install", path=str(Path("bin").resolve()))
    assert done.returncode == 2
    error, _, rest = done.stderr.partition("\n")
    assert error.startswith("error: no Python 3.11, 3.12 or 3.13")
    assert "brew install" in error
    assert len(rest.splitlines()) == 1  # make's own
    assert not Path(".venv").exists()
