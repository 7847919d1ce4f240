"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the configuration; may be given again."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
RunName = Annotated[
    str | None, typer.Option("--name", help="Name of the run; by default the file's name and the time.")
]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML configuration.")]
TemplateName = Annotated[str, typer.Argument(metavar="NAME", help="A prompt template, by name or its YAML file.")]
