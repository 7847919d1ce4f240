"""`llmops eval metrics`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import show
from llmops_cli.core.console import print_result, print_table

EXAMPLES = """Examples:

  llmops eval metrics

  llmops eval metrics --json
"""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("metrics", epilog=EXAMPLES)(list_metrics)


def list_metrics(as_json: Json = False) -> None:
    """List the metrics: what each measures, and how."""
    from llmops_cli.core.plugins import load_plugins
    from llmops_cli.evaluation import metrics

    described = [_described(name, module) for name, module in load_plugins(metrics).items()]
    show(described, as_json, lambda: _show_metrics(described))


def _described(name: str, module: ModuleType) -> dict[str, Any]:
    params = module.Params.model_json_schema()["properties"] if hasattr(module, "Params") else {}
    return {
        "metric": name,
        "about": module.ABOUT,
        "better": module.BETTER,
        "formula": module.FORMULA,
        "source": module.SOURCE,
        "needs": list(module.NEEDS),
        "variants": list(getattr(module, "VARIANTS", ()) or ()),
        "loads": getattr(module, "LOADS", None),
        "parameters": {key: value.get("description", "") for key, value in params.items()},
    }


def _show_metrics(described: list[dict[str, Any]]) -> None:
    rows = [
        [
            "\n".join([each["metric"], *(f" [{variant}]" for variant in each["variants"])]),
            each["better"] or "-",
            f"{each['about']}\n= {each['formula']}",
        ]
        for each in described
    ]
    print_table("", ["metric", "better", "what it measures, and how"], rows)
    print_result("n is a number, as in rep_4; a variant stands behind the name, as in rouge_l[jamo]; - does not judge.")
    print_result("--json adds sources, parameters and what a metric needs or loads.")
