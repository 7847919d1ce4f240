"""Conversations as files, and that what is exported can be trained on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench import Cli, write_config

from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.export import export, export_file
from llmops_cli.chat.state import State
from llmops_cli.chat.store import Store
from llmops_cli.core.errors import InputError


@pytest.fixture
def story() -> Iterator[Conversation]:
    """A story with a second ending, where the writer stands, and a question that waits."""
    with Store() as chats:
        conversation = chats.new("겨울 바다", State(system="C001은 화가다.", names={"C001": "지우"}))
        conversation.add("user", "C001는 어디에 있어?", None)
        conversation.add("assistant", "C001은 바닷가에 있다.\n파도가 높다.\n\n밤이다.", 1)
        conversation.add("user", "계속.", 2)
        conversation.add("assistant", "첫 끝.", 3)
        conversation.name(conversation.add("assistant", "둘째 끝.", 3).id, "다른 끝")
        conversation.add("user", "그리고?", 5)
        yield conversation


def test_markdown_quotes_the_writer(story: Conversation) -> None:
    assert export([story], "md").decode() == (
        "# 겨울 바다\n\n> 지우는 어디에 있어?\n\n지우는 바닷가에 있다.  \n파도가 높다.\n\n밤이다.\n\n"
        "> 계속.\n\n둘째 끝.\n\n> 그리고?\n"
    )


def test_every_branch_follows_with_what_only_it_has(story: Conversation) -> None:
    text = export([story], "md", all_branches=True).decode()
    assert text.endswith("> 그리고?\n\n## 3 → 4\n\n첫 끝.\n")
    story.go(4)
    text = export([story], "md", all_branches=True).decode()
    assert text.endswith("첫 끝.\n\n## 다른 끝\n\n둘째 끝.\n\n> 그리고?\n")
    assert text.count("지우는 어디에") == 1


def test_text_is_the_story_alone(story: Conversation) -> None:
    story.go(4)
    assert export([story], "txt").decode() == (
        "지우는 어디에 있어?\n\n지우는 바닷가에 있다.\n파도가 높다.\n\n밤이다.\n\n계속.\n\n첫 끝.\n"
    )
    assert export([], "txt") == b""


def test_rows_end_with_an_answer(story: Conversation) -> None:
    (row,) = map(json.loads, export([story], "jsonl").splitlines())
    assert row["id"] == f"chat-{story.id}-5"
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant", "user", "assistant"]
    assert row["messages"][0]["content"] == "지우는 화가다."
    assert row["messages"][-1]["content"] == "둘째 끝."
    rows = [json.loads(line) for line in export([story], "jsonl", all_branches=True).splitlines()]
    assert [row["id"] for row in rows] == [f"chat-{story.id}-5", f"chat-{story.id}-4"]
    story.go(1)
    assert export([story], "jsonl") == b""


def test_a_document_shows_korean_in_a_korean_font(story: Conversation) -> None:
    import docx
    from docx.oxml.ns import qn

    story.write(5, "둘째 끝\ufffe.", None)
    assert export_file([story], Path("out/story.docx"), all_branches=True) == "docx"
    document = docx.Document("out/story.docx")
    assert [(each.style.name, each.text) for each in document.paragraphs] == [
        ("Title", "겨울 바다"), ("Quote", "지우는 어디에 있어?"), ("Normal", "지우는 바닷가에 있다."),
        ("Normal", "파도가 높다."), ("Normal", ""), ("Normal", "밤이다."), ("Quote", "계속."), ("Normal", "둘째 끝."),
        ("Quote", "그리고?"), ("Heading 1", "3 → 4"), ("Normal", "첫 끝."),
    ]  # fmt: skip
    for name in ("Normal", "Title", "Heading 1", "Quote"):
        fonts = document.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) == "Malgun Gothic"
        assert fonts.get(qn("w:eastAsiaTheme")) is None
    assert 'w:eastAsia="ko-KR"' in zipfile.ZipFile("out/story.docx").read("word/styles.xml").decode()


def test_an_unknown_format_is_refused(story: Conversation) -> None:
    with pytest.raises(InputError, match=r"no format 'odt' -> one of md, txt, jsonl, docx"):
        export_file([story], Path("story.odt"))
    assert not Path("story.odt").exists()


def test_what_is_exported_can_be_trained_on(cli: Cli, story: Conversation, tiny_model: Path) -> None:
    export_file([story], Path("chats.jsonl"), all_branches=True)
    validated = cli("data", "validate", "chats.jsonl", "--json")
    assert validated.code == 0, validated.err
    write_config(tiny_model)
    trained = cli("train", "train.yaml", "--name", "a", "--set", "data.train=chats.jsonl", "--set", "train.max_steps=2")
    assert trained.code == 0, trained.err
    assert Path("runs/a/adapter").is_dir()
