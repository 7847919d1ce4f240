"""The prompt templates there are: those of the workspace in `prompts/`, and those shipped with the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmops_cli.core.errors import InputError
from llmops_cli.core.plugins import suggestion
from llmops_cli.prompts.prompt_template import PromptTemplate, load_template
from llmops_cli.text.normalize import nfc

OWN = Path("prompts")
"""The user's templates, in the workspace; one of these stands in for a shipped one of its name."""
SHIPPED = Path(__file__).resolve().parent / "shipped"
ENDINGS = (".yaml", ".yml")


def template_paths() -> dict[str, Path]:
    """The file of every template, by name in alphabetical order."""
    return dict(sorted({**dict(_files(SHIPPED)), **dict(_files(OWN))}.items()))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("*")):
        if path.suffix in ENDINGS:
            yield nfc(path.stem), path


def find_template(name: str) -> PromptTemplate:
    """The template of a name, or of a file that ends in .yaml.

    Raises:
        InputError: there is none, or everything that is wrong with it.
    """
    return load_template(find_path(name))


def is_shipped(template: PromptTemplate) -> bool:
    """Whether a template came with the package."""
    return template.path.parent == SHIPPED


def find_path(name: str) -> Path:
    """The file of a template. Raises InputError when no template has the name."""
    if name.endswith(ENDINGS):
        return Path(name)
    paths = template_paths()
    path = paths.get(nfc(name))
    if path is None:
        hint = suggestion(name, list(paths)) or f"your own are {OWN}/NAME.yaml"
        raise InputError(f"no prompt template {name!r}: there are {', '.join(paths)}", hint=hint)
    return path
