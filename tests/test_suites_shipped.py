"""The suites in `configs/suites`: whole, fair, and such that a good answer can pass them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmops_cli.core.plugins import plugin_names
from llmops_cli.core.workspace import PACKAGE, shipped_root
from llmops_cli.evaluation import metrics
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.config import Constraints, SuiteItem
from llmops_cli.evaluation.metrics import Item
from llmops_cli.evaluation.suites import Suite, load_suite

SHIPPED = ("ko-fiction", "ko-daily", "stop", "safety-smoke")
COUNTS = {
    number: place
    for place, numbers in enumerate(("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열"), 1)
    for number in numbers.split()
}
LENGTHS = {"characters", "manuscript_pages", "sentences", "paragraphs", "lines"}
UNITS = {"문장": "sentences", "문단": "paragraphs", "줄": "lines"}
NUMBER = "|".join(COUNTS)


@pytest.fixture(params=SHIPPED)
def suite(request: pytest.FixtureRequest) -> Suite:
    return load_suite(request.param)


def asked_lengths(prompt: str) -> dict[str, Any]:
    """The lengths that a prompt asks for, in the words of constraints."""
    asked: dict[str, Any] = {}
    if between := re.search(r"(\d+)자(?:에서| 이상) (\d+)자", prompt):
        asked["characters"] = {"min": int(between[1]), "max": int(between[2])}
    elif most := re.search(r"(\d+)자(?: 이내|를 넘지)", prompt):
        asked["characters"] = {"max": int(most[1])}
    elif about := re.search(r"(\d+)자 (?:안팎|내외|정도)", prompt):
        asked["characters"] = int(about[1])
    if sheets := re.search(r"원고지 (\d+)매", prompt):
        asked["manuscript_pages"] = int(sheets[1])
    for number, unit, limit in re.findall(rf"({NUMBER}) ?(문장|문단|줄)( 이내)?", prompt):
        asked[UNITS[unit]] = {"max": COUNTS[number]} if limit else COUNTS[number]
    if re.search(r"(?:첫|마지막) 문단", prompt):
        asked["paragraphs"] = 1
    if re.search(r"한두 문장", prompt):
        asked["sentences"] = {"max": 2}
    elif re.search(r"문장[을은]? 하나", prompt):
        asked["sentences"] = 1
    return asked


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("300자 안팎으로 써 줘. 대사는 열 줄 이내.", {"characters": 300, "lines": {"max": 10}}),
        ("250자에서 350자 사이로, 세 문단.", {"characters": {"min": 250, "max": 350}, "paragraphs": 3}),
        ("150자 이상 250자 이하", {"characters": {"min": 150, "max": 250}}),
        ("100자를 넘지 않게, 원고지 2매", {"characters": {"max": 100}, "manuscript_pages": 2}),
        ("문장을 하나만", {"sentences": 1}),
        ("한두 문장으로", {"sentences": {"max": 2}}),
        ("세 번 울렸다. 글자로 써 줘.", {}),
    ],
)
def test_what_the_test_reads_out_of_a_prompt(prompt: str, asked: dict[str, Any]) -> None:
    assert asked_lengths(prompt) == asked


def test_there_are_four_and_each_is_as_large_as_it_says() -> None:
    assert {path.stem for path in (shipped_root() / "configs/suites").glob("*.yaml")} == set(SHIPPED)
    sizes = {name: len(list(load_suite(name).items())) for name in SHIPPED}
    assert sizes == {"ko-fiction": 40, "ko-daily": 40, "stop": 24, "safety-smoke": 30}


def test_metrics_are_there_and_every_one_has_items_to_score(suite: Suite) -> None:
    items = [as_answer(item, "네, 그렇습니다.") for item in suite.items()]
    names = [find_metric(name).name for name in suite.config.metrics]
    assert len(set(names)) == len(names)
    for metric in map(find_metric, suite.config.metrics):
        if needs := [need for need in metric.module.NEEDS if need in ("reference", "constraints")]:
            with_all = [item for item in items if all(getattr(item, need) for need in needs)]
            assert len(with_all) >= 20, f"{metric.name}: too few for the gate to decide"


def test_text_is_nfc_and_without_stray_space(suite: Suite) -> None:
    text = suite.path.read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)
    for item in suite.items():
        assert item.prompt == item.prompt.strip()
        assert not re.search(r"  |[ \t]\n", item.prompt)


def test_no_prompt_stands_twice() -> None:
    prompts = Counter(item.prompt for name in SHIPPED for item in load_suite(name).items())
    assert [prompt for prompt, times in prompts.items() if times > 1] == []


def test_lengths_asked_are_lengths_checked(suite: Suite) -> None:
    for item in suite.items():
        asked = asked_lengths(item.prompt)
        checked = constraints_of(item).keys() & LENGTHS
        if suite.name != "stop":  # where a bound goes without saying, such as that of a yes
            assert checked == asked.keys(), item.id
        wanted = Constraints.model_validate(asked)
        assert all(getattr(item.constraints, unit) == getattr(wanted, unit) for unit in asked), item.id


def test_words_that_fiction_must_have_are_in_its_prompt() -> None:
    for name in ("ko-fiction", "safety-smoke"):
        for item in load_suite(name).items():
            wanted = [*constraints_of(item).get("include", []), constraints_of(item).get("ends_with", "")]
            assert [word for word in wanted if word not in item.prompt] == [], item.id


def constraints_of(item: SuiteItem) -> dict[str, Any]:
    return item.constraints.model_dump(exclude_none=True) if item.constraints else {}


def as_answer(item: SuiteItem, output: str) -> Item:
    return Item(item.id, output, item.prompt, item.reference, item.constraints, "stop")


def test_a_reference_keeps_the_constraints_of_its_item() -> None:
    answers = [as_answer(item, item.reference) for item in load_suite("ko-daily").items() if item.reference]
    assert len(answers) == 20
    for item, found in zip(answers, find_metric("constraints").measure(answers), strict=True):
        assert found is None or found.score == 1, (item.id, found.details)


def test_the_readme_names_every_metric() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    table = readme.partition("### Metrics")[2].partition("###")[0]
    for name in plugin_names(metrics):
        called = re.sub("_n$", r"_\\d", name)
        assert re.search(rf"^\|[^|]*`{called}[`\[]", table, re.MULTILINE), name


def test_the_suite_in_the_readme_is_one() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(about: .*?)```", readme, re.DOTALL)
    Path("letters.yaml").write_text(text, encoding="utf-8")
    Path("more.jsonl").write_text('{"id": "b", "prompt": "답장을 써 줘."}\n', encoding="utf-8")
    suite = load_suite("letters.yaml")
    assert [item.id for item in suite.items()] == ["first-letter", "b"]
    assert all(map(find_metric, suite.config.metrics))
