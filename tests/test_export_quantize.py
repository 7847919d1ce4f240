"""`llmops quantize` accepts what still does what the original does, and leaves nothing of what does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from safetensors.torch import load_file, save_file
from workbench import HELD_OUT, Answer, Cli, write_rows

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.files import staging_path
from llmops_cli.export import job
from llmops_cli.export.config import QuantizeConfig, VerifyData
from llmops_cli.export.formats import gguf, packed
from llmops_cli.export.limits import faults
from llmops_cli.export.merging import MergedModel
from llmops_cli.export.report import QuantizeResult, Row
from llmops_cli.export.verify import compare
from llmops_cli.inference.config import EngineConfig
from llmops_cli.inference.open import open_engine
from llmops_cli.models.resolve import resolve_model


@pytest.fixture
def data() -> str:
    """The held-out file of these tests."""
    return write_rows("heldout.jsonl", HELD_OUT)


def quantize(cli: Cli, model: object, to: str, output: str, *overrides: str) -> Answer:
    """The command with the data of these tests, JSON on stdout."""
    flags = [word for text in ("data.eval=heldout.jsonl", *overrides) for word in ("--set", text)]
    return cli("quantize", model, "--to", to, "-o", output, "--json", *flags)


def change_adapter(run: Path, change: Any) -> None:
    path = run / "adapter/adapter_model.safetensors"
    tensors = load_file(path)
    save_file({name: change(name, tensor).contiguous() for name, tensor in tensors.items()}, path)


def shuffled(name: str, tensor: torch.Tensor) -> torch.Tensor:
    order = torch.randperm(len(tensor), generator=torch.Generator().manual_seed(1))
    return tensor[order] if "lora_B" in name else tensor


def nothing_is_left(output: str) -> bool:
    return not Path(output).exists() and not staging_path(Path(output)).exists()


@pytest.mark.usefixtures("run_here", "data")
def test_a_good_adapter_becomes_a_model_for_every_other_command(cli: Cli) -> None:
    answer = quantize(cli, "finished", "int8", "models/story")
    assert answer.code == 0, answer.err
    result = answer.json()
    original, export, base = result["rows"]
    assert [row["name"] for row in result["rows"]] == ["original", "export", "bare base"]
    assert export["kl_mean"] < 0.01 < original["effect"] == pytest.approx(export["effect"], rel=0.1)
    assert (base["effect"], original["kl_mean"], original["top1_agreement"]) == (0, 0, 1)
    assert base["kl_mean"] == pytest.approx(original["effect"], rel=2)
    assert export["bytes"] < 0.5 * original["bytes"]
    assert min(row[key] for row in result["rows"] for key in ("load_seconds", "tokens_per_second")) > 0
    assert result["problems"] == result["notes"] == []
    assert json.loads(Path("models/story.report.json").read_text()) == result
    assert "- accepted" in Path("models/story.report.md").read_text()

    write_rows("prompts.jsonl", [{"messages": HELD_OUT[0]["messages"][:1]}])
    limit = ("--set", "generation.max_tokens=4")
    assert cli("generate", "prompts.jsonl", "-o", "a.jsonl", "--model", "models/story", *limit).code == 0
    assert cli("chat", "models/story", "--once", "안녕?", *limit).code == 0
    Path("e.yaml").write_text("{model: models/story, data: {eval: heldout.jsonl, max_length: 96}}", encoding="utf-8")
    scored = cli("eval", "e.yaml", "--name", "e", "--json").json()
    assert scored["contract"] == "same"
    assert scored["suites"]["held-out"]["summary"]["perplexity"] == pytest.approx(export["perplexity"], rel=1e-4)


@pytest.mark.usefixtures("data")
def test_an_adapter_of_zeros_has_no_effect(cli: Cli, run_here: Path) -> None:
    change_adapter(run_here, lambda name, tensor: tensor * 0 if "lora_B" in name else tensor)
    answer = quantize(cli, "finished", "fp16", "story")
    assert (answer.code, answer.out) == (1, "")
    assert "the adapter has no effect" in answer.errors[0]
    assert nothing_is_left("story")
    assert json.loads(Path("story.report.json").read_text())["problems"] != []


@pytest.mark.usefixtures("run_here", "data")
def test_past_a_limit_nothing_is_left_but_the_report(cli: Cli) -> None:
    limits = ("limits.kl_p99=9", "limits.top1_agreement=0.5", "limits.perplexity_rise=9")
    answer = quantize(cli, "finished", "int4", "story", "limits.kl_mean=1e-6", *limits)
    assert answer.code == 1
    assert [error.split(" is ")[0] for error in answer.errors] == ["story: kl_mean"]
    assert nothing_is_left("story")
    report = Path("story.report.md").read_text()
    assert "- refused: kl_mean is" in report
    assert "| size (MB) |" in report
    assert quantize(cli, "finished", "int4", "story", "limits.kl_mean=9", *limits).code == 0


@pytest.mark.usefixtures("data")
def test_a_shuffled_adapter_is_told_from_the_good_one(cli: Cli, run_here: Path) -> None:
    good = quantize(cli, "finished", "fp16", "good").json()["rows"][1]
    shutil.copytree(run_here, "runs/shuffled")
    change_adapter(Path("runs/shuffled"), shuffled)
    bad = quantize(cli, "shuffled", "fp16", "bad").json()["rows"][1]
    assert bad["perplexity"] > 1.1 * good["perplexity"]

    plan = job.plan(QuantizeConfig(model="finished", to="fp16", output="x", data=VerifyData(eval=["heldout.jsonl"])))
    original, base = (open_engine(EngineConfig(model=name)) for name in ("finished", plan.files.base_name))
    for name, told in (("good", False), ("bad", True)):
        export = open_engine(EngineConfig(model=name))
        found = compare(original, export, base, plan.encoded.records, SilentReporter().progress("", 1).__enter__())
        rows = [
            Row("", "", 0, None, None, one.perplexity, one.kl_mean, one.kl_p99, one.top1_agreement, one.effect)
            for one in found
        ]
        assert bool(faults(rows, plan.limits)) == told


@pytest.mark.usefixtures("data")
def test_an_adapter_that_harms_is_warned_of(cli: Cli, run_here: Path) -> None:
    change_adapter(run_here, lambda name, tensor: -tensor if "lora_B" in name else tensor)
    answer = quantize(cli, "finished", "fp16", "story")
    assert answer.code == 0
    (note,) = answer.json()["notes"]
    assert note.startswith("the adapter makes the held-out text less likely")
    assert f"warning: {note}" in answer.err


@pytest.mark.usefixtures("run_here", "data")
def test_an_export_that_lost_its_adapter_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "MergedModel", lambda files: MergedModel(resolve_model(files.base_name)))
    loose = ("limits.kl_mean=100", "limits.kl_p99=100", "limits.top1_agreement=0", "limits.perplexity_rise=1e9")
    answer = quantize(cli, "finished", "fp16", "story", *loose)
    assert answer.code == 1
    assert "the adapter is lost in the export" in answer.errors[0]
    assert nothing_is_left("story")


@pytest.mark.usefixtures("data")
def test_an_adapter_is_merged_exactly(run_here: Path, cli: Cli) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    assert quantize(cli, "finished", "fp16", "story").code == 0
    base = AutoModelForCausalLM.from_pretrained(resolve_model("finished").base, dtype=torch.float32)
    merged = PeftModel.from_pretrained(base, run_here / "adapter").merge_and_unload().half().state_dict()
    exported = AutoModelForCausalLM.from_pretrained("story").state_dict()
    assert exported.keys() == merged.keys()
    for name, tensor in exported.items():
        torch.testing.assert_close(tensor, merged[name])


def test_without_data_the_sample_of_llmops_is_taken(cli: Cli) -> None:
    answer = cli("quantize", "builtin:tiny-ko", "--to", "int8", "-o", "tiny", "--json", "--set", "data.records=3")
    assert answer.code == 0, answer.err
    result = QuantizeResult(**answer.json())
    assert 0 < result.records <= 3
    assert len(result.rows) == 2


@pytest.mark.usefixtures("data")
def test_a_configuration_says_the_same(cli: Cli, tiny_model: Path) -> None:
    text = {"model": str(tiny_model), "to": "int8", "output": "a", "data": {"eval": "heldout.jsonl"}}
    Path("q.yaml").write_text(json.dumps(text), encoding="utf-8")
    answer = cli("quantize", "q.yaml", "-o", "b", "--set", "limits.top1_agreement=0.5")
    assert answer.code == 0, answer.err
    assert "KL from the original, mean" in answer.out
    assert (Path("b/model.safetensors").is_file(), Path("a").exists()) == (True, False)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("exists", 2, "exists, and is not overwritten -> -o another folder"),
        ("quantized", 2, "it is quantized already"),
        ("adapter on quantized", 2, "its base is quantized already"),
        ("gguf", 2, "want the model it was made from"),
        ("nan", 2, "holds nan or infinity"),
        ("too large", 2, "numbers too large for torch.float16"),
        ("foreign template", 2, "template_sha256"),
        ("tokens", 2, "the model 399"),
        ("no such format", 2, "to: got 'int5'"),
        ("no library", 3, "pip install 'llmops-cli[gguf]'"),
        ("no model", 3, "no such model"),
    ],
)
def test_refusals(
    cli: Cli, run_here: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, what: str, code: int, said: str
) -> None:
    model, to = Path(shutil.copytree(tiny_model, "base")), "int8"
    name = str(model)
    config = json.loads((model / "config.json").read_text())
    weights = load_file(model / "model.safetensors")
    if what == "exists":
        Path("out").mkdir()
    elif what in ("quantized", "adapter on quantized"):
        (model / "config.json").write_text(json.dumps(config | {"quantization_config": {"bits": 8}}))
        if what != "quantized":
            for file in ("adapter_config.json", "contract.json"):
                text = (run_here / "adapter" / file).read_text().replace(str(tiny_model), str(model.resolve()))
                (run_here / "adapter" / file).write_text(text)
            name = "finished"
    elif what == "gguf":
        Path("a.gguf").write_bytes(b"GGUF")
        name = "a.gguf"
    elif what in ("nan", "too large"):
        weights["model.norm.weight"][0] = float("nan") if what == "nan" else 1e6
        save_file(weights, model / "model.safetensors", {"format": "pt"})
    elif what == "foreign template":
        settings = json.loads((run_here / "adapter/tokenizer_config.json").read_text())
        settings["chat_template"] += " "
        (run_here / "adapter/tokenizer_config.json").write_text(json.dumps(settings))
        name = "finished"
    elif what == "tokens":
        rows = weights["model.embed_tokens.weight"][:399].clone()
        save_file(weights | {"model.embed_tokens.weight": rows}, model / "model.safetensors", {"format": "pt"})
        (model / "config.json").write_text(json.dumps(config | {"vocab_size": 399}))
    elif what == "no such format":
        to = "int5"
    elif what == "no library":
        to = "gguf-f16"
        monkeypatch.setattr(gguf.importlib.util, "find_spec", lambda name: None)
    else:
        name = "./nowhere"
    answer = quantize(cli, name, to, "out")
    assert answer.code == code, answer.err
    assert any(said in error for error in answer.errors), answer.err
    assert what == "exists" or nothing_is_left("out")


def test_what_was_quantized_is_not_quantized_again(cli: Cli, data: str, tiny_model: Path) -> None:
    assert quantize(cli, tiny_model, "int8", "once", "limits.top1_agreement=0.5").code == 0
    answer = quantize(cli, "once", "int4", "twice")
    assert answer.code == 2
    assert answer.errors == [
        "once: it is quantized already: rounding twice loses more -> quantize the model it was made from"
    ]


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("to", ["int8", "gguf-f16"])
def test_a_full_disk_leaves_nothing(cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    def full(*arguments: Any, **options: Any) -> NoReturn:
        if to == "int8":
            from safetensors import SafetensorError

            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
        raise OSError("4096 requested and 0 written")  # as numpy says it, without a number

    if to == "int8":
        monkeypatch.setattr("llmops_cli.export.writing.save_file", full)
    else:
        monkeypatch.setattr(pytest.importorskip("gguf").GGUFWriter, "write_tensors_to_file", full)
    answer = quantize(cli, tiny_model, to, "out")
    assert answer.code == 3
    assert "no space left on the disk" in answer.errors[0]
    assert nothing_is_left("out")


@pytest.mark.usefixtures("data")
def test_an_interrupted_export_leaves_nothing_and_a_killed_one_is_no_hindrance(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: Any) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(packed, "write", interrupt)
        assert quantize(cli, tiny_model, "int8", "out").code == 130
    assert nothing_is_left("out")
    staging_path(Path("out")).mkdir()
    (staging_path(Path("out")) / "model.gguf").write_bytes(b"half")
    assert quantize(cli, tiny_model, "int8", "out", "limits.top1_agreement=0.5").code == 0
    assert not Path("out/model.gguf").exists()
    assert not staging_path(Path("out")).exists()
