"""Commands that have the model write, and judge what it wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmops_cli.chat.terminal.settings import NOTHING, pairs
from llmops_cli.core.errors import InputError

if TYPE_CHECKING:
    from llmops_cli.chat.choosing import Variant
    from llmops_cli.chat.terminal.screen import Screen


def regenerate(screen: Screen, argument: str) -> None:
    """`/regen`."""
    screen.stream(screen.session.regen)


def go_on(screen: Screen, argument: str) -> None:
    """`/continue`."""
    screen.stream(screen.session.go_on)


def edit(screen: Screen, argument: str) -> None:
    """`/edit [TURN]`: a changed question is answered at once."""
    turn = screen.turn(argument)
    text = screen.ask(f"{turn.id} › ", turn.text)
    if not text or text == turn.text:
        screen.say(screen.words("unchanged"), "quiet")
        return
    changed = screen.session.edit(turn.id, text)
    if changed.role == "user":
        screen.say(screen.words("edited", turn=changed.id), "quiet")
        screen.stream(screen.session.regen)
    else:
        screen.say(screen.words("edited_answer", turn=changed.id), "quiet")


def compare(screen: Screen, argument: str) -> None:
    """`/ab [A |] B`: the last turn answered twice; which answer is whose is told after the choice."""
    sides = [side.strip() for side in argument.split("|")]
    if len(sides) > 2:
        raise InputError(f"want two sides, got {len(sides)}", hint="/ab temperature=0.5 | temperature=1.0")
    one, other = ["", *sides][-2:]
    kept: list[str] = []
    screen.say(screen.words("ab.first"), "quiet")
    with screen.answering():
        pair = screen.session.ab(
            _variant(other),
            on_text=lambda place, piece: kept.append(piece) if place else screen.say(piece, end=""),
            one=_variant(one),
        )
    screen.say("")
    screen.say(screen.words("ab.second"), "quiet")
    screen.say("".join(kept))
    which, reason = _choice(screen)
    if which is None:
        screen.say(screen.words("ab.none"), "quiet")
        return
    screen.session.choose(pair, which, reason)
    names = [side or screen.words("ab.as_set") for side in ((other, one) if pair.other == 0 else (one, other))]
    screen.say(screen.words("ab.was", first=names[0], second=names[1], kept=which + 1), "quiet")


def _choice(screen: Screen) -> tuple[int | None, str]:
    """Which of two answers the writer takes, 0 or 1, and why; None for neither."""
    while answer := screen.ask(screen.words("ab.choose")):
        choice, reason = answer[0], answer[1:].strip()
        if choice in "12=":
            return (None if choice == "=" else int(choice) - 1), reason
        screen.say(screen.words("ab.what"), "quiet")
    return None, ""


def _variant(side: str) -> Variant:
    """What one side of `/ab` says: settings, `template=NAME` and `model=NAME`."""
    from llmops_cli.chat.choosing import Variant

    values = dict(pairs(side, "/ab temperature=0.5 | temperature=1.0"))
    template, model = values.pop("template", None), values.pop("model", "")
    return Variant(values, "" if template == NOTHING else template, model=model)


def sides(screen: Screen) -> Iterable[str]:
    """What a side may begin with."""
    return [f"{key}=" for key in ("template", "model", *screen.session.settings.model_dump())]


def good(screen: Screen, argument: str) -> None:
    """`/good [WHY]`."""
    screen.session.good(argument)
    screen.say(screen.words("rated.good"), "quiet")


def bad(screen: Screen, argument: str) -> None:
    """`/bad [WHY]`."""
    screen.session.bad(argument)
    screen.say(screen.words("rated.bad"), "quiet")
