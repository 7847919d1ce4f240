"""An Ollama Modelfile: the chat template as Ollama writes templates, and every stop.

The format: https://docs.ollama.com/modelfile; a TEMPLATE is a text/template of Go with `.System` and `.Messages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmops_cli.core.errors import InputError
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.template import render

ROLES = ("system", "user", "assistant")
CONTENT = "{{ .Content }}"


@dataclass(frozen=True)
class TurnTemplate:
    """A chat template as pieces of text: what stands around the content of each role's turns."""

    opening: str
    """Stands first in a conversation without a system turn."""
    around: dict[str, tuple[str, str]]
    prompt: str
    """Opens the answer."""

    def render(self, turns: Sequence[dict[str, str]]) -> str:
        """What :func:`llmops_cli.prompts.template.render` gives for a conversation that is to be answered."""
        body = "".join(turn["content"].join(self.around[turn["role"]]) for turn in turns)
        opening = "" if any(turn["role"] == "system" for turn in turns) else self.opening
        return opening + body + self.prompt

    def as_go(self) -> str:
        """The same in Go's template language."""
        opening = f"{{{{ if not .System }}}}{self.opening}{{{{ end }}}}" if self.opening else ""
        parts = [f'eq .Role "{role}" }}}}{CONTENT.join(self.around[role])}' for role in ROLES]
        turns = "{{ if " + "{{ else if ".join(parts) + "{{ end }}"
        return f"{opening}{{{{ range .Messages }}}}{turns}{{{{ end }}}}{self.prompt}"


def turn_template(tokenizer: ModelTokenizer) -> TurnTemplate | None:
    """Find the pieces by rendering conversations; None when they do not give what the chat template gives."""
    system, user, assistant = turns = [{"role": role, "content": f"the {role}"} for role in ROLES]
    conversations = [[user], [system, user], [*turns, user], [user, assistant, user]]
    try:
        found = _pieces(tokenizer, turns)
        whole = [_render(tokenizer, conversation, answered=True) for conversation in conversations]
    except (InputError, ValueError):  # it refuses such conversations, or changes what is said in them
        return None
    return found if [found.render(conversation) for conversation in conversations] == whole else None


def _pieces(tokenizer: ModelTokenizer, turns: Sequence[dict[str, str]]) -> TurnTemplate:
    around, before = {}, ""
    for count, turn in enumerate(turns, 1):
        text = _render(tokenizer, turns[:count])
        head, tail = text.removeprefix(before).split(turn["content"])
        around[turn["role"]], before = (head, tail), text
    user = turns[1]
    opening = _render(tokenizer, [user]).removesuffix(user["content"].join(around["user"]))
    prompt = _render(tokenizer, turns[:2], answered=True).removeprefix(_render(tokenizer, turns[:2]))
    return TurnTemplate(opening, around, prompt)


def _render(tokenizer: ModelTokenizer, turns: Sequence[dict[str, str]], *, answered: bool = False) -> str:
    return render(tokenizer.template, turns, add_generation_prompt=answered, eos_token=tokenizer.eos_token)


def modelfile(tokenizer: ModelTokenizer, template: TurnTemplate, weights: str) -> str:
    """The Modelfile of a GGUF file beside it."""
    stops = [tokenizer.backend.id_to_token(stop) for stop in tokenizer.stop_ids]
    lines = [f"FROM ./{weights}", f'TEMPLATE """{template.as_go()}"""']
    return "\n".join([*lines, *(f'PARAMETER stop "{stop}"' for stop in stops)]) + "\n"
