"""`llmops model`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from llmops_cli.commands.options import Json
from llmops_cli.commands.show import number, show, show_pairs, size
from llmops_cli.core.console import ConsoleReporter, print_result
from llmops_cli.core.errors import LlmopsError

if TYPE_CHECKING:
    from llmops_cli.models.describe import ModelDescription

EXAMPLES = """Examples:

  llmops model fetch Qwen/Qwen2-0.5B-Instruct

  llmops model show builtin:tiny-ko

  llmops model show runs/quickstart --template
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Fetch and show models.", no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLES)
    group.command(epilog=EXAMPLES)(fetch)
    group.command("show", epilog=EXAMPLES)(show_model)
    app.add_typer(group, name="model")


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Hub name: OWNER/MODEL.")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit; by default the main branch.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download a model of the Hugging Face hub (or of the mirror in HF_ENDPOINT) ahead of time, and check it.

    A download that was cut goes on where it stopped.
    """
    from llmops_cli.models.hub import fetch_model

    result = fetch_model(name, ConsoleReporter(), revision)
    pairs = {
        "model": result.name,
        "commit": result.commit,
        "files": f"{result.files}, {size(result.size)}, checked",
        "downloaded": size(result.downloaded) if result.downloaded else "nothing, it was here",
        "folder": str(result.folder),
    }
    show(asdict(result) | {"folder": str(result.folder)}, as_json, lambda: show_pairs("fetched", pairs))


def show_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Hub name, folder, run, adapter, builtin or .gguf file.")],
    template: Annotated[bool, typer.Option("--template", help="Print the chat template, and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Say what a model is: its shape, size, template, special tokens, whether it stops, and what can run it."""
    from llmops_cli.models.describe import describe_model

    described = describe_model(name)
    if template and not as_json:
        print_result(described.template.text)
        return
    engines = _engines(name)
    show(asdict(described) | {"engines": engines}, as_json, lambda: _table(described, engines))


def _engines(name: str) -> dict[str, str]:
    """The engines that can run a model on this machine, the one that `auto` takes first, with why it does."""
    from llmops_cli.core.plugins import plugin_names
    from llmops_cli.inference import engines
    from llmops_cli.inference.config import EngineConfig
    from llmops_cli.inference.open import choose_engine

    able: dict[str, str] = {}
    for engine in ("auto", *plugin_names(engines)):
        try:
            choice = choose_engine(EngineConfig.model_validate({"model": name, "engine": engine}))
        except LlmopsError:
            continue
        able.setdefault(choice.engine, choice.reason if engine == "auto" else "")
    return able


def _table(model: ModelDescription, engines: dict[str, str]) -> None:
    from llmops_cli.models.contract import describe_differences

    shape, weights, stopping = model.shape, model.weights, model.stopping
    pairs = {"kind": model.kind if model.base is None else f"{model.kind}: an adapter on {model.base}"}
    pairs["folder"] = model.folder
    pairs["architecture"] = (
        f"{shape.architecture}: {number(shape.layers)} layers, {number(shape.hidden)} hidden, "
        f"{number(shape.heads)} heads ({number(shape.key_value_heads)} key/value)"
    )
    pairs["vocabulary"] = f"{number(shape.vocabulary)} tokens"
    pairs["context"] = f"{number(shape.context_length)} tokens"
    held = ", ".join([*([weights.quantization] if weights.quantization else []), *weights.dtypes])
    pairs["weights"] = ", ".join(
        [f"{number(weights.parameters)} parameters", *([held] if held else []), size(weights.size)]
    )
    if model.adapter:
        pairs["adapter"] = (
            f"rank {number(model.adapter.rank)}, alpha {number(model.adapter.alpha)}, "
            f"{number(model.adapter.parameters)} parameters, {size(model.adapter.size)}"
        )
        pairs["on"] = ", ".join(model.adapter.targets)
    pairs["template"] = f"sha256 {model.template.sha256} (--template shows it)"
    pairs["example"] = model.template.example
    pairs["special tokens"] = _tokens(model.special_tokens)
    pairs["stops at"] = _tokens(stopping.stop_tokens)
    pairs["an answer ends with"] = stopping.end_of_turn or "-"
    pairs["contract"] = model.contract.verdict
    for line in describe_differences(model.contract):
        pairs["contract"] += f"\n{line}"
    pairs["engines"] = ", ".join(f"{name} ({why})" if why else name for name, why in engines.items()) or "none here"
    show_pairs(model.name, pairs)
    for warning in stopping.warnings:
        ConsoleReporter().warn(warning)


def _tokens(tokens: dict[str, int]) -> str:
    return ", ".join(f"{text} {index}" for text, index in tokens.items())
