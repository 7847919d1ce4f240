"""The metric `degeneration`: what is no damage, what each part finds, and where."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli

from llmops_cli.core.workspace import shipped_root
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.degeneration import tables
from llmops_cli.evaluation.degeneration.learn import learn_syllables, read
from llmops_cli.evaluation.metrics import Item, Measurement

PARTS = ["loops", "lost_order", "foreign_script", "cut_off", "debris", "broken_characters"]
STORY = (
    "노인은 저녁마다 역에 나왔다. 마지막 기차가 들어올 때까지 나무 의자에 앉아 있었다. 아무도 그가 누구를 "
    "기다리는지 몰랐다. 역무원이 한번은 물었다. “누가 오시기로 했습니까?” 노인은 대답 대신 웃었다. 그해 겨울 눈이 "
    "많이 내렸고 기차는 자주 늦었다. 그래도 노인은 나왔다. 봄이 오자 의자 옆에 작은 화분이 하나 놓였다. 노인이 "
    "보이지 않게 된 뒤에도 역무원은 날마다 물을 주었다. 여름이 되어 꽃이 피었다. 그날 처음으로 낯선 사람이 기차에서 "
    "내려 의자에 앉았다."
)


def measured(text: str) -> Measurement:
    (found,) = find_metric("degeneration").measure([Item("a", text)])
    assert found is not None
    return found


def score(text: str) -> float:
    return measured(text).score


def part(text: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = measured(text).details[name]
    return found


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        "네",
        "뭐 해",
        "지금 가는 중이야 ㅋㅋㅋㅋㅋㅋㅋㅋ",
        "오늘 저녁은 된장찌개",
        "내일 몇 시에 볼까?",
        "좋은 아침이에요~",
        "생일 축하해 🎂",
        "잠깐만……",
        "하하하하하하하하! 정말이야?",
        "두근두근두근두근 가슴이 뛴다",
        "“그만 가자.”",
        "그는 짧게 말했다. “이제 그만 가자”",
        "물결이 밀려와\n물결이 물러가\n모래 위에 적은 이름\n물결이 데려가네",
        "나는 기다리겠소\n눈이 오면 눈 속에서\n비가 오면 빗속에서\n나는 기다리겠소",
        "달아 달아 둥근 달아\n어디 어디 떠 있느냐\n앞산 너머 떠 있느냐\n뒷산 너머 떠 있느냐",
        "챙길 것\n1. 여권\n2. 충전기\n3. 상비약\n4. 갈아입을 옷",
        "## 요약\n\n**핵심**은 둘입니다.\n\n- 비용 절감\n- 품질 향상\n\n### 결론\n\n지금 시작하는 것이 좋습니다.",
        "작가(作家)의 말에 따르면 AI와 GPU를 쓰는 신제품은 Wi-Fi 6를 지원하고 1,000,000원입니다.",
        "《The Old Man and the Sea》와 <AI의 시대>를 읽었다. 사쿠라(さくら)라는 가게에서 샀다.",
        "철수: 어디 가?\n영희: 학교에 가.\n철수: 같이 가자!",
        "눈이 왔다. 아무도 오지 않았다. 그는 문을 닫았다.\n\n끝",
        "문의는 help@example.com으로 해 주세요.",
    ],
)
def test_what_people_write_is_not_broken(text: str) -> None:
    assert score(text) < 0.15


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_output_is_broken_altogether(text: str) -> None:
    assert score(text) == 1.0


@pytest.mark.parametrize(
    ("text", "name", "span"),
    [
        ("그는 웃었다. " + "네" * 40 + "요.", "loops", "네" * 40),
        ("나는 갔다. " + "바다 " * 30, "loops", "바다 " * 20),
        (STORY + " 그래도 노인은 나왔다. 화분에 물을 주었다." * 6, "loops", "그래도 노인은 나왔다"),
        (STORY.replace("한번은", "一回은他们"), "foreign_script", "他们"),
        (STORY.replace("역무원이", "역무원이 вдруг"), "foreign_script", "вдруг"),
        (STORY + " The old man did not come back that summer.", "foreign_script", "The old man did not come back"),
        (STORY + " 그리고 그는 천천히 문을", "cut_off", "문을"),
        (STORY[:-3] + "았", "cut_off", "앉았"),
        ("나는 어제 학교에서 친구를", "cut_off", "친구를"),
        ("내가 가장 좋아하는", "cut_off", "좋아하는"),
        (STORY + " 그가 말했다. “이제 우리는", "cut_off", "“이제 우리는"),
        ("준비물은 이렇다.\n1. 물\n2. 빵\n3.", "cut_off", "3."),
        (STORY + "<|im_end|>", "debris", "<|im_end|>"),
        ("assistant: " + STORY, "debris", "assistant:"),
        (STORY + '"}, {"role": "user"', "debris", '"}'),
        (STORY.replace("그해", "<br/>그해"), "debris", "<br/>"),
        (STORY + " https://example.com/a?b=1", "debris", "https://example.com/a?b=1"),
        (STORY + " \\frac{a}{b}", "debris", "\\frac{"),
        (STORY.replace("역무원", "역\ufffd\ufffd", 1), "broken_characters", "\ufffd"),
        (STORY.replace("의자에", "ì•ˆë…•", 1), "broken_characters", "ì•ˆë…•"),
    ],
)
def test_a_defect_is_found_where_it_is(text: str, name: str, span: str) -> None:
    found = part(text, name)
    assert found["score"] >= 0.5
    assert text[found["start"] : found["end"]].startswith(found["text"])
    assert span in found["text"] or found["text"] in span


def test_one_strong_defect_is_enough_and_several_add_up() -> None:
    one, two = STORY + "<|im_end|>", STORY.replace("역무원이", "역무원이 вдруг") + "<|im_end|>"
    assert score(one) >= 0.9
    details = measured(two).details
    assert score(two) == pytest.approx(1 - (1 - details["debris"]["score"]) * (1 - details["foreign_script"]["score"]))
    assert list(details) == PARTS


def test_shuffled_words_are_found_where_they_are() -> None:
    words = (STORY + " " + STORY.replace("노인", "소년").replace("역", "항구")).split()
    mixed = words[40:80]
    random.Random(3).shuffle(mixed)
    text = " ".join([*words[:40], *mixed])
    found = part(text, "lost_order")
    assert found["score"] >= 0.5
    assert found["start"] >= text.index(words[25])
    assert found["end"] > len(text) - 40


def test_the_more_a_sentence_repeats_the_worse() -> None:
    times = [score("기차는 오지 않았다. " * count) for count in (1, 3, 6, 20)]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert times[-1] > 0.95


def test_a_sentence_that_changes_a_word_each_time_is_a_loop() -> None:
    things = ("문", "창문", "서랍", "가방", "상자", "지갑", "뚜껑", "대문")
    assert part(" ".join(f"그는 천천히 {thing}을 열고 안을 들여다보았다." for thing in things), "loops")["score"] > 0.9


def test_text_in_another_language_is_broken_altogether() -> None:
    assert score("I am sorry, but I cannot continue this story. Please ask me something else.") == 1.0
    assert score("那天晚上下着很大的雨，他慢慢地走进了房间，什么也没有说。她笑着对我说没关系。") == 1.0


def test_mixed_up_chats_are_found_among_many() -> None:
    _, chats = read(str(shipped_root() / "data/heldout"))
    lines = "\n".join(chats[:50]).splitlines()
    mixed = random.Random(5).sample(lines, len(lines))
    assert part("\n".join(lines), "lost_order")["score"] == 0.0
    assert part("\n".join(mixed), "lost_order")["score"] > 0.3


def test_any_characters_get_a_score() -> None:
    draw = random.Random(1)
    characters = "가나다 \n\t.,!?“”\"'()[]{}<>|#*-1aZ中あдก\ufffd\x00\x85\u200b\u3000ㅋㅠ…🎂"
    for _ in range(500):
        text = "".join(draw.choices(characters, k=draw.randrange(40)))
        found = measured(text)
        assert 0.0 <= found.score <= 1.0
        for each in found.details.values():
            assert each["score"] == 0.0 or 0 <= each["start"] < each["end"] <= len(text)


def test_the_tables_are_small_and_those_that_the_repository_made() -> None:
    stored = {name: (files(tables.__package__) / name).read_bytes() for name in (tables.WORD_ORDER, tables.ENDINGS)}
    stored[tables.SYLLABLES] = (files(tables.__package__) / tables.SYLLABLES).read_bytes()
    assert sum(map(len, stored.values())) <= 200_000
    assert tables.__doc__
    for content in stored.values():
        assert hashlib.sha256(content).hexdigest()[:16] in tables.__doc__
    stories, chats = read(str(shipped_root() / "data/train"))
    assert stored[tables.SYLLABLES].endswith(learn_syllables([*stories, *chats]).tobytes())


def test_the_command_line_shows_the_parts(cli: Cli) -> None:
    rows = [
        {"id": "whole", "output": STORY},
        {"id": "broken", "output": STORY + "<|im_end|>"},
        {"id": "none", "output": ""},
    ]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole, broken, none = cli("eval", "score", "answers.jsonl", "--metrics", "degeneration", "--json").json()["items"]
    assert whole["scores"]["degeneration"] == 0.0
    assert broken["scores"]["degeneration"] > 0.9
    assert none["scores"]["degeneration"] == 1.0
    assert broken["details"]["degeneration"]["debris"]["text"] == "<|im_end|>"
