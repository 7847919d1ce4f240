"""Whatever stands in a configuration: it is read, or refused with an InputError. About two minutes."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from fuzzing import SYNTAX, TEXT, budget, mutated
from hypothesis import example, given
from hypothesis import strategies as st

from llmops_cli.app import main
from llmops_cli.config.yaml import parse_value, parse_yaml
from llmops_cli.core.errors import InputError
from llmops_cli.core.workspace import shipped_root

ROOT = shipped_root()


def shipped(pattern: str, most: int = 8) -> list[bytes]:
    found = sorted(ROOT.glob(pattern), key=lambda path: path.stat().st_size)[:most]
    assert found
    return [path.read_bytes()[:4000] for path in found]


@budget(4000)
@given(TEXT)
@example("a: !!timestamp x")
@example("a: &a {<<: *a}")
def test_yaml_text(text: str) -> None:
    for parse in (parse_yaml, parse_value):
        with contextlib.suppress(InputError):
            parse(text, "a.yaml")


def ended(*arguments: str) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        return main(arguments), said.getvalue()


@budget(900)
@given(mutated(shipped("configs/*.yaml") + shipped("recipes/*.yaml")))
def test_configuration_files(raw: bytes) -> None:
    Path("a.yaml").write_bytes(raw)
    for command in ("check", "show"):
        code, said = ended("config", command, "a.yaml")
        assert code in (0, 2), said
        assert all(line.startswith("error: ") for line in said.splitlines()), said


KEYS = st.sampled_from(
    ["train", "data", "lora", "seed", "targets", "train.seed", "data.names", "steps.0.job", "tracking"]
)


@budget(800)
@given(st.lists(st.tuples(st.one_of(KEYS, SYNTAX), TEXT), min_size=1, max_size=3))
def test_overrides(pairs: list[tuple[str, str]]) -> None:
    Path("a.yaml").write_text("data: {train: a.jsonl}\nlora: {rank: 2}\n", encoding="utf-8")
    words = [word for key, value in pairs for word in ("--set", f"{key}={value}")]
    code, said = ended("config", "show", "a.yaml", "--job", "train", *words)
    assert code in (0, 2), said
