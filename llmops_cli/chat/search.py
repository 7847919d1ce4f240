"""Finding words in conversations, inside of Korean words too: 산책 is found in 밤산책에서."""

from __future__ import annotations

import re
import sqlite3

from llmops_cli.text.normalize import nfc

BEFORE, AFTER = 30, 60
"""Characters of an excerpt before and after the beginning of the first word."""
SQL = """
SELECT c.id, c.title, t.id, t.role, t.text
FROM turns t JOIN conversations c ON c.id = t.conversation
WHERE {every}
ORDER BY t.created DESC, c.id DESC, t.id DESC
LIMIT ?"""


def find(connection: sqlite3.Connection, words: str, limit: int) -> list[tuple[int, str, int, str, str, int]]:
    """Turns that hold every word, in any place, the newest first: `Hit` of the store as plain values.

    The texts are read through as they are: a writer's whole store is a few megabytes, and an index of parts of words
    would be larger than they are.
    """
    wanted = nfc(words).split()
    if not wanted:
        return []
    sql = SQL.format(every=" AND ".join(r"t.text LIKE ? ESCAPE '\'" for _ in wanted))
    rows = connection.execute(sql, [*(f"%{_escaped(word)}%" for word in wanted), limit]).fetchall()
    return [(*row[:4], *_excerpt(row[4], wanted[0])) for row in rows]


def _escaped(word: str) -> str:
    return "".join(f"\\{letter}" if letter in "%_\\" else letter for letter in word)


def _excerpt(text: str, word: str) -> tuple[str, int]:
    pattern = re.compile(re.escape(word), re.IGNORECASE)
    found = pattern.search(text)
    at = found.start() if found else 0
    start, end = max(at - BEFORE, 0), at + AFTER
    piece = ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
    piece = " ".join(piece.split())
    found = pattern.search(piece)
    return piece, found.start() if found else 0
