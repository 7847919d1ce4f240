"""What the formats of creative works share: annotations, declared characters, metadata."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from llmops_cli.data.formats import Place, Row

_KINDS = {"VL_anime": "anime", "VL_movie": "movie", "VL_series": "series", "VL_novel": "novel"}


def as_list(value: Any) -> list[str]:
    """An annotation that is one text, a list of texts, or missing, as a list without empty texts."""
    items = value if isinstance(value, list) else [value]
    return [item.strip() for item in items if isinstance(item, str) and item.strip()]


def codes_of(row: Row) -> list[str]:
    """The character codes that a work declares: `["C001"]`, or `[{"id": "C001"}]`."""
    declared = row.get("characters")
    items = declared if isinstance(declared, list) else []
    return as_list([item.get("id") if isinstance(item, dict) else item for item in items])


def about_work(row: Row, place: Place, work: str) -> dict[str, Any]:
    """Metadata of every record of a work: `work` (to split by), `kind`, `title` and `genre` where known."""
    folder_kind = next((_KINDS[part] for part in PurePath(place.source).parts if part in _KINDS), None)
    kind = row["type"] if isinstance(row.get("type"), str) else folder_kind
    title = row["title"].strip() if isinstance(row.get("title"), str) else None
    known = {"work": work, "kind": kind, "title": title, "genre": as_list(row.get("genre"))}
    return {key: value for key, value in known.items() if value}
