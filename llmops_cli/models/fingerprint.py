"""What a model is, in one hash."""

from __future__ import annotations

from pathlib import Path

from llmops_cli.core.files import sha256_of, sha256_of_value
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Source
from llmops_cli.models.tokenizer import FILES

WEIGHTS = ("config.json", "adapter_config.json", "*.safetensors", "*.safetensors.index.json")


def fingerprint(source: Source) -> str:
    """The hex SHA-256 over all of a model's files that shape an answer: weights, adapter, tokenizer, template, stops.

    A server or a fake has no files: theirs is that of the name.
    """
    if isinstance(source, ModelFiles):
        parts = [_hashes(source.base, WEIGHTS), _hashes(source.tokenizer, FILES)]
        return sha256_of_value([*parts, _hashes(source.adapter, WEIGHTS) if source.adapter else {}])
    if isinstance(source, GgufFile):
        return sha256_of_value([sha256_of(source.path), _hashes(source.folder, FILES)])
    return sha256_of_value(source.name)


def _hashes(folder: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    return {path.name: sha256_of(path) for pattern in patterns for path in sorted(folder.glob(pattern))}
