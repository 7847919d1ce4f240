"""The data files of a job, as its run record keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_cli.core.files import sha256_of
from llmops_cli.data.reading import expand
from llmops_cli.text.normalize import nfc


def describe_inputs(paths: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Path, sha256 and size of every data file of a job, by the role it plays (`train`, `eval`).

    Raises:
        InputError: a path is not there.
    """
    return [
        {"role": role, "path": nfc(str(path)), "sha256": sha256_of(path), "bytes": path.stat().st_size}
        for role, names in paths.items()
        if names
        for path in expand(names)
    ]
