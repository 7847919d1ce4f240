"""A conversation as a tree of turns: every answer that was ever given stays, and the writer stands at one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from llmops_cli.core.errors import InputError

Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Made:
    """How an answer came about: enough to make it again.

    `settings` are those of generation, the seed among them; `adapter`, `run` and `template` are names, the last one
    with its version and hash. What the model saw is the path to the answer without the turns that are `dropped`, in
    their `frame`; see `context.Frame`. `token_ids` are those of the whole text, `continues` the answer it goes on from.
    """

    model: str
    adapter: str = ""
    run: str = ""
    engine: str = ""
    template: str = ""
    frame: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    finish_reason: str = ""
    first_token: float = 0.0
    seconds: float = 0.0
    dropped: tuple[int, ...] = ()
    continues: int | None = None
    edited: bool = False
    """Whether the writer changed the text afterwards."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Made:
        """The same out of plain data; what this version does not know is left out."""
        known = {each.name for each in fields(cls)}
        kept: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
        }
        return cls(**kept)


@dataclass(frozen=True)
class Turn:
    """What one side said. `id` counts the turns of its conversation from 1; a first turn has no parent."""

    id: int
    parent: int | None
    role: Role
    text: str
    created: str
    made: Made | None = None
    name: str = ""
    """Name of the branch that begins here, if the writer gave it one."""


class Tree:
    """The turns of a conversation and the `head`, the turn after which the next one comes; None at the beginning."""

    def __init__(self, turns: Mapping[int, Turn], head: int | None) -> None:
        self.turns = dict(turns)
        self.head = head
        if head is not None:
            self[head]

    def __getitem__(self, turn: int) -> Turn:
        """A turn by its id. Raises InputError when there is none."""
        if turn not in self.turns:
            raise InputError(f"no turn {turn} in this conversation", hint="/tree")
        return self.turns[turn]

    def path(self, end: int | None = None) -> list[Turn]:
        """The turns from the first to `end`, or to the head."""
        at = self.head if end is None else end
        found: list[Turn] = []
        while at is not None:
            found.append(self[at])
            at = found[-1].parent
        return found[::-1]

    def last(self) -> Turn:
        """The turn at the head. Raises InputError when nothing has been said."""
        if self.head is None:
            raise InputError("nothing has been said yet", hint="say something")
        return self[self.head]

    def last_question(self) -> Turn:
        """The turn of the user at the head or right before it. Raises InputError when nothing has been said."""
        last = self.last()
        return last if last.role == "user" or last.parent is None else self[last.parent]

    def before_next(self) -> list[Turn]:
        """The turns before the next question: a question at the head has no answer, or is not to have its own."""
        path = self.path()
        return path[:-1] if path and path[-1].role == "user" else path

    def children(self, turn: int | None) -> list[Turn]:
        """The turns that follow `turn`, oldest first; of None, the first turns."""
        return [each for each in self.turns.values() if each.parent == turn]

    def siblings(self, turn: int) -> list[Turn]:
        """`turn` and the others in its place, oldest first."""
        return self.children(self[turn].parent)

    def leaf(self, turn: int) -> int:
        """The end of the branch through `turn` on which the writer worked last."""
        while following := self.children(turn):
            turn = max(each.id for each in following)
        return turn

    def walk(self) -> Iterator[tuple[int, Turn]]:
        """Every turn with its depth, in the order in which a tree is printed."""
        waiting = [(0, each) for each in reversed(self.children(None))]
        while waiting:
            depth, turn = waiting.pop()
            yield depth, turn
            following = self.children(turn.id)
            deeper = depth + (len(following) > 1)
            waiting += [(deeper, each) for each in reversed(following)]

    def put(self, turn: Turn) -> None:
        """Add a turn, or replace the one of its id, and stand there."""
        self.turns[turn.id] = turn
        self.head = turn.id

    def rename(self, turn: int, name: str) -> Turn:
        """Give a branch a name. Raises InputError when another one has it."""
        if any(each.name == name for each in self.turns.values()):
            raise InputError(f"a branch is called {name!r} already", hint="/tree")
        self.turns[turn] = replace(self[turn], name=name)
        return self.turns[turn]

    def find(self, place: str) -> int:
        """The turn of an id or a branch's name. Raises InputError when there is none."""
        for turn in self.turns.values():
            if place in (str(turn.id), turn.name):
                return turn.id
        raise InputError(f"no turn and no branch {place!r}", hint="/tree")
