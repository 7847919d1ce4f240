"""Two sets of answers judged by a person who does not see which is whose."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmops_cli.core.errors import InputError
from llmops_cli.core.files import locked_directory, write_text
from llmops_cli.core.workspace import RunRequest, new_run_directory, runs_directory
from llmops_cli.evaluation import bootstrap
from llmops_cli.evaluation.metrics import Item
from llmops_cli.evaluation.outputs import read_outputs

Choice = Literal["a", "b", "tie", "skip"]

ALPHA = 0.05
"""Chance of a difference that is none, up to which a difference is more than chance."""
Z = 1.96
"""Standard deviations beyond which a normal value lies with a chance of ALPHA."""


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, and which is shown first; `key` is the sha256 of the id and all three texts."""

    key: str
    id: str
    prompt: str
    a: str
    b: str
    a_first: bool

    @property
    def shown(self) -> tuple[str, str]:
        """The first answer and the second."""
        return (self.a, self.b) if self.a_first else (self.b, self.a)

    def winner(self, place: int) -> Choice:
        """Whose answer is shown at a place, 1 or 2."""
        return "a" if (place == 1) == self.a_first else "b"


@dataclass(frozen=True)
class Standing:
    """What the judgements say. `identical` pairs were not shown; `left` ones wait."""

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int
    skipped: int
    identical: int
    left: int
    p_value: float | None
    """Chance of a share at least as far from a half if neither were better; None where nothing is decided."""
    more_needed: int | None
    """About how many more judgements would be needed if the present shares held; None where none are or would do."""

    @property
    def verdict(self) -> str:
        """Whether the difference is more than chance, in a sentence."""
        decided = self.wins_a + self.wins_b
        if self.p_value is None:
            return "no pair is decided"
        if self.wins_a == self.wins_b:
            return f"even, {self.wins_a} to {self.wins_b}: if that held, no number of judgements would tell them apart"
        winner, wins = (self.a, self.wins_a) if self.wins_a > self.wins_b else (self.b, self.wins_b)
        preferred = f"{winner} is preferred in {wins} of {decided} decided pairs"
        if self.p_value < ALPHA:
            return f"{preferred}: more than chance (p = {self.p_value:.2g})"
        more = f"about {self.more_needed:,} more judgements would be needed if that share held"
        return f"{preferred}: no more than chance (p = {self.p_value:.2g}); {more}"


class Session:
    """Judgements of the pairs of A and B, each on disk as soon as it is made."""

    def __init__(self, a: str, b: str, directory: Path, pairs: list[Pair], identical: int) -> None:
        self.a, self.b = a, b
        self.directory = directory
        self.choices, self.preferences = directory / "choices.jsonl", directory / "preferences.jsonl"
        self._pairs = pairs
        self._identical = identical
        known = {pair.key for pair in pairs}
        kept = [choice for choice in _read_choices(self.choices) if choice["pair"] in known]
        self._judged: dict[str, Choice] = {choice["pair"]: choice["choice"] for choice in kept}

    @property
    def total(self) -> int:
        """Pairs, judged or not."""
        return len(self._pairs)

    def waiting(self) -> list[tuple[int, Pair]]:
        """The pairs that were never shown, each with its number from 1."""
        return [(number, pair) for number, pair in enumerate(self._pairs, 1) if pair.key not in self._judged]

    def record(self, pair: Pair, choice: Choice) -> None:
        """Keep a judgement."""
        line = {"pair": pair.key, "id": pair.id, "first": "a" if pair.a_first else "b", "choice": choice}
        with self.choices.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
            log.flush()
            os.fsync(log.fileno())
        self._judged[pair.key] = choice

    def finish(self) -> Standing:
        """Write the preference rows and say how it stands."""
        rows = list(self._preferences())
        if rows:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_text(self.preferences, text)
        return self.standing()

    def standing(self) -> Standing:
        """Wins, ties and the sign test over the decided pairs."""
        counts = Counter(self._judged.values())
        a, b, ties = counts["a"], counts["b"], counts["tie"]
        left = len(self._pairs) - len(self._judged)
        p_value = sign_test(a, b) if a + b else None
        more = more_needed(a, b, ties) if p_value is not None and p_value >= ALPHA else None
        return Standing(self.a, self.b, a, b, ties, counts["skip"], self._identical, left, p_value, more)

    def _preferences(self) -> Iterator[dict[str, Any]]:
        """Rows that `llmops data` reads as preferences; without a prompt, or with an empty answer, there is none."""
        names = {"a": self.a, "b": self.b}
        for pair in self._pairs:
            choice = self._judged.get(pair.key)
            if choice not in ("a", "b") or not all(text.strip() for text in (pair.prompt, pair.a, pair.b)):
                continue
            chosen, rejected = (pair.a, pair.b) if choice == "a" else (pair.b, pair.a)
            row = {"id": pair.id, "prompt": pair.prompt, "chosen": chosen, "rejected": rejected}
            other = "b" if choice == "a" else "a"
            yield row | {"chosen_from": names[choice], "rejected_from": names[other], "judged": "blind"}


@contextlib.contextmanager
def open_session(a: str, b: str, name: str | None = None, seed: int = 0) -> Iterator[Session]:
    """Pair the answers of A and B, and go on where an earlier session of that name stopped.

    Args:
        a: a run of `llmops eval`, or JSON lines with `prompt` and `output`; and so is `b`.
        name: of the folder in `runs` that keeps the choices.
        seed: of the order of the pairs, and of which answer stands first: in every four each does so twice.

    Raises:
        InputError: the answers cannot be read, have no item in common, or are all the same.
        MachineError: another session is open in the folder.
    """
    answers = _answers(a), _answers(b)
    stem = RunRequest(stem=f"blind-{Path(a).stem}-{Path(b).stem}").prefix
    directory = new_run_directory(RunRequest(name or stem, resume=True))
    if (directory / "record.json").is_file():
        raise InputError("a run of another job has this name", where=str(directory), hint="take another --name")
    common = [key for key, item in answers[0].items() if key in answers[1] and answers[1][key].prompt == item.prompt]
    if not common:
        raise InputError(f"no prompt has an answer in {a} and in {b}", hint="evaluate the same suites")
    pairs = [(answers[0][key], answers[1][key]) for key in common]
    different = [pair for pair in pairs if pair[0].output != pair[1].output]
    if not different:
        raise InputError(f"all {len(pairs)} answers are the same in both", where=f"{a}, {b}")
    with locked_directory(directory):
        yield Session(a, b, directory, _arranged(different, seed), len(pairs) - len(different))


def _answers(name: str) -> dict[str, Item]:
    """The answers by suite and id."""
    places = (Path(name), Path(name) / "items.jsonl", runs_directory() / name / "items.jsonl")
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        hint = "want a run of llmops eval, or JSON lines with prompt and output"
        raise InputError("no answers here", where=name, hint=hint)
    return {item.id: item for item in replace(read_outputs(path), several_suites=True)}


def _arranged(pairs: list[tuple[Item, Item]], seed: int) -> list[Pair]:
    """The pairs in a seeded order; in every four each answer stands first twice."""
    chance = random.Random(seed)
    chance.shuffle(pairs)
    arranged = []
    for place, (a, b) in enumerate(pairs):
        if place % 4 == 0:
            sides = [True, True, False, False]
            chance.shuffle(sides)
        text = json.dumps([a.id, a.prompt, a.output, b.output])
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        arranged.append(Pair(key, a.id, a.prompt, a.output, b.output, sides[place % 4]))
    return arranged


def _read_choices(path: Path) -> list[dict[str, Any]]:
    """The choices of earlier sessions; a line cut by a kill is taken out of the file.

    Raises:
        InputError: a line is no choice.
    """
    if not path.is_file():
        return []
    whole, end, cut = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    if cut:
        write_text(path, whole + end)
    lines = [line for line in whole.split("\n") if line]
    choices = []
    for number, line in enumerate(lines, 1):
        try:
            choice = json.loads(line)
            choices.append({"pair": choice["pair"], "choice": choice["choice"]})
        except (KeyError, TypeError, ValueError):
            raise InputError("no choice", where=f"{path}:{number}", hint="take another --name") from None
    return choices


def sign_test(wins: int, losses: int) -> float:
    """The exact two-sided p-value of a binomial test against a half."""
    return min(1.0, 2 * bootstrap.sign_test(max(wins, losses), min(wins, losses)))


def more_needed(wins: int, losses: int, ties: int) -> int | None:
    """About how many more judgements make the sign test decide if the shares of wins and ties hold; None if none do.

    From the normal approximation with its continuity correction: a lead of d = |wins - losses| / n decides once
    d·n - 1 reaches Z·√n.
    """
    decided = wins + losses
    lead = abs(wins - losses) / decided
    if not lead:
        return None
    wanted = ((Z + math.sqrt(Z * Z + 4 * lead)) / (2 * lead)) ** 2
    return max(1, math.ceil((wanted - decided) * (decided + ties) / decided))
