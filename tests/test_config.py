"""Configurations: what is read, what is refused and with which words, and every shipped file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_cli.config.base import StrictModel
from llmops_cli.config.layers import _models_in, read_layers, resolve
from llmops_cli.config.yaml import parse_value, parse_yaml
from llmops_cli.core.errors import InputError, Problem
from llmops_cli.core.workspace import shipped_root
from llmops_cli.data.config import ValidateConfig
from llmops_cli.pipeline import runner
from llmops_cli.pipeline.config import RecipeConfig
from llmops_cli.pipeline.jobs import SCHEMAS, schema_named
from llmops_cli.training.config import TrainConfig

if TYPE_CHECKING:
    from conftest import Cli

ROOT = shipped_root()
SHIPPED = sorted(path.relative_to(ROOT) for name in ("configs", "recipes") for path in (ROOT / name).rglob("*.yaml"))
JOB_OF = re.compile(r"# yaml-language-server: \$schema=(\S*?)(\w+)\.json")


def write(name: str, text: str | bytes) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def data(text: str) -> dict[str, Any]:
    return parse_yaml(text, "a.yaml").data


def refused(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "a.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-2E+3", -2000.0),
        (".5", 0.5),
        ("1_000", 1000),
        ("010", 10),
        ("08", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1.0.0", "1.0.0"),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("2024-01-31", "2024-01-31"),
        ("12:30:45", "12:30:45"),
        ("null", None),
        ("~", None),
        ("", None),
        ("안녕 👋", "안녕 👋"),
        ("'1'", "1"),
        ("[1, no]", [1, "no"]),
        ("{1: 2}", {"1": 2}),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert data(f"a: {text}") == {"a": value}
    assert type(data(f"a: {text}")["a"]) is type(value)
    assert parse_value(text, "--set a") == value


def test_merging() -> None:
    base = "x: &x {a: 1, b: {c: 2}}\ny: &y {a: 3, d: 4}\n"
    assert data(base + "z: {<<: *x, a: 5}")["z"] == {"a": 5, "b": {"c": 2}}
    assert data(base + "z: {a: 5, <<: *x}")["z"] == {"a": 5, "b": {"c": 2}}
    assert data(base + "z: {<<: [*x, *y]}")["z"] == {"a": 1, "b": {"c": 2}, "d": 4}
    document = parse_yaml(base + "z:\n  a: 5\n  <<: *x\n", "a.yaml")
    assert (document.lines["z", "a"], document.lines["z", "b"]) == (4, 1)


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    text = "a: 1\nb: {c: 1}\na: 2\nd:\n  e: 1\n  e: 2\n"
    assert refused(text) == [
        "a.yaml:3: a: stands here a second time, first in line 1",
        "a.yaml:6: e: stands here a second time, first in line 5",
    ]


BAD = [
    ("", "empty"),
    ("# nothing\n\n", "empty"),
    ("- a\n- b\n", "a.yaml:1: want `key: value` lines"),
    ("\n\njust text", "a.yaml:3: want `key: value` lines"),
    ("a: 1\nb: [1, 2\n", "a.yaml:3: not YAML"),
    ("a:\n\tb: 1", "a.yaml:2: not YAML"),
    ("a: 1\nb: x\x00y", "a.yaml:2: not YAML: the character U+0000"),
    ("a: 1\n---\nb: 2", "a.yaml:2: not YAML"),
    ("a: *b", "a.yaml:1: not YAML: found undefined alias 'b'"),
    ("a: &a [*a]", "nested too deep"),
    ("a: &a {<<: *a}", "nested too deep"),
    ("a: " + "[" * 5000 + "]" * 5000, "nested too deep"),
    ("a: " + "{a: " * 5000, "nested too deep"),
    ("a: &b [1,1,1,1,1,1,1,1,1]\n" + "".join(f"a{n}: &{chr(99 + n)} [{','.join([f'*{chr(98 + n)}'] * 9)}]\n"
                                             for n in range(9)), "more than 100,000 values"),
    ("<<: 5", "a.yaml:1: <<: want an alias of a mapping"),
    ("x: 1\n? [a]\n: 1", "a.yaml:2: a key must be a plain word"),
    ("a: !!python/object/apply:os.system [exit]", "a.yaml:1: unknown tag tag:yaml.org,2002:python/object/apply"),
    ("a: !!python/name:os.system", "a.yaml:1: not YAML: could not determine a constructor"),
    ("a: !!set {b}", "a.yaml:1: unknown tag tag:yaml.org,2002:set"),
    ("a: !!int x", "a.yaml:1: 'x' is no int"),
    ("a: !!bool x", "a.yaml:1: 'x' is no bool"),
    ("a: !!timestamp x", "a.yaml:1: 'x' is no timestamp"),
    ("a: " + "9" * 5000, "is no int"),
    ("a: 99999999999999999999", "out of range"),
    ('a: "\\ud800"', "a.yaml:1: half a character"),
    ('a: "\\U99999999"', "a.yaml: not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD, ids=[said for _, said in BAD])
def test_what_is_no_configuration_is_one_line_and_2(cli: Cli, text: str, said: str) -> None:
    answer = cli("config", "check", write("a.yaml", text))
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert said in answer.err


@pytest.mark.parametrize("raw", ["a: 한글".encode("cp949"), b"\xff\xfea\x00:\x00", b"\x80"])
def test_a_file_that_is_not_utf_8(cli: Cli, raw: bytes) -> None:
    answer = cli("config", "check", write("a.yaml", raw))
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert "a.yaml: not UTF-8" in answer.err
    assert "save it as UTF-8" in answer.err


def test_a_byte_order_mark_is_no_fault(cli: Cli) -> None:
    assert cli("config", "check", write("a.yaml", "\ufeffmodel: m\nprompt: p\n")).code == 0


ODD = st.text(st.sampled_from("a1.:-?[]{}&*!|>'\"%@`#,\n\t \\<~=_e+x가\ufeff\x00\u2028"), max_size=40)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.text(max_size=60), ODD, ODD.map("a: ".__add__)))
def test_any_text_is_read_or_refused(text: str) -> None:
    problems: list[Problem] = []
    for parse in (parse_yaml, parse_value):
        try:
            parse(text, "a.yaml")
        except InputError as error:
            problems += error.problems
    assert all("\n" not in str(problem) for problem in problems)


def test_every_mistake_is_told_at_once(cli: Cli) -> None:
    text = """\
model: 5
data:
  train: a.jsonl
  max_lenght: 3
lora: {rank: many}
train:
  method: lroa
  learning_rate: .inf
  architecture: {hidden_size: 64}
trian: {}
"""
    answer = cli("config", "check", write("a.yaml", text))
    assert (answer.code, answer.out) == (2, "")
    expected = [
        "a.yaml:1: model: got 5, want string",
        "a.yaml:4: unknown key 'data.max_lenght' -> did you mean 'max_length'?",
        "a.yaml:5: lora.rank: got 'many', want integer",
        "a.yaml:7: train.method: got 'lroa', want 'lora' or 'full'",
        "a.yaml:8: train.learning_rate: got inf, want a finite number",
        *(f"a.yaml:9: train.architecture.{key}: is missing" for key in ("intermediate_size", "layers", "heads")),
        "a.yaml:9: train.architecture.kv_heads: is missing",
        "a.yaml:10: unknown key 'trian' -> did you mean 'train'?",
    ]
    assert sorted(answer.errors) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: 5", "a.yaml:1: data: got 5, want `key: value` lines"),
        ("data: {eval: [h.jsonl]}", "a.yaml:1: data.train: is missing"),
        ("data: {train: [a, 5]}", "a.yaml:1: data.train.1: got 5, want string"),
        ("data: {train: a}\ntrain: {epochs: 0}", "a.yaml:2: train.epochs: got 0, want greater than 0"),
        ("data: {train: a}\ntrain: {epochs: yes}", "a.yaml:2: train.epochs: got 'yes', want number"),
        ("data: {train: a}\ntrain: {seed: 1.5}", "a.yaml:2: train.seed: got 1.5, want integer"),
        ("data: {train: a}\ntrain: {train_on_prompt: 1}", "a.yaml:2: train.train_on_prompt: got 1, want boolean"),
        ("data: {train: a}\ndevice: gpu", "a.yaml:2: device: got 'gpu', want 'auto', 'mps', 'cuda' or 'cpu'"),
        ("data: {train: a}\nqqqqqq: 1", "a.yaml:2: unknown key 'qqqqqq' -> known here: data, device, lora"),
        ("data: {train: a}\nmodel: null", "want model, or train.architecture"),
        ("data: {train: a, names: {C1: ''}}", "a.yaml:1: data.names: want a code and a name"),
    ],
)
def test_a_wrong_value_shows_key_got_and_want(cli: Cli, text: str, said: str) -> None:
    answer = cli("config", "check", write("a.yaml", text), "--job", "train")
    assert answer.code == 2
    assert len(answer.errors) == 1
    assert said in answer.errors[0]


def test_a_wrong_key_in_a_recipe_is_answered_with_the_key_as_it_is_written(cli: Cli) -> None:
    write("a.yaml", "name: a\nsteps:\n  - job: convert\n    wth: {}\n")
    assert cli("config", "check", "a.yaml").errors == ["a.yaml:4: unknown key 'steps.0.wth' -> did you mean 'with'?"]


def test_extends() -> None:
    write("base/a.yaml", "model: a\ndevice: cpu\ngeneration: {seed: 1, stop: [x, y]}\nprompt: p\n")
    write("base/b.yaml", "extends: a.yaml\nmodel: b\ngeneration: {seed: 2, top_p: 0.5}\n")
    write("c.yaml", "extends: base/b.yaml\nmodel: c\ngeneration: {stop: [z]}\n")
    layers = read_layers(Path("c.yaml"))
    assert layers.data == {
        "model": "c",
        "device": "cpu",
        "generation": {"seed": 2, "stop": ["z"], "top_p": 0.5},
        "prompt": "p",
    }
    origins = {path: layers.origin_of(path) for path in [("model",), ("device",), ("generation", "seed"), ("nope",)]}
    assert list(origins.values()) == ["c.yaml:2", "base/a.yaml:2", "base/b.yaml:3", "default"]
    assert layers.origin_of(("generation", "stop", 0)) == "c.yaml:3"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.yaml": "extends: a.yaml"}, "circle"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "extends: c/c.yaml", "c/c.yaml": "extends: ../a.yaml"}, "circle"),
        ({"a.yaml": "x: 1\nextends: nope.yaml"}, "a.yaml:2: extends: no such file 'nope.yaml'"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "extends: c.yaml"}, "b.yaml:1: extends: no such file 'c.yaml'"),
        ({"a.yaml": "extends: [b.yaml]"}, "a.yaml:1: extends: got ['b.yaml'], want the path"),
        ({"a.yaml": "extends: ."}, "a.yaml:1: extends: no such file"),
        ({"a.yaml": 'extends: "\\0"'}, "a.yaml:1: extends: no such file"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "- 1"}, "b.yaml:1: want `key: value`"),
    ],
)
def test_wrong_extends(cli: Cli, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        write(name, text)
    answer = cli("config", "check", "a.yaml")
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert said in answer.errors[0]


def test_a_mistake_in_an_extended_file_is_placed_there(cli: Cli) -> None:
    write("base.yaml", "prompt: p\ndevice: gpu\n")
    write("a.yaml", "extends: base.yaml\nmodel: m\n")
    assert cli("config", "check", "a.yaml").errors[0].startswith("base.yaml:2: device: got 'gpu'")


def test_set_lies_over_everything() -> None:
    write("base.yaml", "model: a\nprompt: base\n")
    write("a.yaml", "extends: base.yaml\nprompt: file\ngeneration: {seed: 1, stop: [x, y]}\n")
    overrides = ["prompt=flag=1", "generation.seed=2", "generation.seed=3", "generation.stop=[z]", "generation.top_p=1"]
    config = resolve(schema_named("chat"), Path("a.yaml"), overrides).config.model_dump()
    assert (config["model"], config["prompt"]) == ("a", "flag=1")
    assert (config["generation"]["seed"], config["generation"]["stop"]) == (3, ["z"])
    values = {"prompt": "value", "generation": {"seed": 9}}
    config = resolve(schema_named("chat"), Path("a.yaml"), ["generation.seed=2"], values=values).config.model_dump()
    assert (config["prompt"], config["generation"]["seed"], config["generation"]["stop"]) == ("value", 2, ["x", "y"])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train", "--set: want key=value, got 'train'"),
        ("=5", "--set: want key=value"),
        ("train.seed=[", "--set train.seed: not YAML"),
        ("train.seed={a: 1, a: 2}", "--set train.seed: a: stands here a second time"),
        ("train.seed=" + "[" * 5000, "--set train.seed: not YAML: nested too deep"),
        ("train.seed=x", "--set train.seed: train.seed: got 'x', want integer"),
        ("train.sede=1", "--set train.sede: unknown key 'train.sede' -> did you mean 'seed'?"),
        ("train..seed=1", "unknown key 'train.'"),
        ("train=5", "--set train: train: got 5, want `key: value` lines"),
        ("train.seed.x=5", "--set train.seed.x: train.seed: got {'x': 5}, want integer"),
        ("extends=b.yaml", "unknown key 'extends'"),
    ],
)
def test_wrong_set(cli: Cli, override: str, said: str) -> None:
    write("a.yaml", "data: {train: a.jsonl}\ntrain: {seed: 1}\n")
    answer = cli("config", "check", "a.yaml", "--set", override)
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert said in answer.errors[0]


def test_show_tells_where_a_value_came_from(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write("base.yaml", "data: {train: a.jsonl}\ntrain: {seed: 1}\n")
    write("a.yaml", "extends: base.yaml\ntrain:\n  epochs: 2\n")
    flags = ("config", "show", "a.yaml", "--set", "train.batch_size=4")
    found = {row["key"]: (row["value"], row["from"]) for row in cli(*flags, "--json").json()["values"]}
    assert found["data.train"] == (["a.jsonl"], "base.yaml:1")
    assert found["train.seed"] == (1, "base.yaml:2")
    assert found["train.epochs"] == (2.0, "a.yaml:3")
    assert found["train.batch_size"] == (4, "--set train.batch_size")
    assert found["train.max_steps"] == (None, "default")
    assert found["tracking.mlflow"] == (True, "default")
    monkeypatch.setenv("COLUMNS", "150")
    lines = {cells[0]: cells[1:] for line in cli(*flags).out.splitlines() if (cells := line.split()[1::2])}
    assert lines["train.epochs"] == ["2.0", "a.yaml:3"]
    assert lines["train.max_steps"] == ["null", "default"]
    assert len(lines) >= len(found)


def test_show_of_a_recipe_lists_its_steps(cli: Cli) -> None:
    write("a.yaml", "name: a\nsteps:\n  - job: convert\n    with: {limit: 1}\n")
    found = {row["key"]: row["value"] for row in cli("config", "show", "a.yaml", "--json").json()["values"]}
    assert (found["steps.0.job"], found["steps.0.with"], found["steps.0.name"]) == ("convert", {"limit": 1}, None)


def test_check_with_a_job(cli: Cli) -> None:
    write("a.yaml", "model: m\nprompt: p\n")
    assert cli("config", "check", "a.yaml", "--json").json() == {"ok": True, "file": "a.yaml", "job": "chat"}
    assert "unknown key 'prompt'" in cli("config", "check", "a.yaml", "--job", "eval").err
    assert "no schema 'chta'" in cli("config", "check", "a.yaml", "--job", "chta").err


def test_there_are_shipped_files() -> None:
    assert len([path for path in SHIPPED if path.parts[0] == "configs"]) >= 4
    assert len([path for path in SHIPPED if path.parts[0] == "recipes"]) >= 2


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_shipped_files_pass_and_name_their_schema(cli: Cli, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.chdir(ROOT)
    first = JOB_OF.fullmatch(path.read_text(encoding="utf-8").splitlines()[0])
    assert first
    folder, job = first.groups()
    assert (path.parent / folder / f"{job}.json").resolve() == (ROOT / "configs/schema" / f"{job}.json").resolve()
    assert job in SCHEMAS
    answer = cli("config", "check", path, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json()["job"] == job
    if job == "recipe":
        recipe = resolve(RecipeConfig, path).config
        assert [step.config is not None for step in runner.plan(recipe, path).steps]


def test_schemas_on_disk_are_ours(cli: Cli) -> None:
    folder = ROOT / "configs/schema"
    assert {path.stem for path in folder.iterdir()} == set(SCHEMAS)
    for job in SCHEMAS:
        assert (folder / f"{job}.json").read_text(encoding="utf-8") == cli("config", "schema", job).out, "make schemas"


def schemas(model: type[StrictModel]) -> Iterator[type[StrictModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            yield from schemas(inner)


@pytest.mark.parametrize("job", SCHEMAS)
def test_every_field_is_described(job: str) -> None:
    found = list(schemas(schema_named(job)))
    assert all(issubclass(model, StrictModel) and model.__doc__ for model in found)
    for model in found:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.strip() == field.description


def test_schemas_are_strict_and_frozen() -> None:
    config = ValidateConfig(input=["a.jsonl"])
    with pytest.raises(ValueError, match="frozen"):
        config.input = []  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        ValidateConfig(input=["a.jsonl"], nope=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="finite"):
        TrainConfig.model_validate({"data": {"train": "a"}, "train": {"learning_rate": math.nan}})
