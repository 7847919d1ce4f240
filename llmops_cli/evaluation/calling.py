"""From the name of a metric, such as `distinct_2[char]`, to the metric."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from llmops_cli.config.layers import Layers, validate
from llmops_cli.core.errors import Collector, InputError, raise_problems
from llmops_cli.core.plugins import load_plugin, plugin_names, suggestion
from llmops_cli.evaluation import metrics
from llmops_cli.evaluation.metrics import Better, Call, Item, Measured, Measurement

if TYPE_CHECKING:
    import numpy as np

NAME = re.compile(r"(?P<stem>[a-z][a-z0-9_]*?)(?:_(?P<n>\d+))?(?:\[(?P<variant>[^\[\]]*)\])?")


class Metric:
    """A metric as it was called: `name` is canonical, with number and variant."""

    def __init__(self, name: str, module: ModuleType, call: Call) -> None:
        self.name = name
        self.module = module
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process finds it by its name, once."""
        return _found_before, (
            self.name,
            self.call.params.model_dump_json(exclude_unset=True) if self.call.params else "{}",
        )

    @property
    def better(self) -> Better | None:
        """Which way is better."""
        better: Better | None = self.module.BETTER
        return better

    @property
    def timed(self) -> bool:
        """Whether it measures the clock."""
        return getattr(self.module, "TIMED", False)

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields of an item, besides `output`, without which it has no score."""
        needs: tuple[str, ...] = self.module.NEEDS
        return needs

    @property
    def loads(self) -> str:
        """What it loads or calls, empty where nothing."""
        return _loads(self.module, self.call.variant)

    @property
    def signature(self) -> str | None:
        """What has to be the same for two scores to be compared, where the module tells it."""
        signature: str | None = self.module.signature(self.call) if hasattr(self.module, "signature") else None
        return signature

    @property
    def sees_all(self) -> bool:
        """Whether items are scored together."""
        return hasattr(self.module, "start_all")

    @functools.cached_property
    def _measure(self) -> Any:
        return self.module.start_all(self.call) if self.sees_all else self.module.start(self.call)

    def measure(self, items: Sequence[Item]) -> list[Measurement | None]:
        """The score of each item, None where it has none."""
        fit = [place for place, item in enumerate(items) if not self.missing(item)]
        chosen = [items[place] for place in fit]
        scored: Iterable[Measured] = self._measure(chosen) if self.sees_all else map(self._measure, chosen)
        found: list[Measurement | None] = [None] * len(items)
        for place, value in zip(fit, scored, strict=True):
            found[place] = Measurement(value) if isinstance(value, float | int) else value
        return found

    def missing(self, item: Item) -> list[str]:
        """The fields that it needs and the item has not."""
        return [need for need in self.needs if getattr(item, need) in (None, "", {})]

    def pool(self, statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Scores of resamples of a set, [resamples]; see :mod:`llmops_cli.evaluation.metrics`.

        `statistics`, [items, k], holds the scores themselves where the metric has no statistics.
        """
        if hasattr(self.module, "pool"):
            pooled: np.ndarray = self.module.pool(statistics, counts)
            return pooled
        mean: np.ndarray = counts @ statistics[:, 0] / counts.sum(axis=1)
        return mean


def find_metric(name: str, params: Mapping[str, Any] | None = None) -> Metric:
    """The metric of a name.

    Raises:
        InputError: there is none of that name, number or variant; or its parameters are wrong.
    """
    module, n, variant = _resolve(name)
    canonical = _canonical(module, n, variant)
    return Metric(canonical, module, Call(_params(canonical, module, params), n, variant))


def named_metric(name: str) -> Metric:
    """The metric of a name, without parameters: to pool and compare scores that exist, not to measure.

    Raises:
        InputError: there is none of that name, number or variant.
    """
    module, n, variant = _resolve(name)
    return Metric(_canonical(module, n, variant), module, Call(None, n, variant))


def find_metrics(names: Iterable[str], params: Mapping[str, Mapping[str, Any]]) -> list[Metric]:
    """The metrics of names, each once, in their order; `params` are by metric.

    Raises:
        InputError: every name and every parameter that is wrong.
    """
    collect = Collector()
    given = {collect.attempt(canonical_name, name): values for name, values in params.items()}
    wanted = dict.fromkeys(collect.attempt(canonical_name, name) for name in names)
    found = [collect.attempt(find_metric, name, given.get(name)) for name in wanted if name]
    raise_problems(collect.problems)
    return [metric for metric in found if metric]


@functools.cache
def _found_before(name: str, params: str) -> Metric:
    return find_metric(name, json.loads(params))


def canonical_name(name: str) -> str:
    """The one name of a metric however it is called: `rouge_l[char]` for `rouge_l`, `rep_4` for `rep_4[word]`.

    Raises:
        InputError: there is no metric of that name, number or variant.
    """
    return _canonical(*_resolve(name))


def _resolve(name: str) -> tuple[ModuleType, int, str]:
    """Module, number (0 for none) and variant of a name."""
    match = NAME.fullmatch(name)
    stem, n, variant = match.group("stem", "n", "variant") if match else (name, None, None)
    known = plugin_names(metrics)
    plugin = f"{stem}_n" if n is not None else stem
    if plugin not in known and n is not None and f"{stem}_{n}" in known:
        plugin, n = f"{stem}_{n}", None
    if plugin not in known or (n is None and plugin.endswith("_n")) or (n is not None and int(n) < 1):
        meant = name.lower().replace("-", "_")
        number = match[0] if (match := re.search(r"[1-9]\d*", meant)) else "2"
        spelled = [re.sub(r"_n$", f"_{number}", each) for each in known]
        raise InputError(f"no metric {name!r}: there are {', '.join(known)}", hint=suggestion(meant, spelled))
    module = load_plugin(metrics, plugin)
    return module, int(n or 0), _variant(name, module, variant)


def _canonical(module: ModuleType, n: int, variant: str) -> str:
    plugin = module.__name__.rpartition(".")[2]
    usual = next(iter(getattr(module, "VARIANTS", None) or ()), "")
    says = variant and (variant != usual or getattr(module, "VARIANT_IN_NAME", False))
    return (f"{plugin[:-2]}_{n}" if n else plugin) + (f"[{variant}]" if says else "")


def _variant(name: str, module: ModuleType, variant: str | None) -> str:
    if not hasattr(module, "VARIANTS"):
        if variant is not None:
            raise InputError(f"{name}: the metric has no variants", hint=f"write {name.partition('[')[0]}")
        return ""
    known: tuple[str, ...] | None = module.VARIANTS
    if known is None:
        if not variant:
            raise InputError(f"{name}: want a name in brackets, as in {name.partition('[')[0]}[name]")
        return variant
    if variant is None:
        return known[0]
    if variant not in known:
        raise InputError(f"{name}: want one of {', '.join(known)} in brackets", hint=suggestion(variant, list(known)))
    return variant


def _params(name: str, module: ModuleType, given: Mapping[str, Any] | None) -> Any:
    if not hasattr(module, "Params"):
        if given:
            raise InputError(f"{name} has no parameters, got {', '.join(given)}")
        return None
    return validate(module.Params, Layers(dict(given or {})), f"params of {name}")


def _loads(module: ModuleType, variant: str) -> str:
    loads: str | Mapping[str, str] = getattr(module, "LOADS", "")
    return loads if isinstance(loads, str) else loads.get(variant, "")


def every_metric() -> list[str]:
    """The names of the metrics that load nothing: every variant, with the usual numbers (1, 2, 4 as each allows)."""
    names = []
    for plugin in plugin_names(metrics):
        module = load_plugin(metrics, plugin)
        stems = [f"{plugin[:-2]}_{n}" for n in module.USUAL] if plugin.endswith("_n") else [plugin]
        variants = [each for each in getattr(module, "VARIANTS", [""]) or [""] if not _loads(module, each)]
        names += [canonical_name(f"{stem}[{variant}]" if variant else stem) for stem in stems for variant in variants]
    return names
