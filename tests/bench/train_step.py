"""Tokens/s of a LoRA step of ours and of TRL, in turn, on the same records and the same random model.

TRL gets its better setting of two: packed (`packing=True`), and 16 padded conversations a step.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.gauge import gflops

PAIRS = 5
STEPS = 4
SHAPE = {"hidden_size": 448, "intermediate_size": 1792, "layers": 12, "heads": 7, "kv_heads": 1}
DATA = "data/train/daily_json/friends_talk"


def run() -> None:
    """Interleaved pairs; samples whose gauge is under 90 % of the best are dropped."""
    with tempfile.TemporaryDirectory() as folder:
        model = _model(Path(folder) / "model")
        rows = _conversations(Path(folder) / "train.jsonl")
        samples = []
        for pair in range(PAIRS):
            gauge = gflops()
            ours = _ours(model, Path(folder) / "train.jsonl", f"pair{pair}")
            theirs = max(_trl(model, rows, folder, packing=packing) for packing in (True, False))
            samples.append((gauge, ours, theirs))
            print(
                f"gauge {gauge:6.1f} GFLOP/s  llmops {ours:7.1f}  TRL {theirs:7.1f} tokens/s  ratio {ours / theirs:.2f}"
            )
    best = max(gauge for gauge, _, _ in samples)
    kept = [(ours, theirs) for gauge, ours, theirs in samples if gauge >= 0.9 * best]
    ratio = statistics.median(ours / theirs for ours, theirs in kept)
    print(f"median ratio {ratio:.2f} over {len(kept)} of {len(samples)} pairs (real tokens, padding not counted)")


def _model(folder: Path) -> Path:
    import torch

    from llmops_cli.models.resolve import BUILTIN_DIRECTORY
    from llmops_cli.models.tokenizer import load_tokenizer
    from llmops_cli.training.config import ArchitectureSettings
    from llmops_cli.training.scratch import new_model, save_tokenizer

    torch.manual_seed(0)
    tokenizer = load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko")
    new_model(ArchitectureSettings(**SHAPE), tokenizer, 0.0).save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def _conversations(target: Path) -> list[dict[str, Any]]:
    from llmops_cli.data.config import ReadOptions
    from llmops_cli.data.reading import read_records

    rows = [record.to_json() for record in read_records([DATA], ReadOptions())]
    rows = [{"messages": row["messages"]} for row in rows][: 16 * STEPS]
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return rows


def _ours(model: Path, data: Path, name: str) -> float:
    import os

    from llmops_cli.core.console import SilentReporter
    from llmops_cli.core.workspace import RunRequest
    from llmops_cli.tracking.record import read_metrics
    from llmops_cli.training import job
    from llmops_cli.training.config import TrainConfig

    before = Path.cwd()
    os.chdir(data.parent)
    try:
        config = TrainConfig.model_validate(
            {
                "model": str(model),
                "device": "cpu",
                "data": {"train": [str(data)], "max_length": 1024},
                "train": {"max_steps": STEPS, "batch_size": 16, "checkpoint_every": 10_000},
                "tracking": {"mlflow": False},
            }
        )
        plan = job.plan(config, RunRequest(name))
        job.run(plan, SilentReporter())
        steps = [entry for entry in read_metrics(plan.directory / "metrics.jsonl") if "loss" in entry][1:]
    finally:
        os.chdir(before)
    real = plan.train.tokens / len(plan.train.records) * 16 * len(steps)
    return float(real / sum(entry["seconds"] for entry in steps))


def _trl(model: Path, rows: list[dict[str, Any]], folder: str, *, packing: bool) -> float:
    import time

    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    times: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            times.append(time.perf_counter())

    tokenizer = AutoTokenizer.from_pretrained(model)
    arguments = SFTConfig(
        output_dir=f"{folder}/trl", per_device_train_batch_size=1 if packing else 16, max_steps=STEPS, use_cpu=True,
        bf16=False, gradient_checkpointing=False, max_length=2048 if packing else 1024, packing=packing,
        report_to="none", save_strategy="no", disable_tqdm=True, logging_strategy="no",
        include_num_input_tokens_seen="non_padding",
    )  # fmt: skip
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype="float32"),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[Clock()],
    )
    trainer.train()
    per_step = trainer.state.num_input_tokens_seen / STEPS
    return float(per_step * (len(times) - 1) / (times[-1] - times[0]))
