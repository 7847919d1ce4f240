"""The HTML report of a validation, and how the tokens of a record are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages import Page
from workbench import CONVERSATIONS, Answer, Cli, write_file, write_rows

from llmops_cli import __version__
from llmops_cli.core.console import SilentReporter
from llmops_cli.data import validate
from llmops_cli.data.config import ValidateConfig
from llmops_cli.data.records import Message, Record
from llmops_cli.models.dataset import encode_record
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.pipeline import validating
from llmops_cli.prompts.encode import IGNORED
from llmops_cli.prompts.template import render
from llmops_cli.reporting import validation
from llmops_cli.reporting.histogram import bin_of, length_histogram

TINY = "builtin:tiny-ko"
HOSTILE = "<script>alert('가')</script>"
EMPTY = ("meta", "line")


def report_of(*paths: str, **values: Any) -> Page:
    config = ValidateConfig(input=list(paths), html="out/report.html", **values)
    validating.run(validating.plan(config), SilentReporter())
    return Page(Path("out/report.html").read_text(encoding="utf-8"), EMPTY)


def test_a_report_has_verdict_counts_places_files_and_parameters() -> None:
    write_file("자료/b.csv", "Q,A\n안녕?,반가워.\n빈 답,\n")
    write_rows("자료/a.jsonl", [{"text": f"보이지\u200b않는 {number}번째 글이다."} for number in range(30)])
    page = report_of("자료", parameters={"language": {"min_hangul": 0.25}})
    assert "not ready: there are errors Next: structure: llmops data convert" in page.text
    for said in (
        "records 32 files 2 errors 1 warnings 30",
        "자료/b.csv:3",
        "error structure · 1",
        "warning invisible · 30",
        "The first 25 of 30",
        "plain_text 30 rows, question_answer 2 rows",
        "language.min_hangul = 0.25",
        f"llmops {__version__}",
    ):
        assert said in page.text
    opened = [attributes.get("id") for tag, attributes in page.elements if tag == "details" and "open" in attributes]
    assert opened == ["structure", None]
    assert sum("자료/a.jsonl:" in word for word in page.words) == 25 + 1


def test_a_report_without_findings() -> None:
    page = report_of(write_rows("a.jsonl", CONVERSATIONS))
    assert page.of_class("good")
    assert not page.of_class("warning") + page.of_class("error")
    assert "good: nothing found Next: llmops data convert a.jsonl" in page.text
    assert "checks found nothing" in page.text
    assert "Findings" not in page.text


def test_lengths_are_drawn_with_max_length_marked() -> None:
    long = {"messages": [{"role": "user", "content": "뭐?"}, {"role": "assistant", "content": "길을 걸었다. " * 60}]}
    path = write_rows("a.jsonl", [*CONVERSATIONS, long])
    page = report_of(path, model=TINY, parameters={"length": {"max_length": 128}})
    bars, over, limits = page.of_class("bar"), page.of_class("over"), page.of_class("limit")
    assert (len(over), len(limits)) == (1, 1)
    assert len(bars) >= 5
    assert float(over[0]["x"] or 0) > float(limits[0]["x1"] or 0) > float(bars[-2]["x"] or 0)
    assert "max_length 128" in page.text
    without = report_of(path)
    assert len(without.of_class("bar")) < len(bars)
    assert "Tokens were not counted" in without.text


def test_what_data_says_is_text_and_never_markup() -> None:
    name = f"{HOSTILE.replace('/', '')}.jsonl"
    write_rows(name, [{HOSTILE: 1}, {"id": HOSTILE, "text": "깨진 \ufffd 글이다."}])
    page = report_of(name)
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) >= 2
    assert name in page.text


def test_a_report_needs_nothing_else() -> None:
    report_of(write_rows("a.jsonl", [{"text": "깨진 \ufffd 글이다."}]))
    text = Path("out/report.html").read_text(encoding="utf-8")
    page = Page(text, EMPTY)
    assert "://" not in text
    assert "@import" not in text
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.elements}
    assert not any("src" in attributes or "style" in attributes for _, attributes in page.elements)
    assert all((attributes["href"] or "").startswith("#") for tag, attributes in page.elements if tag == "a")
    assert {"default-src 'none'; style-src 'unsafe-inline'"} <= {each.get("content") for _, each in page.elements}
    report_of("a.jsonl")
    assert Path("out/report.html").read_text(encoding="utf-8") == text


def test_a_report_that_fails_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    write_file("out/report.html", "old")
    monkeypatch.setattr(validation, "TEMPLATE", "missing.html")
    with pytest.raises(Exception, match=r"missing\.html"):
        report_of(write_rows("a.jsonl", CONVERSATIONS))
    assert [path.read_text(encoding="utf-8") for path in Path("out").iterdir()] == ["old"]


def test_a_report_of_many_files_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "FILES_SHOWN", 2)
    for number in range(3):
        write_file(f"data/{number}.jsonl", [{"text": f"{number}번째 글이다."}])
    page = report_of("data")
    assert "The first 2 of 3" in page.text
    assert "data/2.jsonl" not in page.text


@pytest.mark.parametrize("length", [0, 7, 8, 11, 12, 16, 1023, 1024, 5000])
def test_bins_hold_their_lengths(length: int) -> None:
    histogram = length_histogram({bin_of(length): 3})
    (bar,) = [bar for bar in histogram.bars if bar.count]
    assert bar.low <= length < bar.high
    assert bar.height == pytest.approx(histogram.base - histogram.top)
    assert len(histogram.bars) >= 8


def test_a_histogram_is_in_proportion() -> None:
    histogram = length_histogram({8: 100, 16: 50, 4096: 1}, limit=20)
    heights = {bar.low: bar.height for bar in histogram.bars}
    assert heights[8] == pytest.approx(2 * heights[16])
    assert heights[12] == 0 < heights[4096]
    edges = [bar.low for bar in histogram.bars] + [histogram.bars[-1].high]
    assert [bar.high for bar in histogram.bars] == edges[1:]
    assert {bar.low for bar in histogram.bars if bar.over} == {edge for edge in edges[:-1] if edge >= 20}
    (marked,) = [bar for bar in histogram.bars if bar.low <= 20 < bar.high]
    assert marked.x < histogram.limit_x < marked.x + marked.width


@pytest.fixture(scope="module")
def tokenizer() -> ModelTokenizer:
    return load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko")


def show(cli: Cli, number: int, *flags: str) -> Answer:
    return cli("data", "validate", "a.jsonl", "--model", TINY, "--show-tokens", number, *flags)


RARE = "뷁쀍 👩\u200d🚀 \ufffd 힣\n둘째 줄"


def test_tokens_are_those_that_training_sees(cli: Cli, tokenizer: ModelTokenizer) -> None:
    turns = [{"role": "user", "content": RARE}, {"role": "assistant", "content": "응, " + RARE}]
    write_file("a.jsonl", f"{{broken\n{json.dumps({'text': RARE})}\n{json.dumps({'messages': turns})}\n")
    talk = Record("a", tuple(Message(turn["role"], turn["content"]) for turn in turns))  # type: ignore[arg-type]
    rendered = render(tokenizer.template, turns, eos_token=tokenizer.eos_token)
    for number, record, text in ((1, Record("b", text=RARE), RARE + tokenizer.eos_token), (2, talk, rendered)):
        answer = show(cli, number, "--json")
        encoded = encode_record(tokenizer, record)
        tokens = answer.json()
        assert (answer.code, [token["id"] for token in tokens]) == (0, encoded.ids)
        assert "".join(token["text"] for token in tokens) == text
        assert sum(token["text"].count("\ufffd") for token in tokens) == text.count("\ufffd")
        assert [token["learned"] for token in tokens[1:]] == [label != IGNORED for label in encoded.labels[1:]]
        assert sum(token["learned"] for token in tokens) == encoded.labelled
        assert any(not token["text"] for token in tokens)


def test_learned_tokens_are_told_from_context_without_colour(cli: Cli) -> None:
    write_rows("a.jsonl", CONVERSATIONS[1:2])
    answer = show(cli, 1)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].split() == ["a.jsonl:1", "r1"]
    learned = [line for line in lines if line.startswith("[") and "learned" not in line]
    assert len(learned) == 1
    assert learned[0].endswith("[<|im_end|>]‹↵›")
    said = "".join(char for char in learned[0] if char not in "[]‹›₂₃₄")
    assert said == CONVERSATIONS[1]["messages"][1]["content"] + "<|im_end|>↵"
    assert "‹<|im_start|>›‹user›‹↵›" in lines
    assert "\x1b" not in answer.out
    assert answer.out.splitlines()[-1].endswith("max_length 1,024 cuts nothing")


def test_where_training_cuts_is_shown(cli: Cli) -> None:
    write_rows("a.jsonl", CONVERSATIONS[:1])
    tokens = show(cli, 1, "--json").json()
    answer = show(cli, 1, "--set", f"parameters.length.max_length={len(tokens) - 4}")
    lost = sum(token["learned"] for token in tokens[-4:])
    assert answer.out.count("✂ max_length") == 1
    assert answer.out.rstrip().endswith(f"cuts 4, {lost} of them learned")
    assert lost > 0


def test_a_terminal_gets_colours_and_no_control_characters(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows("a.jsonl", [{"id": "\x1b[2J", "text": "지움 \x1b[2J 끝"}])
    assert "\x1b" not in show(cli, 1).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = show(cli, 1).out
    assert "\x1b[1;32m" in coloured
    assert "\x1b[2J" not in coloured


def test_a_record_that_training_leaves_out_says_so(cli: Cli) -> None:
    write_rows("a.jsonl", [{"messages": [{"role": "user", "content": "뭐?"}]}])
    assert "training leaves this record out: the last turn is not the assistant's" in show(cli, 1).out


def test_tokens_of_nothing(cli: Cli) -> None:
    write_rows("a.jsonl", CONVERSATIONS)
    assert show(cli, 17).errors == ["a.jsonl: there is no record 17, only 16 can be read"]
    answer = cli("data", "validate", "a.jsonl", "--show-tokens", 1)
    assert (answer.code, answer.errors) == (2, ["model: the tokens of which model? -> --model builtin:tiny-ko"])


def test_the_data_room_alone_writes_a_report() -> None:
    config = ValidateConfig(input=[write_rows("a.jsonl", CONVERSATIONS)], html="report.html")
    validate.run(validate.plan(config), SilentReporter())
    assert Page(Path("report.html").read_text(encoding="utf-8"), EMPTY).of_class("good")
