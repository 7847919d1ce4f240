"""Records with exactly the same messages or text as one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record

ID = "duplicates"
SEVERITY = "warning"


def start() -> Check:
    first_seen: dict[bytes, tuple[str, str]] = {}

    def repeated(record: Record) -> Iterator[str]:
        roles = [message.role for message in record.messages]
        content = json.dumps([roles, record.contents()], ensure_ascii=False)
        digest = hashlib.blake2b(content.encode(), digest_size=16).digest()
        first = first_seen.setdefault(digest, (record.id, record.where))
        if first[0] != record.id:
            yield f"the same as {first[1] or first[0]}"

    return repeated
