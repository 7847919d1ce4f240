"""One conversation that is open: its turns and settings, each change of which is kept as it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llmops_cli.chat.input import clean
from llmops_cli.chat.state import State
from llmops_cli.chat.tree import Made, Role, Tree, Turn
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.prompts.template import Turn as Said
from llmops_cli.tracking.record import now

if TYPE_CHECKING:
    from llmops_cli.chat.store import Store

PUT_TURN = """
INSERT INTO turns (conversation, id, parent, role, text, created, made, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET text = excluded.text, made = excluded.made, name = excluded.name"""
PUT_CHOICE = """
INSERT INTO choices (conversation, turn, kind, prompt, chosen, rejected, reason, made, created)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
PUT_CONVERSATION = "UPDATE conversations SET title = ?, head = ?, state = ?, updated = ? WHERE id = ?"


class Conversation:
    """The turns of a conversation, and what it is set to.

    A change that cannot be written, as on a full disk, stays here: `unsaved` says why, and the next change or
    :meth:`save` tries again. `read_only` is one whose writer is another program. Texts are kept :func:`clean`.

    Raises:
        InputError: from every method that changes something, when it is read-only; nothing is changed then.
    """

    def __init__(self, store: Store, number: int, title: str, tree: Tree, state: State, *, read_only: bool) -> None:
        self._store = store
        self.id, self.title, self.tree, self.state, self.read_only = number, title, tree, state, read_only
        self.unsaved = ""
        self._changed = False
        self._turns: set[int] = set()
        self._choices: list[tuple[Any, ...]] = []

    def add(self, role: Role, text: str, parent: int | None, made: Made | None = None) -> Turn:
        """Add a turn after another one, and stand there."""
        self._check()
        turn = Turn(max(self.tree.turns, default=0) + 1, parent, role, clean(text), now(), made)
        self.tree.put(turn)
        self._keep(turn.id)
        return turn

    def write(self, turn: int, text: str, made: Made | None) -> Turn:
        """Replace the text of a turn, as of an answer that grows."""
        self._check()
        changed = self.tree.turns[turn] = replace(self.tree[turn], text=clean(text), made=made)
        self._keep(turn)
        return changed

    def go(self, turn: int | None) -> None:
        """Stand at another turn, or before the first."""
        self._check()
        if turn is not None:
            self.tree[turn]
        self.tree.head = turn
        self._keep()

    def name(self, turn: int, name: str) -> None:
        """Name the branch that begins at a turn. Raises InputError when another one has the name."""
        self._check()
        self.tree.rename(turn, clean(name))
        self._keep(turn)

    def set(self, **changes: Any) -> None:
        """Change fields of the state."""
        self._check()
        self.state = replace(self.state, **changes)
        self._keep()

    def rename(self, title: str) -> None:
        """Give the conversation another title."""
        self._check()
        self.title = clean(title)
        self._keep()

    def choose(
        self,
        kind: str,
        turn: int | None,
        prompt: Sequence[Said],
        chosen: str | None,
        rejected: str | None,
        reason: str = "",
        made: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what the writer thought of one answer (`good`, `bad`) or which of two was taken (`ab`)."""
        self._check()
        turns = json.dumps([dict(each) for each in prompt])
        answers = [text if text is None else clean(text) for text in (chosen, rejected)]
        details = json.dumps(dict(made or {}))
        self._choices.append((self.id, turn, kind, turns, *answers, clean(reason), details, now()))
        self._keep()

    def save(self, *, patient: bool = True) -> bool:
        """Write what is not written yet; whether nothing is left to write.

        Not `patient`, it does not wait for another program that holds the store.
        """
        if not self._changed:
            return True
        rows = [self._row(self.tree[turn]) for turn in sorted(self._turns)]
        about = (self.title, self.tree.head, json.dumps(self.state.to_json()), now(), self.id)
        try:
            with self._store.change(patient=patient) as connection:
                connection.execute(PUT_CONVERSATION, about)
                connection.executemany(PUT_TURN, rows)
                connection.executemany(PUT_CHOICE, self._choices)
        except MachineError as error:
            self.unsaved = str(error)
            return False
        self._changed, self.unsaved = False, ""
        self._turns.clear()
        self._choices.clear()
        return True

    def close(self) -> None:
        """Let another program write to it, after one more try to write what is not written yet.

        One in which nothing was said is forgotten.
        """
        if self.read_only:
            return
        if self.tree.turns:
            self.save()
        else:
            self._store.forget(self.id)
        self._store.release(self.id)

    def _check(self) -> None:
        if self.read_only:
            raise InputError(
                f"conversation {self.id} is open in another window: here it can only be read", hint="llmops chat"
            )

    def _keep(self, *turns: int) -> None:
        self._changed = True
        self._turns.update(turns)
        self.save(patient=not self.unsaved)  # the pieces of an answer would wait one after another

    def _row(self, turn: Turn) -> tuple[Any, ...]:
        made = json.dumps(turn.made.to_json()) if turn.made else None
        return self.id, turn.id, turn.parent, turn.role, turn.text, turn.created, made, turn.name
