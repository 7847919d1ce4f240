"""`llmops config`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_cli.commands.options import ConfigFile, Json, Set
from llmops_cli.commands.show import show
from llmops_cli.core.console import print_json, print_result, print_table

JobName = Annotated[
    str | None, typer.Option("--job", help="Schema to use; by default the one that fits the file's keys.")
]

EXAMPLES = """Examples:

  llmops config check configs/lora.yaml

  llmops config show configs/tiny.yaml --set train.epochs=1

  llmops config schema train > train.schema.json
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="Check, show and describe configurations.",
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=EXAMPLES,
    )
    group.command(epilog=EXAMPLES)(check)
    group.command("show", epilog=EXAMPLES)(show_config)
    group.command(epilog=EXAMPLES)(schema)
    app.add_typer(group, name="config")


def check(config: ConfigFile, job: JobName = None, overrides: Set = None, as_json: Json = False) -> None:
    """Say everything that is wrong with a configuration, with line numbers."""
    name, _ = _resolve(config, job, overrides)
    show(
        {"ok": True, "file": str(config), "job": name},
        as_json,
        lambda: print_result(f"{config}: a valid {name} configuration"),
    )


def show_config(config: ConfigFile, job: JobName = None, overrides: Set = None, as_json: Json = False) -> None:
    """Print every value after all layers, and where it came from."""
    from llmops_cli.config.layers import Resolved, flat_values

    name, resolved = _resolve(config, job, overrides)
    assert isinstance(resolved, Resolved)
    values = [
        {"key": ".".join(map(str, path)), "value": value, "from": resolved.layers.origin_of(path)}
        for path, value in flat_values(resolved.config)
    ]
    rows = [[value["key"], _as_yaml(value["value"]), value["from"]] for value in values]
    show(
        {"job": name, "values": values},
        as_json,
        lambda: print_table(f"{config} ({name})", ["key", "value", "from"], rows),
    )


def _as_yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def schema(
    job: Annotated[
        str, typer.Argument(help="train, eval, suite, quantize, generate, chat, prompt, convert, validate or recipe.")
    ],
) -> None:
    """Print the JSON Schema of a configuration, for an editor."""
    from llmops_cli.pipeline.jobs import schema_named

    print_json(json_schema(schema_named(job)))


def json_schema(model: type) -> dict[str, object]:
    """The JSON Schema of a configuration file: its own keys, and `extends`."""
    described: dict[str, object] = model.model_json_schema()  # type: ignore[attr-defined]
    properties = described["properties"]
    assert isinstance(properties, dict)
    properties["extends"] = {
        "type": "string",
        "description": "YAML file that lies under this one, relative to it",
    }
    definitions = described.get("$defs", {})
    assert isinstance(definitions, dict)
    for part in (described, *definitions.values()):
        part.pop("required", None)  # what is required may stand in the extended file
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def _resolve(config: Path, job: str | None, overrides: list[str] | None) -> tuple[str, object]:
    from llmops_cli.config.layers import read_layers, resolve
    from llmops_cli.pipeline.jobs import schema_named, schema_that_fits

    name = job or schema_that_fits(set(read_layers(config).data))
    return name, resolve(schema_named(name), config, overrides or [])
