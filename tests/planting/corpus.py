"""A made-up corpus in the users' raw shapes: `python -m tests.planting.corpus FOLDER [--chats N --works N]`.

The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .talk import CASUAL, POLITE, exchange, templates
from .words import NAMES, NARRATION, Vocabulary, fill, vocabulary, words_of

EXACT = 0.02
NEAR = 0.02
PERSONAL = 0.01

SOURCES = ("family_talk", "friends_talk", "town_talk", "work_school")
KINDS = ("anime", "movie", "series", "novel")
TITLE = "{adj} {thing:과와} {idea}"
CASUAL_NOISE = (
    "ㅋㅋㅋ", "ㅋㅋㅋㅋㅋ 진짜?", "ㅠㅠㅠ", "헐", "아 맞다", "음...", "ㅎㅎ", "오 대박", "잠깐만", "그니까ㅋㅋ", "ㅇㅇ",
    "에이 설마", "{name:아야}~",
)  # fmt: skip
POLITE_NOISE = (
    "네네", "아, 그렇군요.", "잠시만요.", "감사합니다 ^^", "{name} 님도 보고 계시죠?", "네, 맞아요.", "정말요?",
)  # fmt: skip
PERSONAL_LINES = (
    "내 번호 010-####-####이야, 저장해 둬.", "010########로 전화 줘.", "메일은 writer####@example.com으로 보내 줘.",
    "주소는 서울특별시 종로구 세종대로 1##, 3층이야.", "국민은행 ######-##-######로 입금해 줘.",
    "신분증에 8#0412-1######이라고 적혀 있었어.", "카드는 5###-####-####-####였어.",
)  # fmt: skip

Document = dict[str, Any]


@dataclass(frozen=True)
class Corpus:
    """What was written: files, characters of text, and the files in which something was planted.

    `exact` and `near` map a copy to the file that it repeats.
    """

    files: int
    characters: int
    exact: dict[Path, Path]
    near: dict[Path, Path]
    personal: tuple[Path, ...]


def make_corpus(
    folder: Path, chats: int = 10_962, works: int = 3_062, characters_per_work: int = 6_000, seed: int = 7
) -> Corpus:
    """Write `chats` daily conversations and `works` creative works, one file each."""
    rng = random.Random(seed)
    characters = 0
    exact: dict[Path, Path] = {}
    near: dict[Path, Path] = {}
    personal: list[Path] = []
    kinds: list[tuple[int, Callable[[random.Random], tuple[str, Document]]]] = [
        (chats, chat),
        (works, lambda rng: work(rng, characters_per_work)),
    ]
    for count, make in kinds:
        before: list[tuple[Path, Document]] = []
        for number in range(count):
            chance = rng.random()
            if before and chance < EXACT + NEAR:
                original, document = before[int(rng.random() * len(before))]
                document = deepcopy(document)
                if chance >= EXACT:
                    _alter(document, rng)
                path = original.with_name(f"{original.stem.rpartition('_')[0]}_{number:05d}.json")
                (exact if chance < EXACT else near)[path] = original
            else:
                home, document = make(rng)
                path = folder / home / f"{home.rpartition('/')[2].removeprefix('VL_')}_{number:05d}.json"
                if chance > 1 - PERSONAL:
                    _tell(document, rng)
                    personal.append(path)
                else:
                    before.append((path, document))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"id": path.stem, **document}, ensure_ascii=False), encoding="utf-8")
            characters += sum(len(holder[key]) for holder, key in _texts(document))
    return Corpus(chats + works, characters, exact, near, tuple(personal))


def chat(rng: random.Random) -> tuple[str, Document]:
    """Folder and content of a chat: 2 to 4 speakers, 10 to 30 turns, some of them in a row by one speaker."""
    casual = rng.random() < 0.75
    topics, noise = (CASUAL, CASUAL_NOISE) if casual else (POLITE, POLITE_NOISE)
    words = _chat_words(casual)
    speakers = "ABCD"[: rng.choices((2, 3, 4), (8, 2, 1))[0]]
    wanted = rng.randint(10, 30)
    turns: list[dict[str, str]] = []

    def say(speaker: str, content: str) -> None:
        turns.append({"speaker_id": speaker, "content": content})

    while len(turns) < wanted:
        asks, answers = rng.sample(speakers, 2)
        opening, answer = exchange(topics[int(rng.random() * len(topics))], words, rng)
        if rng.random() < 0.3:
            say(asks, fill(noise[int(rng.random() * len(noise))], words, rng))
        say(asks, opening)
        if rng.random() < 0.3:
            say(answers, fill(noise[int(rng.random() * len(noise))], words, rng))
        say(answers, answer)
    home = f"daily_json/{SOURCES[int(rng.random() * len(SOURCES))]}"
    return home, {"topic": words["hobby", ""][int(rng.random() * 10)], "messages": turns[:30]}


def work(rng: random.Random, characters: int, sentences: tuple[int, int] = (12, 26)) -> tuple[str, Document]:
    """Folder and content of a work of about `characters`: a scene list with names, or a novel with codes.

    A scene has as many sentences as a random number of `sentences`.
    """
    kind = KINDS[int(rng.random() * len(KINDS))]
    cast = [f"C{number:03d}" for number in range(1, rng.randint(4, 13))] if kind == "novel" else rng.sample(NAMES, 4)
    words = vocabulary(rng, NARRATION, {"name": cast}, 0.25)
    scenes = list(_scenes(rng, words, int(characters * rng.uniform(0.6, 1.4)), sentences))
    about = {"title": fill(TITLE, _titles(), rng), "genre": rng.sample(words_of("genre"), rng.randint(1, 2))}
    if kind != "novel":
        if rng.random() < 0.2:
            del about["genre"]
        return f"VL_{kind}", about | {"text": scenes}
    line = [fill(template, words, rng) for template in rng.sample(NARRATION, 4)]
    units = [
        {
            "storyline": narrate(rng, words, 2),
            "characters": [code for code in cast if any(code in scene for scene in scenes[at : at + 3])],
            "story_scripts": [
                {"content": scene, "character": [code for code in cast if code in scene]}
                for scene in scenes[at : at + 3]
            ],
        }
        for at in range(0, len(scenes), 3)
    ]
    return "VL_novel", about | {
        "type": kind, "concept": " ".join(line[:2]), "conflict": " ".join(line[2:]),
        "structure": "발단-전개-위기-절정-결말", "motif": words["thing", ""][0], "characters": cast, "units": units,
    }  # fmt: skip


def _scenes(rng: random.Random, words: Vocabulary, characters: int, sentences: tuple[int, int]) -> Iterator[str]:
    while characters > 0:
        scene = narrate(rng, words, rng.randint(*sentences))
        characters -= len(scene)
        yield scene


def narrate(rng: random.Random, words: Vocabulary, count: int) -> str:
    """`count` sentences of a story."""
    return " ".join(fill(NARRATION[int(rng.random() * len(NARRATION))], words, rng) for _ in range(count))


@cache
def _chat_words(casual: bool) -> Vocabulary:
    lines = [*templates(CASUAL), *CASUAL_NOISE] if casual else [*templates(POLITE), *POLITE_NOISE]
    return vocabulary(random.Random(0), [*lines, "{hobby}"], {"name": NAMES}, 1)


@cache
def _titles() -> Vocabulary:
    return vocabulary(random.Random(0), [TITLE], {}, 1)


def _texts(document: Document) -> list[tuple[Any, Any]]:
    """Where the turns or scenes of a document stand: holder and key."""
    if "messages" in document:
        return [(turn, "content") for turn in document["messages"]]
    if "text" in document:
        return [(document["text"], index) for index in range(len(document["text"]))]
    return [(script, "content") for unit in document["units"] for script in unit["story_scripts"]]


def _alter(document: Document, rng: random.Random) -> None:
    """Change a word in one turn or scene of ten, at least in one."""
    texts = _texts(document)
    for holder, key in rng.sample(texts, max(1, len(texts) // 10)):
        words = holder[key].split(" ")
        words[int(rng.random() * len(words))] = NAMES[int(rng.random() * len(NAMES))]
        holder[key] = " ".join(words)


def _tell(document: Document, rng: random.Random) -> None:
    """Add personal data to one turn or scene; `#` is any digit."""
    holder, key = rng.choice(_texts(document))
    line = PERSONAL_LINES[int(rng.random() * len(PERSONAL_LINES))]
    filled = "".join(str(int(rng.random() * 10)) if sign == "#" else sign for sign in line)
    holder[key] += " " + filled


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chats", type=int, default=10_962)
    parser.add_argument("--works", type=int, default=3_062)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    made = make_corpus(arguments.folder, arguments.chats, arguments.works, seed=arguments.seed)
    print(f"{made.files:,} files, {made.characters:,} characters, {len(made.exact)} exact and {len(made.near)} near")
