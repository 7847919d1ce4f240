"""Which engine runs a model, why, and what every module of an engine has."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from workbench import make_tokenizer

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.plugins import load_plugins
from llmops_cli.core.workspace import PACKAGE
from llmops_cli.inference import engines
from llmops_cli.inference.config import EngineConfig, EngineName, Precision
from llmops_cli.inference.open import FASTEST_FIRST, EngineChoice, choose_engine
from llmops_cli.models.resolve import ModelFiles, resolve_model
from llmops_cli.models.source import Source, resolve_source


def chosen(model: object, **settings: Any) -> EngineChoice:
    return choose_engine(EngineConfig(model=str(model), **settings))


@pytest.fixture
def gemma(tiny_model: Path) -> Path:
    """A model of a family that only transformers knows; its weights are never looked at."""
    shutil.copytree(tiny_model, "gemma")
    config = json.loads(Path("gemma/config.json").read_text()) | {"model_type": "gemma3_text"}
    Path("gemma/config.json").write_text(json.dumps(config))
    return Path("gemma")


def test_every_module_is_an_engine() -> None:
    modules = load_plugins(engines)
    assert set(modules) == set(get_args(EngineName)) - {"auto"} == {*FASTEST_FIRST, "mlx"}
    for module in modules.values():
        assert module.RUNS in get_args(Source)
        assert set(module.PRECISIONS) <= set(get_args(Precision)) - {"auto"}
        assert callable(module.cannot_run)
        assert callable(module.load)
        assert module.__doc__


def test_importing_an_engine_imports_nothing_heavy() -> None:
    names = [f"llmops_cli.inference.engines.{path.stem}" for path in PACKAGE.glob("inference/engines/*.py")]
    code = f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "peft", "llama_cpp", "mlx", "httpx", "numpy"} & set(done.stdout.split())


def test_the_fastest_that_can_run_a_model_is_taken_and_says_why(tiny_model: Path, gemma: Path) -> None:
    assert (chosen(tiny_model).engine, chosen(tiny_model).reason) == ("torch", "the fastest that can run it here")
    choice = chosen(gemma)
    assert choice.engine == "transformers"
    assert choice.reason.startswith("the fastest that can run it here; not torch: ")
    assert "gemma3_text" in choice.reason
    assert chosen("http://127.0.0.1:1/v1#m").engine == "openai"
    assert chosen("fake:echo").engine == "fake"


def test_mlx_is_taken_on_a_mac_that_has_it(tiny_model: Path, gemma: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_cli.inference.open._on_apple_silicon", lambda: True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert chosen(tiny_model).engine == "mlx"
    assert chosen(gemma).engine == "transformers"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    choice = chosen(tiny_model)
    assert choice.engine == "torch"
    assert choice.reason.endswith("not mlx: mlx is missing -> pip install 'llmops-cli[mlx]'")


def test_a_named_engine_is_taken_or_refused(tiny_model: Path, gemma: Path) -> None:
    assert chosen(tiny_model, engine="transformers").reason == "asked for"
    for model, settings, said in (
        (gemma, {"engine": "torch"}, "gemma3_text"),
        (tiny_model, {"engine": "llamacpp"}, "it runs a GGUF file, and this is safetensors"),
        (tiny_model, {"engine": "openai"}, "it runs a server, by its URL, and this is safetensors"),
        ("fake:echo", {"engine": "torch"}, "it runs safetensors, and this is fake:echo or fake:words"),
        (tiny_model, {"engine": "transformers", "precision": "int8"}, "auto, fp32, bf16, fp16, not in int8"),
        (gemma, {"precision": "int4"}, "not in int4"),
        ("fake:echo", {"precision": "fp32"}, "not in fp32"),
    ):
        with pytest.raises(InputError) as raised:
            chosen(model, **settings)
        assert said in str(raised.value)
        assert len(raised.value.problems) == 1


@pytest.mark.parametrize(("engine", "extra"), [("llamacpp", "gguf"), ("mlx", "mlx")])
def test_a_missing_package_is_named_with_its_extra(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, engine: str, extra: str
) -> None:
    Path("a.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = "a.gguf" if engine == "llamacpp" else tiny_model
    for name in (engine, *(["auto"] if engine == "llamacpp" else [])):
        with pytest.raises(MachineError, match=rf"pip install 'llmops-cli\[{extra}\]'"):
            chosen(model, engine=name)


def test_weights_that_are_quantized_for_mlx_are_for_mlx(tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "packed")
    config = json.loads(Path("packed/config.json").read_text()) | {"quantization": {"group_size": 64, "bits": 4}}
    Path("packed/config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="quantized for MLX"):
        chosen("packed", engine="transformers")


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("fake:parrot", InputError, "fake:parrot: mode: "),
        ("fake:words?speed=9", InputError, "speed: Extra inputs are not permitted"),
        ("fake:words?length=0", InputError, "length: "),
        ("nowhere.gguf", MachineError, "nowhere.gguf: no such file"),
    ],
)
def test_names_that_mean_nothing(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        chosen(name)
    assert said in str(raised.value)


def test_a_folder_with_a_gguf_file_is_that_file(tiny_model: Path) -> None:
    make_tokenizer(Path("export"))
    Path("export/model.gguf").write_bytes(b"GGUF")
    source = resolve_source("export")
    assert (type(source).__name__, source.name) == ("GgufFile", "export")
    for name in ("export", "export/model.gguf"):
        with pytest.raises(InputError, match="a GGUF model can only answer and be scored"):
            resolve_model(name)
    Path("export/other.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError, match="2 GGUF files here -> --set model=export/model"):
        resolve_source("export")
    shutil.copy(tiny_model / "model.safetensors", "export")
    shutil.copy(tiny_model / "config.json", "export")
    assert isinstance(resolve_source("export"), ModelFiles)
