"""A field of a schema that no job reads is a promise nobody keeps."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, model_validator
from workbench import HELD_OUT, TRAINED_ON, write_rows

from llmops_cli.commands.prompts.list import to_json
from llmops_cli.config.base import StrictModel
from llmops_cli.config.layers import _models_in, resolve
from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError
from llmops_cli.core.workspace import PACKAGE, RunRequest
from llmops_cli.data.config import ValidateConfig
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.pipeline import runner, validating
from llmops_cli.pipeline.config import RecipeConfig
from llmops_cli.pipeline.jobs import JOBS, SCHEMAS, schema_named
from llmops_cli.prompts.library import find_template
from llmops_cli.prompts.trials import failures

CHAT = {"messages": [{"speaker_id": "A", "content": "안녕?"}, {"speaker_id": "B", "content": "반가워."}]}
STORY = {"title": "바다", "text": ["C001은 바다로 갔다.", "C001은 돌아왔다."]}
Reads = set[tuple[str, str]]


def schemas(roots: Sequence[type[StrictModel]]) -> list[type[StrictModel]]:
    """The schemas and those inside them."""
    found: dict[type[StrictModel], None] = {}
    waiting = list(roots)
    while waiting:
        model = waiting.pop()
        found[model] = None
        inner = [part for field in model.model_fields.values() for part in _models_in(field.annotation)]
        waiting += [part for part in inner if part not in found]
    return list(found)


def unread(roots: Sequence[type[StrictModel]], reads: Reads) -> list[str]:
    """`Schema.field` of every field that was not read."""
    fields = {(model.__name__, name) for model in schemas(roots) for name in model.model_fields}
    return sorted(".".join(field) for field in fields - reads)


@contextmanager
def recorded(roots: Sequence[type[StrictModel]]) -> Iterator[Reads]:
    """What the package reads of configurations in the block: validators, dumps and pydantic itself do not count."""
    reads: Reads = set()
    validators = {
        name
        for model in schemas(roots)
        for group in (model.__pydantic_decorators__.model_validators, model.__pydantic_decorators__.field_validators)
        for name in group
    }

    def reading(self: StrictModel, name: str) -> Any:
        caller = sys._getframe(1).f_code
        ours = Path(caller.co_filename).is_relative_to(PACKAGE) and caller.co_name not in validators
        if ours and name in type(self).model_fields:
            reads.add((type(self).__name__, name))
        return object.__getattribute__(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StrictModel, "__getattribute__", reading)
        yield reads


def run(job: str, values: dict[str, Any], name: str = "") -> Any:
    config = resolve(JOBS[job].schema, values=values).config
    request = [RunRequest(name)] if JOBS[job].makes_run else []
    return JOBS[job].module.run(JOBS[job].module.plan(config, *request), SilentReporter())


def try_a_prompt_template() -> None:
    about = {"ko": "값", "en": "a value"}
    variables: dict[str, Any] = {name: {"about": about} for name in ("text", "place")}
    variables["length"] = {"type": "integer", "min": 1, "max": 9, "default": 5, "about": about}
    variables["speech"] = {"type": "choice", "choices": ["반말", "존댓말"], "default": "반말", "about": about}
    values = {"text": "가자.", "place": "바다"}
    template = {
        "version": 1,
        "about": about,
        "variables": variables,
        "system": "{{ speech }}",
        "prompt": "{{ place }} {{ length }} {{ text }}",
        "examples": [{"values": values, "assistant": "응."}, {"user": "숲?", "assistant": "숲."}],
        "tests": [{"values": values, "contains": ["바다 5"], "excludes": ["숲"]}],
        "generation": {"temperature": 0.5},
    }
    Path("prompts").mkdir()
    Path("prompts/sea.yaml").write_text(json.dumps(template), encoding="utf-8")
    found = find_template("sea")
    assert failures(found) == []
    assert found.settings(GenerationConfig).temperature == 0.5
    assert to_json(found)["identity"].startswith("sea@1:")
    with pytest.raises(InputError):
        found.render(values | {"length": 10})


def run_every_job(tiny_model: Path) -> None:
    """A tiny run of each."""
    Path("raw").mkdir()
    write_rows("raw/a.jsonl", [*TRAINED_ON, CHAT, STORY])
    Path("raw/work.txt").write_text("바다로 갔다.\n\n돌아왔다.", encoding="utf-8")
    heldout = write_rows("heldout.jsonl", [*HELD_OUT, CHAT, STORY])
    write_rows("prompts.jsonl", [{"text": "바다 바다 바다 바다"}, {"messages": HELD_OUT[0]["messages"][:1]}])
    Path("recipe.yaml").write_text(
        "name: a\nsteps: [{job: convert, with: {input: raw, output: train.jsonl, limit: 14}}]", encoding="utf-8"
    )
    runner.run(runner.plan(resolve(RecipeConfig, Path("recipe.yaml")).config, Path("recipe.yaml")), SilentReporter())
    run("validate", {"input": "raw"})
    for job in ("mask", "dedup", "merge"):
        run(job, {"input": ["raw", "heldout.jsonl"], "output": f"{job}.jsonl"})
    run("split", {"input": "raw", "output": "split", "test": 0.1})
    data = {"train": "raw", "eval": heldout, "max_length": 96}
    shape = {"hidden_size": 32, "intermediate_size": 64, "layers": 1, "heads": 4, "kv_heads": 2, "context_length": 128}
    full = {"method": "full", "architecture": shape, "tokenizer": {"vocab_size": 400}, "save_dtype": "float16"}
    run("train", {"model": None, "data": data, "train": full | {"max_steps": 1}}, "full")
    lora = {"epochs": 1, "batch_size": 16, "patience": 1, "pack_length": 192}
    run("train", {"model": str(tiny_model), "data": data, "train": lora, "tracking": {"mlflow": False}}, "lora")
    suite = {
        "about": "바다",
        "metrics": ["rep_1", "constraints"],
        "system": "짧게.",
        "samples": 2,
        "prompts": "items.jsonl",
    }
    Path("suite.yaml").write_text(json.dumps(suite | {"items": [{"id": "a", "prompt": "바다?"}]}), encoding="utf-8")
    write_rows(
        "items.jsonl",
        [
            {
                "id": "b",
                "prompt": "숲?",
                "system": "길게.",
                "reference": "숲.",
                "constraints": {"characters": {"max": 99}},
            }
        ],
    )
    limits = {"rep_1": {"max": 2.0}, "perplexity": {"min": 0.0, "worse_by": "5%"}}
    evaluation = {"suites": ["suite.yaml"], "generation": {"max_tokens": 3}, "gate": {"limits": limits}}
    run("eval", {"model": "runs/lora", "data": data, "tracking": {"mlflow": False}} | evaluation, "eval")
    again = {"tracking": {"mlflow": False}, "gate": {"limits": {"perplexity": {"worse_by": "5%"}}, "baseline": "eval"}}
    run("eval", {"model": "runs/lora", "data": data} | again, "again")
    held_out = {"eval": [heldout, "raw/work.txt"], "records": 2}
    run("quantize", {"model": "runs/full", "to": "int8", "output": "int8", "data": held_out, "limits": {"kl_p99": 9.0}})
    generation = {"max_tokens": 3, "stop": ["가"], "dry_multiplier": 0.5}
    output = {"input": "prompts.jsonl", "output": "answers.jsonl"}
    run("generate", {"model": "runs/full", "generation": generation} | output)
    try_a_prompt_template()
    template = {"template": "sea", "values": {"place": "바다"}}
    run("chat", {"model": "runs/lora", "prompt": "안녕?", "generation": generation} | template)


def test_every_field_is_read(tiny_model: Path) -> None:
    roots = [schema_named(name) for name in SCHEMAS]
    with recorded(roots) as reads:
        run_every_job(tiny_model)
    assert {schema.__name__ for schema in schemas(roots)} <= {schema for schema, _ in reads}
    assert unread(roots, reads) == []


class Planted(ValidateConfig):
    """A schema with fields that are validated and dumped, and never read."""

    forgotten: int = Field(1, description="nobody reads this")
    only_checked: int = Field(1, description="only a validator reads this")

    @model_validator(mode="after")
    def _positive(self) -> Planted:
        if self.only_checked < 0:
            raise ValueError("want a positive number")
        return self


def test_a_planted_field_is_reported() -> None:
    write_rows("a.jsonl", [CHAT, STORY])
    Path("work.txt").write_text("바다로 갔다.", encoding="utf-8")
    with recorded([Planted]) as reads:
        config = resolve(Planted, values={"input": ["a.jsonl", "work.txt"]}).config
        assert "forgotten" in config.model_dump_json()
        assert config.forgotten == 1  # not the package's read
        assert reads == set()
        validating.run(validating.plan(config), SilentReporter())
    assert unread([Planted], reads) == ["Planted.forgotten", "Planted.only_checked"]
