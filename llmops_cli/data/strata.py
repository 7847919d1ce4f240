"""The parts of a corpus that are told apart when it is counted or split."""

from __future__ import annotations

from pathlib import PurePosixPath

from llmops_cli.data.records import Record

_DOCUMENTS = (".json", ".txt")


def stratum_of(record: Record) -> str:
    """The part of the corpus a record is from: its `kind` where the metadata has one (novel, anime), else its file.

    Files that hold one document each, .json and .txt, count as their folder: ten thousand chats in one folder are one
    part.
    """
    kind = record.metadata.get("kind")
    if isinstance(kind, str) and kind:
        return kind
    source = PurePosixPath(record.source)
    one_document = source.name.lower().removesuffix(".gz").endswith(_DOCUMENTS)
    return str(source.parent if one_document and source.parent.name else source)
