"""Runs every benchmark, or the named ones."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.bench

NOT_BENCHMARKS = {"__main__", "gauge", "pairs", "process"}


def main(wanted: list[str]) -> None:
    """Run the benchmarks called `wanted`, all without a name."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    names = [name for name in names if name not in NOT_BENCHMARKS]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}: there are {', '.join(names)}")
    for name in wanted or names:
        print(f"\n== {name}")
        importlib.import_module(f"tests.bench.{name}").run()


if __name__ == "__main__":
    main(sys.argv[1:])
