"""What a module of `formats/` has, and how one is found by the name of a format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from llmops_cli.core.console import Progress
from llmops_cli.core.plugins import load_plugins
from llmops_cli.export import formats
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    from llmops_cli.export.merging import MergedModel


@dataclass(frozen=True)
class FormatLimits:
    """How far an export in a format may be from the original; the fields of :class:`Limits`."""

    kl_mean: float
    kl_p99: float
    top1_agreement: float
    perplexity_rise: float


class FormatModule(Protocol):
    """A module of `formats/`; importing it imports nothing heavy."""

    FORMATS: Mapping[str, FormatLimits]
    """The formats that it writes, and the limits of each."""

    def cannot_write(self, files: ModelFiles, tokenizer: ModelTokenizer) -> str | None:
        """Why a model cannot be written, or None; looks at no weights.

        An answer that names a command to install a package means that the machine lacks something.
        """

    def write(self, model: MergedModel, tokenizer: ModelTokenizer, to: str, folder: Path, progress: Progress) -> None:
        """Write weights, and what only this format has, into an empty folder.

        Raises:
            InputError: a weight cannot be held in this format.
        """


def format_module(name: str) -> FormatModule:
    """The module that writes a format."""
    modules = load_plugins(formats).values()
    return cast(FormatModule, next(module for module in modules if name in module.FORMATS))
