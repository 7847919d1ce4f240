"""What a model sees of a conversation besides its turns, and in which form it sees those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from llmops_cli.chat.input import defused
from llmops_cli.chat.tree import Tree, Turn
from llmops_cli.core.errors import InputError
from llmops_cli.prompts.template import Turn as Said
from llmops_cli.text.josa import substitute
from llmops_cli.text.normalize import nfc


@dataclass(frozen=True)
class Frame:
    """What stands around the turns of a conversation when they are sent; every answer keeps that of its prompt.

    `system` and `memory` open the system turn, or the first turn of a model that `has_system` not; `examples` are turns
    of the template behind it; `note` opens the last turn of the user, and `prompt` is what the template makes of that
    turn, "" without one. `names` take the place of codes everywhere, and `special` tokens that are spelt out in a text
    are defused.
    """

    system: str = ""
    memory: str = ""
    examples: Sequence[Said] = ()
    note: str = ""
    prompt: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    has_system: bool = True
    special: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def texts(self) -> list[str]:
        """Everything that it adds."""
        examples = (turn["content"] for turn in self.examples)
        return [self.system, self.memory, self.note, self.prompt, *self.names.values(), *examples]

    def text(self, text: str) -> str:
        """A text as it is sent."""
        return defused(substitute(nfc(text), self.names), self.special)

    def contents(self, path: Sequence[Turn]) -> list[str]:
        """The turns of a path that ends with a question as they are sent, without the note.

        A question is sent as the template in force made it when the answer behind it was asked for.
        """
        asked = [turn.made.frame.get("prompt", "") if turn.made else "" for turn in path[1:]]
        texts = [prompt or turn.text for turn, prompt in zip(path, [*asked, self.prompt], strict=True)]
        return [self.text(text) for text in texts]

    def turns(self, path: Sequence[Turn]) -> list[Said]:
        """Everything that is sent for a path that ends with a question."""
        contents = self.contents(path)
        if self.note:
            contents[-1] = f"[{self.text(self.note)}]\n{contents[-1]}"
        turns = [{"role": turn["role"], "content": self.text(turn["content"])} for turn in self.examples]
        turns += [{"role": turn.role, "content": content} for turn, content in zip(path, contents, strict=True)]
        opening = "\n\n".join(self.text(part) for part in (self.system, self.memory) if part)
        if opening and self.has_system:
            return [{"role": "system", "content": opening}, *turns]
        if opening:
            turns[0]["content"] = f"{opening}\n\n{turns[0]['content']}"
        return list[Said](turns)


def sent_turns(tree: Tree, answer: Turn) -> list[Said]:
    """The turns that a model saw when it gave an answer.

    Raises:
        InputError: no model gave it.
    """
    if answer.made is None or answer.parent is None:
        raise InputError(f"turn {answer.id} is no answer of a model")
    path = [turn for turn in tree.path(answer.parent) if turn.id not in answer.made.dropped]
    return Frame(**answer.made.frame).turns(path)
