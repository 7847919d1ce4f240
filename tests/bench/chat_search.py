"""Search in a store of conversations: whether parts of Korean words are found, and in what time."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path

from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store

TURNS, CHARACTERS, WORDS = 5_000, 310, 1_000
"""Turns of a store, characters of a turn (the mean of a scene in Korean novels), and words that are looked for."""
AIM = 0.05


def run() -> None:
    """Every part of two syllables of random words; half a minute."""
    dice = random.Random(7)
    words = ["".join(chr(dice.randrange(0xAC00, 0xD7A4)) for _ in range(dice.randint(2, 5))) for _ in range(20_000)]
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "chats.db") as store:
        turns = _fill(store, words, dice)
        held = sorted({word for text in turns.values() for word in text.split()})
        seconds, missed = [], 0
        for word in dice.sample(held, WORDS):
            for at in range(len(word) - 1):
                part = word[at : at + 2]
                started = time.perf_counter()
                hits = store.search(part, limit=TURNS)
                seconds.append(time.perf_counter() - started)
                found = {(hit.conversation, hit.turn) for hit in hits}
                missed += found != {place for place, text in turns.items() if part in text}
        size = (Path(folder) / "chats.db").stat().st_size
    p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    print(f"{TURNS:,} turns of {CHARACTERS} characters, {size / 1e6:.1f} MB: {len(seconds):,} parts of {WORDS:,} words")
    print(f"turns missed or wrongly found: {missed} searches (aim 0)")
    print(f"p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms (aim {AIM * 1000:.0f} ms)")


def _fill(store: Store, words: list[str], dice: random.Random) -> dict[tuple[int, int], str]:
    """Write conversations of 100 turns; the text of each turn."""
    turns = {}
    for _ in range(TURNS // 100):
        conversation = store.new("이야기", State())
        for number in range(100):
            text = " ".join(dice.choices(words, k=CHARACTERS // 4))[:CHARACTERS]
            turn = conversation.add("assistant" if number % 2 else "user", text, conversation.tree.head)
            turns[conversation.id, turn.id] = turn.text
        conversation.close()
    return turns
