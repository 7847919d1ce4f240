"""`data validate` finds every planted defect at its line, nothing in good records, and no check could be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from planting.defects import Planted, plant
from planting.natural import HELD_OUT, TRAIN, clean
from workbench import Answer, Cli

from llmops_cli.core import plugins
from llmops_cli.core.plugins import plugin_names
from llmops_cli.data import checks

SEED = 7
Findings = list[dict[str, str]]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted]]:
    """A folder with defects, and where they are."""
    folder = tmp_path_factory.mktemp("planted")
    return folder, plant(folder, SEED)


@pytest.fixture
def validate(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`validate(folder)`: all checks over the training data in it."""

    def run(folder: Path) -> Answer:
        monkeypatch.chdir(folder)
        return cli("data", "validate", TRAIN, "--against", HELD_OUT, "--model", "builtin:tiny-ko", "--json")

    return run


def unfound(answer: Answer, defects: list[Planted]) -> list[Planted]:
    findings: Findings = answer.json()["findings"]
    return [defect for defect in defects if not defect.found_in(findings)]


def test_each_planted_defect_is_found_at_its_line(planted: tuple[Path, list[Planted]], validate: Any) -> None:
    folder, defects = planted
    answer = validate(folder)
    assert answer.code == 1
    assert unfound(answer, defects) == []


def test_good_records_between_the_defects_are_left_alone(planted: tuple[Path, list[Planted]], validate: Any) -> None:
    folder, defects = planted
    findings: Findings = validate(folder).json()["findings"]
    assert [finding for finding in findings if not any(defect.is_at(finding["where"]) for defect in defects)] == []


def test_nothing_is_found_in_good_records(tmp_path: Path, validate: Any) -> None:
    count = clean(tmp_path, SEED)
    answer = validate(tmp_path)
    assert answer.json()["findings"] == []
    assert answer.code == 0
    assert answer.json()["records"] >= count >= 300


@pytest.mark.parametrize("name", plugin_names(checks))
def test_without_a_check_its_defects_go_unfound(
    name: str, planted: tuple[Path, list[Planted]], validate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, defects = planted

    def all_but_one(package: Any) -> list[str]:
        return [found for found in plugin_names(package) if package is not checks or found != name]

    monkeypatch.setattr(plugins, "plugin_names", all_but_one)
    assert name in {defect.check for defect in unfound(validate(folder), defects)}
