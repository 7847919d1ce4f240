"""Metrics that need nothing but the answer: variety, repetition, script, broken characters, speech level."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

from llmops_cli.evaluation.calling import every_metric, find_metric
from llmops_cli.evaluation.metrics import Item, Measurement, Timing

STORY = (
    "등대지기는 새벽마다 계단을 세며 올라갔다. 오늘은 백스물세 번째 계단에서 멈추었다. "
    "바다 쪽 창으로 낯선 불빛이 들어왔기 때문이다. “배가 온 걸까?” 그는 혼잣말을 했다. "
    "불빛은 천천히 방파제를 돌아 작은 포구로 다가왔다. 그는 외투를 걸치고 자갈길을 내려갔다. "
    "파도가 발목까지 튀었고 갈매기 한 마리가 난간에 앉아 있었다. 배에서 내린 사람은 젖은 모자를 벗으며 웃었다. "
    "“편지가 너무 늦었지요.” 그 목소리를 듣자 이십 년이 한꺼번에 밀려왔다. 두 사람은 아무 말 없이 불을 피웠다."
)
EVERY = [
    name
    for name in every_metric()
    if name.partition("[")[0].rstrip("_0123456789")
    in ("distinct", "mattr", "rep", "hangul_share", "foreign_script", "broken_characters", "register_consistency")
]


def measured(name: str, output: str, **params: Any) -> Measurement | None:
    (found,) = find_metric(name, params).measure([Item("a", output)])
    return found


def score(name: str, output: str, **params: Any) -> float:
    found = measured(name, output, **params)
    assert found is not None
    return found.score


def words(count: int, vocabulary: int, seed: int = 7) -> list[str]:
    rng = random.Random(seed)
    return [f"낱말{rng.randrange(vocabulary)}" for _ in range(count)]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("output", ["", " \n"])
def test_an_answer_that_says_nothing_does_not_look_good(name: str, output: str) -> None:
    assert measured(name, output) is None


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("output", ["가", "?", "ㅋ", "😀", "ㅠㅠ 진짜? ㅋㅋㅋ", "a"])
def test_a_short_answer_has_a_score_between_0_and_1_or_none(name: str, output: str) -> None:
    found = measured(name, output)
    assert found is None or 0.0 <= found.score <= 1.0


@pytest.mark.parametrize("name", EVERY)
def test_a_story_is_clean(name: str) -> None:
    (found,) = find_metric(name).measure([Item("a", STORY)])
    assert found is not None
    good = {"higher": found.score, "lower": 1 - found.score}[str(find_metric(name).better)]
    assert good > (0.4 if name == "distinct_1" else 0.75)


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith(("distinct", "mattr", "rep"))])
def test_a_loop_is_worse_than_the_story_it_repeats(name: str) -> None:
    metric = find_metric(name)
    story, loop = (each.score for each in metric.measure([Item("a", STORY), Item("b", STORY[:20] * 20)]) if each)
    assert loop > story if metric.better == "lower" else loop < story


def test_distinct_n_is_the_mean_over_every_window() -> None:
    text = " ".join(words(40, 12))
    units = text.split()
    for n in (1, 2):
        grams = [{tuple(units[at : at + n]) for at in range(start, start + 10 - n + 1)} for start in range(31)]
        expected = np.mean([len(each) / (10 - n + 1) for each in grams])
        assert score(f"distinct_{n}[word]", text, window=10) == pytest.approx(expected)
    assert score("distinct_2", "가나가나", window=4) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["distinct_1", "distinct_2", "distinct_2[word]", "mattr"])
def test_length_does_not_decide_the_variety_of_words(name: str) -> None:
    lengths = (200, 800, 3200)
    scores = [np.mean([score(name, " ".join(words(count, 300, seed))) for seed in range(5)]) for count in lengths]
    assert max(scores) - min(scores) < 0.02


def test_a_text_shorter_than_the_window_is_one_window() -> None:
    assert score("mattr", "바다 바다 산 들") == pytest.approx(3 / 4)
    assert score("distinct_1", "가가가나") == pytest.approx(2 / 4)
    assert score("distinct_2", "가가가나") == pytest.approx(2 / 3)
    assert score("distinct_1", "가" * 200) == pytest.approx(0.01)
    assert measured("distinct_2", "가") is None
    assert measured("mattr", "") is None


def test_layout_does_not_change_the_variety() -> None:
    apart = STORY.replace(". ", ".\n\n      ")
    for name in ("distinct_2", "mattr", "rep_4[char]"):
        assert score(name, apart) == score(name, STORY)


def test_mattr_does_not_count_punctuation() -> None:
    assert score("mattr", "바다, “바다” 바다. 바다!", window=4) == pytest.approx(0.25)
    assert measured("mattr", "… — !", window=2) is None


def test_the_window_is_in_the_signature() -> None:
    assert find_metric("distinct_2").signature == "window:100"
    assert find_metric("distinct_2[word]").signature == "window:50"
    assert find_metric("mattr", {"window": 30}).signature == "window:30"


def test_rep_n_is_the_share_of_ngrams_that_were_there_before() -> None:
    assert find_metric("rep_4").name == "rep_4"
    assert score("rep_2", "비가 온다 비가 온다 비가") == pytest.approx(1 / 2)
    assert score("rep_4", "하나 둘 셋 넷") == 0.0
    assert measured("rep_4", "하나 둘 셋") is None
    assert score("rep_4[char]", "네요" * 40) > 0.9
    assert measured("rep_4", "네요" * 40) is None


@pytest.mark.parametrize(
    ("output", "share"),
    [("가나 ab", 0.5), ("ㅋㅋ ok", 0.5), ("ㅠㅠ 😀 123 ①Ⅱ", 1.0), ("Hello", 0.0), ("\u1112\u119e\u11ab글", 1.0)],
)
def test_the_share_of_hangul_is_that_among_letters(output: str, share: float) -> None:
    assert score("hangul_share", output) == share
    assert measured("hangul_share", "123 😀 …") is None


@pytest.mark.parametrize(
    "output",
    [
        "작가(作家)는 썼다.",
        "톨스토이(Толстой)와 “사랑”(愛)을 읽었다.",
        "café에서 α와 β, ①을 naïve하게",
        "ㅋㅋ ㅠㅠ 😀 ♥ ㎏ ℃",
    ],
)
def test_glosses_and_symbols_are_no_slips(output: str) -> None:
    assert measured("foreign_script", output) == Measurement(0.0)


def test_slips_into_other_scripts_are_counted_and_shown() -> None:
    found = measured("foreign_script", "그는 非常 기뻤다. とても 좋은 มาก 날 (真的) ខ្មែរ Привет")
    assert found is not None
    assert found.details["spans"][:4] == ["非常", "とても", "มาก", "真的"]
    assert "Привет" in found.details["spans"]
    assert score("foreign_script", "가나다라마바사阿") == pytest.approx(1 / 8)


@pytest.mark.parametrize(
    ("output", "count", "kind"),
    [
        ("안녕\ufffd하세요", 1, "lost character"),
        ("가\ud83d나", 1, "lone surrogate"),
        ("가\x00나", 1, "control character"),
        ("\u110b 가", 1, "lone jamo"),
        ("ㅇㅏㄴㄴㅕㅇ 반가워", 6, "torn syllables"),
        ("그가 말했다.\n" + "안녕하세요 반갑습니다".encode().decode("latin-1"), 28, "mojibake"),
    ],
)
def test_broken_characters_are_counted_per_thousand_and_shown(output: str, count: int, kind: str) -> None:
    found = measured("broken_characters", output)
    assert found is not None
    assert found.score == pytest.approx(1000 * count / len(output), rel=0.2 if kind == "mojibake" else 1e-9)
    assert list(found.details) == [kind]
    json.dumps(found.details, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "output", ["ㅋㅋㅋ ㅠㅅㅠ ㅇㅈ", "\u1112\u119e\u11ab글", "👨‍👩‍👧 ❤️ 🇰🇷", "탭\t줄\n끝", "naïve café"]
)
def test_laughter_old_spelling_and_emoji_are_not_broken(output: str) -> None:
    assert measured("broken_characters", output) == Measurement(0.0)


@pytest.mark.parametrize(
    ("output", "level", "politeness"),
    [
        ("문이 열렸다. 바람이 불었다. 아무도 없었다.", 1.0, 1.0),
        ("문이 열렸다. “어서 오세요.” 그가 웃었다. ‘이상하네.’ 나는 앉았다.", 1.0, 1.0),
        ("문이 열렸습니다. “야, 빨리 와!” 그가 소리쳤습니다.\n― 싫어, 안 가.\n나는 웃었습니다.", 1.0, 1.0),
        ("문을 엽니다. 앉아요. 기다립니다. 들어와요 😊", 0.5, 1.0),
        ("문이 열렸습니다. 그가 웃었습니다. 나는 앉았다. 비가 왔습니다.", 0.75, 0.75),
        ("밥 먹었어 ㅋㅋ\n나 지금 갔어~\n너무 좋아 ㅠㅠ", 1.0, 1.0),
        ("푸른 바다\n흰 돛배\n나는 간다\n바람이 분다", 1.0, 1.0),
    ],
)
def test_the_speech_level_of_the_narration_is_what_counts(output: str, level: float, politeness: float) -> None:
    assert score("register_consistency", output) == level
    assert score("register_consistency[politeness]", output) == politeness


def test_odd_sentences_are_shown_and_one_sentence_is_not_judged() -> None:
    found = measured("register_consistency", "문이 열렸습니다. 그가 웃었습니다. 나는 앉았다.")
    assert found is not None
    assert found.details == {"level": "합쇼체", "odd": ["해라체: 나는 앉았다."]}
    assert measured("register_consistency", "문이 열렸습니다. 바다, 그리고 하늘.") is None
    assert measured("register_consistency", "갔다. 왔다.", min_sentences=3) is None


def test_stop_rate_is_of_answers_that_end_by_themselves() -> None:
    items = [Item("a", "네", finish_reason=reason) for reason in ("stop", "length", None)]
    assert find_metric("stop_rate").measure(items) == [Measurement(1.0), Measurement(0.0), None]


def test_times_are_pooled_at_a_percentile() -> None:
    items = [Item(str(n), "네", timing=Timing(n / 100, n / 100 + 1.0, n + 1)) for n in range(1, 101)]
    every = np.ones((1, len(items)))
    for name, p50, p95 in (("first_token_time", 0.5, 0.95), ("tokens_per_second", 50.0, 5.0)):
        for variant, expected in (("p50", p50), ("p95", p95)):
            metric = find_metric(f"{name}[{variant}]")
            assert metric.timed
            statistics = np.array([found.statistics for found in metric.measure(items) if found])
            assert metric.pool(statistics, every) == pytest.approx([expected])
            doubled = np.vstack([every, np.eye(100)[6]])
            assert metric.pool(statistics, doubled)[1] == pytest.approx(statistics[6, 0])


def test_one_token_has_no_speed_and_no_timing_no_time() -> None:
    items = [Item("a", "네", timing=Timing(0.1, 0.1, 1)), Item("b", "네")]
    assert find_metric("tokens_per_second").measure(items) == [None, None]
    assert find_metric("first_token_time").measure(items)[1] is None
