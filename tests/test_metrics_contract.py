"""What every metric keeps to: a new file in the folder is tested from the moment it is there."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.plugins import load_plugins
from llmops_cli.evaluation import metrics
from llmops_cli.evaluation.calling import every_metric, find_metric
from llmops_cli.evaluation.config import Constraints
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item, Likelihood, Timing

MODULES = load_plugins(metrics)
FIELDS = set(vars(Item("a", ""))) - {"id", "output"}
LONG = "비가 그치자 아이들이 골목으로 나왔다. 할머니는 창가에 앉아 그 모습을 보며 웃었다. " * 30


def item(output: str, name: str = "a") -> Item:
    """An item that has every field."""
    return Item(
        name,
        output,
        prompt="비 오는 날의 이야기를 200자로 써 줘.",
        reference="비가 오는 날이었다. 우산을 쓴 아이가 걸었다.",
        constraints=Constraints(title=False, hangul_only=True, ends_with_sentence=True),
        finish_reason="stop",
        likelihood=Likelihood(12.5, 10, max(len(output), 1)),
        timing=Timing(0.2, 1.5, 10),
    )


OUTPUTS = {
    "empty": "",
    "one letter": "가",
    "white space": " \n ",
    "one word": "그래.",
    "punctuation": "...?!",
    "latin": "I do not know.",
    "long": LONG,
    "one long word": "가" * 3000,
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_measures(name: str) -> None:
    module = MODULES[name]
    for constant in ("ABOUT", "FORMULA", "SOURCE"):
        text = getattr(module, constant)
        assert text.strip() == text
        assert text
        assert "\n" not in text
    assert module.BETTER in ("higher", "lower", None)
    assert set(module.NEEDS) <= FIELDS
    assert hasattr(module, "start") != hasattr(module, "start_all")
    assert name.endswith("_n") == hasattr(module, "USUAL")
    variants = getattr(module, "VARIANTS", None)
    assert variants is None or len(set(variants)) == len(variants) > 1
    assert getattr(module, "TIMED", False) <= ("timing" in module.NEEDS)


def test_no_metric_imports_anything_heavy_before_it_is_started() -> None:
    code = (
        "import sys, importlib\n"
        f"for name in {list(MODULES)!r}: importlib.import_module('llmops_cli.evaluation.metrics.' + name)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "evaluate", "nltk", "sacrebleu", "rouge_score", "tokenizers", "httpx"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("name", every_metric())
def test_any_output_is_measured(name: str) -> None:
    metric = find_metric(name)
    assert metric.name == name
    for label, output in OUTPUTS.items():
        (found,) = metric.measure([item(output)])
        assert found is None or (math.isfinite(found.score) and all(map(math.isfinite, found.statistics))), label
    assert metric.measure([]) == []


@pytest.mark.parametrize("name", every_metric())
def test_a_metric_gives_the_same_in_another_process(name: str) -> None:
    metric = find_metric(name)
    there = pickle.loads(pickle.dumps(metric))
    items = [item(output, label) for label, output in OUTPUTS.items()]
    assert there.name == name
    assert there.measure(pickle.loads(pickle.dumps(items))) == metric.measure(items)


@pytest.mark.parametrize("name", every_metric())
def test_the_score_of_a_set_is_what_its_items_pool_to(name: str) -> None:
    metric = find_metric(name)
    items = [item(output, label) for label, output in OUTPUTS.items()]
    rows = [(each.id, found) for each, found in measure([metric], items, SilentReporter())]
    scores = summarize([metric], rows, intervals=False)
    found = [each for _, measured in rows if (each := measured[name])]
    if not found:
        assert scores.summary == {name: None}
        return
    statistics = np.array([each.statistics or (each.score,) for each in found])
    pooled = metric.pool(statistics, np.ones((2, len(found))))
    assert pooled.shape == (2,)
    assert scores.summary[name] == pytest.approx(pooled[0])


@pytest.mark.parametrize("name", every_metric())
def test_a_set_of_one_item_is_summarized(name: str) -> None:
    metric = find_metric(name)
    rows = [(each.id, found) for each, found in measure([metric], [item(LONG)], SilentReporter())]
    summary = summarize([metric], rows, intervals=False).summary[name]
    found = rows[0][1][name]
    assert summary == (pytest.approx(found.score) if found else None)
