"""`llmops eval RUN`: what is measured where only a model is named."""

from __future__ import annotations

from pathlib import Path

from workbench import HELD_OUT, write_rows

from llmops_cli.core.workspace import shipped_root
from llmops_cli.evaluation.defaults import config_for


def test_a_yaml_file_is_itself() -> None:
    assert config_for("my.yaml") == (Path("my.yaml"), [])


def test_a_model_is_measured_as_the_shipped_configuration_says(tiny_model: Path) -> None:
    shipped = shipped_root()
    path, overrides = config_for(str(tiny_model))
    assert path == shipped / "configs/eval.yaml"
    assert overrides[0] == f'model="{tiny_model}"'
    assert f'data.eval=["{shipped}/data/heldout"]' in overrides
    for name in ("builtin:tiny-ko", "nowhere"):
        path, _ = config_for(name)
        assert path == shipped / f"configs/eval{'-tiny' if name.startswith('builtin') else ''}.yaml"


def test_what_the_workspace_has_comes_first(tiny_model: Path) -> None:
    Path("configs").mkdir()
    Path("configs/eval.yaml").write_text("data: {eval: here.jsonl}\nmodel: x\n", encoding="utf-8")
    write_rows("here.jsonl", HELD_OUT)
    assert config_for(str(tiny_model)) == (
        Path("configs/eval.yaml"),
        [f'model="{tiny_model}"', 'data.eval=["here.jsonl"]'],
    )
