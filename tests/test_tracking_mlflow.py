"""The mirror in MLflow: read back with MLflow's own client from the one SQLite file of the workspace."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, Train, losses_of, record_of, write_rows


@pytest.mark.parametrize("path", ["a.jsonl", "../../a.jsonl", "/b/a.jsonl", "./a//b/../c (1).jsonl", "글/" * 200 + "a"])
def test_every_path_gives_a_name_that_mlflow_takes(path: str) -> None:
    from mlflow.utils.validation import _validate_tag_name

    from llmops_cli.tracking.mirror import _tag_name

    name = _tag_name("train", path)
    _validate_tag_name(name)
    assert name.startswith("data.train.")
    assert len(name) <= 250


def client(workspace: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{workspace}/mlflow.db")


def test_a_run_and_its_continuation_are_one_mlflow_run(
    train: Train, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmops_cli.training.trainer import RunCallback

    begin = RunCallback.on_step_begin

    def stop_before_step_2(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        begin(self, args, state, control, **kwargs)
        if state.global_step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    held_out = "자료 (둘)/../평가 #1+.jsonl"  # what MLflow takes for no name of a tag
    Path("자료 (둘)").mkdir()
    write_rows("평가 #1+.jsonl", HELD_OUT)
    settings = {"tracking__mlflow": True, "tracking__experiment": "봄", "data__eval": held_out}
    with monkeypatch.context() as patch:
        patch.setattr(RunCallback, "on_step_begin", stop_before_step_2)
        assert train("a", **settings).code == 130
    mlflow = client(workspace)
    experiment = mlflow.get_experiment_by_name("봄")
    assert experiment.artifact_location == (workspace / "mlartifacts").as_uri()
    (run,) = mlflow.search_runs([experiment.experiment_id])
    assert (run.info.status, run.info.run_name) == ("KILLED", "a")

    answer = train("a", "--resume", **settings)
    assert answer.code == 0, answer.err
    (run,) = mlflow.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_id == record_of("runs/a")["mlflow_run_id"]
    params = {"train.learning_rate": "0.02", "lora.rank": "4", "data.train": "['train.jsonl']", "train.seed": "7"}
    assert params.items() <= run.data.params.items()
    hashes = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in ("train.jsonl", held_out)]
    tags = {key: value for key, value in run.data.tags.items() if key.startswith("data.")}
    assert sorted(tags.values()) == sorted(hashes)
    assert tags["data.train.train.jsonl"] == hashes[0]
    for key in ("loss", "eval_loss", "learning_rate", "grad_norm"):
        logged = {entry.step: entry.value for entry in mlflow.get_metric_history(run.info.run_id, key)}
        assert logged == pytest.approx(losses_of("runs/a", key))
    artifacts = {entry.path for entry in mlflow.list_artifacts(run.info.run_id)}
    assert artifacts == {"adapter", "config.yaml", "record.json", "metrics.jsonl", "loss_curve.png"}
    stored = workspace / "mlartifacts" / run.info.run_id / "artifacts/adapter/adapter_model.safetensors"
    assert stored.read_bytes() == Path("runs/a/adapter/adapter_model.safetensors").read_bytes()
    assert not Path("mlruns").exists()

    failed = train("b", train__learning_rate=1e38, train__warmup=0.0, tracking__mlflow=True)
    assert failed.code == 1
    (run,) = mlflow.search_runs([mlflow.get_experiment_by_name("llmops").experiment_id])
    assert run.info.status == "FAILED"


def test_an_old_mlruns_folder_is_no_obstacle(train: Train, workspace: Path) -> None:
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("experiment_id: '0'\n")
    assert train("a", train__max_steps=1, tracking__mlflow=True).code == 0
    assert client(workspace).get_run(record_of("runs/a")["mlflow_run_id"]).info.status == "FINISHED"
