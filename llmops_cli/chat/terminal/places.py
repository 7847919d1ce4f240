"""Commands that move through a conversation, and find and keep others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmops_cli.chat.store import Hit
    from llmops_cli.chat.terminal.screen import Screen


def undo(screen: Screen, argument: str) -> None:
    """`/undo`: stand before the last turn of the writer, whose text is in the line again."""
    turn = screen.session.undo()
    _stand(screen)
    if turn.role == "user":
        screen.put_back(turn.text)


def branch(screen: Screen, argument: str) -> None:
    """`/branch NAME`."""
    screen.session.branch(argument)
    screen.say(screen.words("branched", name=argument), "quiet")


def goto(screen: Screen, argument: str) -> None:
    """`/goto TURN|BRANCH`."""
    screen.session.goto(argument)
    _stand(screen)


def branches(screen: Screen) -> Iterable[str]:
    """Names of branches."""
    return [turn.name for turn in screen.session.conversation.tree.turns.values() if turn.name]


def tree(screen: Screen, argument: str) -> None:
    """`/tree`."""
    from llmops_cli.chat.terminal.drawing import drawn_tree

    conversation = screen.session.conversation
    if not conversation.tree.turns:
        screen.say(screen.words("nothing_yet"), "quiet")
    speakers = {"user": screen.words("you"), "assistant": screen.words("answer")}
    for is_on_path, line in drawn_tree(conversation.tree, speakers, screen.columns):
        screen.say(line, "path" if is_on_path else "")


def search(screen: Screen, argument: str) -> None:
    """`/search WORDS`."""
    hits = screen.store.search(argument)
    if not hits:
        screen.say(screen.words("found.none", words=argument), "quiet")
    screen.say_all(_found(hits, screen.session.conversation.id))


def conversations(screen: Screen, argument: str) -> None:
    """`/list`."""
    from llmops_cli.chat.terminal.drawing import cut_behind

    summaries = screen.store.summaries()
    width = max((len(str(each.id)) for each in summaries), default=0)
    for each in summaries:
        mark = "*" if each.id == screen.session.conversation.id else " "
        turns = screen.words("list.turns", turns=each.turns)
        screen.say(cut_behind(f"{mark} {each.id:>{width}}  {each.updated[:10]}  {turns}  ", each.title, screen.columns))
    screen.say(screen.words("list.resume"), "quiet")


def export(screen: Screen, argument: str) -> None:
    """`/export FILE`."""
    from llmops_cli.chat.export import export_file

    target = Path(argument).expanduser()
    export_file([screen.session.conversation], target)
    screen.say(screen.words("exported", path=target), "quiet")


def title(screen: Screen, argument: str) -> None:
    """`/title [TEXT]`."""
    if argument:
        screen.session.conversation.rename(argument)
    screen.say(screen.words("retitled", title=screen.session.conversation.title), "quiet")


def _found(hits: Iterable[Hit], here: int) -> Iterator[str]:
    for hit in hits:
        place = str(hit.turn) if hit.conversation == here else f"{hit.conversation}/{hit.turn}"
        yield f"{place}: {hit.excerpt}"


def _stand(screen: Screen) -> None:
    """Say where the writer stands."""
    from llmops_cli.chat.terminal.drawing import cut_behind

    path = screen.session.conversation.tree.path()
    if not path:
        screen.say(screen.words("at_beginning"), "quiet")
        return
    start = screen.words("standing", turn=path[-1].id, text="")
    screen.say(cut_behind(start, screen.session.shown(path[-1].text), screen.columns), "quiet")
