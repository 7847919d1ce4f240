"""The composite action and the workflow that uses it, as far as they run without GitHub."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from workbench import Answer, Cli

from llmops_cli.core.workspace import PACKAGE

GITHUB = PACKAGE.parent / ".github"
ACTION = yaml.safe_load((GITHUB / "actions/eval-gate/action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
README = GITHUB.parent / "README.md"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PINNED = [*WORKFLOWS, GITHUB / "actions/eval-gate/action.yml", README]

LLMOPS = """#!/usr/bin/env bash
printf '%s\\0' "$@" > arguments
echo 'error: no model nowhere' >&2
mkdir -p runs/eval-gate
[ {code} -gt 1 ] || echo '| rep_4 | 0.01 |' > runs/eval-gate/report.md
exit {code}
"""
OWN_SUITE = """
about: two questions
metrics: [hangul_share]
items: [{id: a, prompt: 오늘은 뭘 먹지}, {id: b, prompt: 비가 오네}]
"""


@dataclass(frozen=True)
class Gated:
    """What the step came to."""

    code: int
    arguments: list[str]
    summary: str
    outputs: str
    log: str


def run_step(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script of a step as a runner does."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def gate(workspace: Path, code: int = 0, /, **inputs: str) -> Gated:
    """Run the gate with an `llmops` that ends with `code`."""
    stub = workspace / "bin/llmops"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text(LLMOPS.format(code=code), encoding="utf-8")
    stub.chmod(0o755)
    given = {name: each["default"] for name, each in ACTION["inputs"].items()} | inputs
    environment = {
        key: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
        for key, value in STEPS["Gate"]["env"].items()
    }
    files = {"GITHUB_STEP_SUMMARY": str(workspace / "summary.md"), "GITHUB_OUTPUT": str(workspace / "outputs")}
    path = f"{stub.parent}{os.pathsep}{os.environ['PATH']}"
    answer = run_step("Gate", files | environment | {"PATH": path})
    return Gated(
        answer.returncode,
        Path("arguments").read_text(encoding="utf-8").split("\0")[:-1],
        Path("summary.md").read_text(encoding="utf-8"),
        Path("outputs").read_text(encoding="utf-8"),
        answer.stdout,
    )


@pytest.mark.parametrize(
    ("code", "said", "judged"),
    [
        (0, "The gate passed.", True),
        (1, "**The model got worse**", True),
        (2, "its input is wrong", False),
        (3, "this machine cannot run it", False),
        (70, "a bug of llmops", False),
        (137, "exit code 137", False),
    ],
)
def test_a_worse_model_and_a_broken_job_are_told_apart(workspace: Path, code: int, said: str, judged: bool) -> None:
    done = gate(workspace, code)
    assert done.code == code
    assert done.outputs == f"exit-code={code}\n"
    assert said in done.summary
    assert ("was not judged" in done.summary) is not judged
    assert ("| rep_4 | 0.01 |" in done.summary) is judged
    assert ("    error: no model nowhere\n" in done.summary) is not judged
    assert "error: no model nowhere" in done.log


def test_without_a_report_it_is_not_said_that_the_model_got_worse(workspace: Path) -> None:
    done = gate(workspace, 1, name="another")
    assert done.code == 1
    assert "There is no report" in done.summary
    assert "got worse" not in done.summary
    assert "    error: no model nowhere" in done.summary


def test_what_is_not_given_is_not_passed_on(workspace: Path) -> None:
    assert gate(workspace).arguments == ["eval", "--gate", "--name=eval-gate", "--", "configs/eval.yaml"]


@pytest.mark.parametrize("baseline", ["base.json", "runs/base", "base"])
def test_inputs_become_arguments(workspace: Path, baseline: str) -> None:
    Path("base.json").touch()
    Path("runs/base").mkdir(parents=True)
    settings = "limit=4\n\ngeneration={max_tokens: 8}\n"
    done = gate(workspace, config="a b.yaml", model="runs/new", baseline=baseline, set=settings)
    assert done.arguments[1:] == [
        "--gate",
        "--name=eval-gate",
        "--set=model=runs/new",
        "--set=limit=4",
        "--set=generation={max_tokens: 8}",
        f"--baseline={baseline}",
        "--",
        "a b.yaml",
    ]
    assert "No baseline" not in done.summary


def test_the_command_takes_the_arguments_and_writes_what_the_action_reads(workspace: Path, cli: Cli) -> None:
    Path("own.yaml").write_text(OWN_SUITE, encoding="utf-8")
    Path("e.yaml").write_text("{model: nowhere, suites: [own.yaml], tracking: {mlflow: false}}", encoding="utf-8")
    settings = "gate.limits.hangul_share.min=0.5\ngate.min_items=2"

    def evaluated(**inputs: str) -> Answer:
        return cli(*gate(workspace, config="e.yaml", model="fake:words", set=settings, **inputs).arguments)

    before, after = evaluated(name="before"), evaluated(name="after", baseline="runs/before")
    assert [before.code, after.code] == [0, 0], before.err + after.err
    written = {path.name for path in Path("runs/after").iterdir()}
    assert written >= {"report.md", "report.html", "report.json", "junit.xml"}
    assert "no such model" in cli(*gate(workspace, config="--help").arguments).err  # a word after -- is no flag


def test_a_baseline_that_is_not_there_is_said(workspace: Path) -> None:
    done = gate(workspace, baseline="gone.json")
    assert done.arguments == gate(workspace).arguments
    assert done.code == 0
    assert "No baseline was found" in done.summary


@pytest.mark.parametrize(
    "value",
    ['"; touch owned; "', "$(touch owned)", "`touch owned`", "--help", "' || touch owned '", "a\\nb", "*", "-e"],
)
def test_no_input_is_run_or_split(workspace: Path, value: str) -> None:
    Path(value.replace("/", "_")).touch()
    done = gate(workspace, config=value, model=value, baseline=value, name=value, set=value)
    assert done.arguments == [
        "eval",
        "--gate",
        f"--name={value}",
        f"--set=model={value}",
        f"--set={value}",
        f"--baseline={value}",
        "--",
        value,
    ]
    assert not Path("owned").exists()


@pytest.mark.parametrize("here", [True, False])
def test_llmops_is_installed_where_it_is_not(workspace: Path, here: bool) -> None:
    for name in ["python", *(["llmops"] if here else [])]:
        Path(name).write_text('#!/bin/sh\nprintf "%s\\n" "$@" > arguments\n', encoding="utf-8")
        Path(name).chmod(0o755)
    run_step("Install", {"PATH": f"{workspace}:/usr/bin:/bin", "GITHUB_ACTION_PATH": str(GITHUB / "actions/eval-gate")})
    if here:
        assert not Path("arguments").exists()
    else:
        *_, option, constraints, project = Path("arguments").read_text(encoding="utf-8").splitlines()
        assert option == "--constraint"
        assert Path(constraints).resolve() == GITHUB.parent / "constraints.txt"
        assert (Path(project) / "pyproject.toml").is_file()


def test_no_script_has_an_expression_in_it() -> None:
    """`${{ }}` in a script is text of somebody else that becomes code."""
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    for workflow in WORKFLOWS:
        jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
        scripts += [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert len(scripts) > 5
    assert [script for script in scripts if "${{" in script] == []


def test_the_report_is_kept_whatever_the_verdict() -> None:
    keep = STEPS["Keep the report"]
    assert keep["if"] == "always()"
    assert keep["uses"].startswith("actions/upload-artifact@")


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((GITHUB / "workflows" / name).read_text(encoding="utf-8"))
    return loaded


def test_the_workflow_gates_a_pull_request_with_the_action() -> None:
    gating = workflow("gate.yml")
    assert gating["permissions"] == {"contents": "read"}
    assert "pull_request" in gating[True]  # YAML 1.1 reads `on` as true
    steps = gating["jobs"]["tiny-ko"]["steps"]
    (action,) = [step for step in steps if step.get("uses", "").startswith("./")]
    assert (GITHUB.parent / action["uses"] / "action.yml").is_file()
    assert set(action["with"]) <= set(ACTION["inputs"])
    assert (GITHUB.parent / action["with"]["config"]).is_file()
    (base,) = [step for step in steps if step.get("name") == "Measure the base"]
    name = base["run"].split()[-1]
    assert action["with"]["baseline"] == f"{base['working-directory']}/runs/{name}"


def test_the_workflow_in_the_readme_gives_the_action_what_it_takes() -> None:
    readme = README.read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(on: pull_request.*?)```", readme, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["gate"]["steps"]
    assert steps[-1]["uses"].partition("/.github/")[2].startswith("actions/eval-gate@")
    assert set(steps[-1]["with"]) <= set(ACTION["inputs"])


def test_actions_are_pinned_alike_everywhere() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PINNED]
    pins = {tuple(found.split("@")) for text in texts for found in re.findall(r"uses: (actions/\S+)", text)}
    assert len({action for action, _ in pins}) == len(pins)
