"""Conversations as files: Markdown, plain text, training rows, and a document for Word and Pages."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.tree import Turn
from llmops_cli.core.errors import InputError
from llmops_cli.core.files import atomic_binary_writer
from llmops_cli.text.josa import substitute

if TYPE_CHECKING:
    from docx.styles.style import BaseStyle

FONT = "Malgun Gothic"
"""Of Korean in a document: on every Windows and beside Word on a Mac; Pages takes its own in its place."""
LANGUAGE = "ko-KR"


NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no document can hold (XML 1.0, section 2.2)."""


def export(conversations: Sequence[Conversation], to: str, *, all_branches: bool = False) -> bytes:
    """The content of a file of one of :data:`FORMATS`; characters have their names.

    Without `all_branches` it is what stands between the beginning of each conversation and where its writer stands.

    Raises:
        InputError: there is no such format.
    """
    if to not in FORMATS:
        raise InputError(f"no format {to!r}", hint=f"one of {', '.join(FORMATS)}")
    return FORMATS[to](conversations, all_branches)


def export_file(
    conversations: Sequence[Conversation], target: Path, to: str = "", *, all_branches: bool = False
) -> str:
    """Write a file as :func:`export`, in the format of its name unless another is given; the format.

    Raises:
        InputError: there is no such format.
    """
    to = to or target.suffix.removeprefix(".")
    content = export(conversations, to, all_branches=all_branches)
    with atomic_binary_writer(target) as stream:
        stream.write(content)
    return to


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def branches(conversation: Conversation, all_branches: bool) -> Iterator[list[Turn]]:
    """The turns of each branch from the first to the last: that of the writer, and the others in order."""
    tree = conversation.tree
    yield tree.path()
    if all_branches:
        own = {turn.id for turn in tree.path()}
        for turn in tree.turns.values():
            if turn.id not in own and not tree.children(turn.id):
                yield tree.path(turn.id)


def _sections(conversation: Conversation, all_branches: bool) -> Iterator[tuple[str, list[Turn]]]:
    """Each branch with its heading, empty for the first, and those of its turns that no earlier one has."""
    shown: set[int] = set()
    for path in branches(conversation, all_branches):
        turns = [turn for turn in path if turn.id not in shown]
        name = next((turn.name for turn in turns if turn.name), "")
        heading = name or f"{turns[0].parent or 0} → {turns[-1].id}" if shown else ""
        shown |= {turn.id for turn in turns}
        yield heading, turns


def _markdown(conversations: Sequence[Conversation], all_branches: bool) -> bytes:
    """What the writer said is quoted."""
    blocks = []
    for conversation in conversations:
        blocks.append(f"# {_line(conversation.title)}")
        for heading, turns in _sections(conversation, all_branches):
            blocks += [f"## {_line(heading)}"] if heading else []
            for turn in turns:
                text = re.sub(r"(?<=\S)\n(?=\S)", "  \n", _text(conversation, turn))  # a line break in Markdown
                blocks.append(re.sub("^", "> ", text, flags=re.MULTILINE) if turn.role == "user" else text)
    return _encoded(blocks)


def _plain(conversations: Sequence[Conversation], all_branches: bool) -> bytes:
    return _encoded(
        [
            _text(conversation, turn)
            for conversation in conversations
            for _, turns in _sections(conversation, all_branches)
            for turn in turns
        ]
    )


def _rows(conversations: Sequence[Conversation], all_branches: bool) -> bytes:
    """A row for each branch that has an answer, up to its last one."""
    rows = {}
    for conversation in conversations:
        system = substitute(conversation.state.system, conversation.state.names)
        opening = [{"role": "system", "content": system}] if system else []
        for path in branches(conversation, all_branches):
            turns = [turn for turn in path if turn.text.strip()]
            while turns and turns[-1].role != "assistant":
                turns.pop()
            if turns:
                said = [{"role": turn.role, "content": _text(conversation, turn)} for turn in turns]
                name = f"chat-{conversation.id}-{turns[-1].id}"
                rows[name] = {"id": name, "messages": [*opening, *said]}
    return jsonl(rows.values())


def _document(conversations: Sequence[Conversation], all_branches: bool) -> bytes:
    """A paragraph for every line; what the writer said is in the style of quotes."""
    import docx

    document = docx.Document()
    document.core_properties.author = ""
    for name in ("Normal", "Title", "Heading 1", "Quote"):
        _speak_korean(document.styles[name])
    for number, conversation in enumerate(conversations):
        if number:
            document.add_page_break()  # type: ignore[no-untyped-call]
        document.add_heading(_line(conversation.title), 0)
        for heading, turns in _sections(conversation, all_branches):
            if heading:
                document.add_heading(_line(heading), 1)
            for turn in turns:
                style = "Quote" if turn.role == "user" else "Normal"
                for line in NOT_XML.sub("", _text(conversation, turn)).split("\n"):
                    document.add_paragraph(line, style)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _speak_korean(style: BaseStyle) -> None:
    """Give Hangul a font of its own: the one of Latin letters has none, and the theme's is Chinese."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    fonts.attrib.pop(qn("w:eastAsiaTheme"), None)
    fonts.set(qn("w:eastAsia"), FONT)
    language = properties.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        properties.append(language)
    language.set(qn("w:eastAsia"), LANGUAGE)


def _text(conversation: Conversation, turn: Turn) -> str:
    return substitute(turn.text, conversation.state.names).strip("\n")


def _line(text: str) -> str:
    return " ".join(NOT_XML.sub("", text).split())


def _encoded(blocks: Sequence[str]) -> bytes:
    return "".join(f"{block}\n\n" for block in blocks).rstrip("\n").encode() + b"\n" if blocks else b""


FORMATS: dict[str, Callable[[Sequence[Conversation], bool], bytes]] = {
    "md": _markdown,
    "txt": _plain,
    "jsonl": _rows,
    "docx": _document,
}
BINARY = {"docx"}
