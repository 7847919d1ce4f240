"""Few-shot examples: the nearest ones, as many as a budget of tokens holds, the same every time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from workbench import make_tokenizer

from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.prompts.few_shot import CountTokens, Shot, bigrams, choose, overlap
from llmops_cli.prompts.library import find_template
from llmops_cli.prompts.prompt_template import PromptTemplate, load_template
from llmops_cli.prompts.template import Turn

SEA = Shot("바다 이야기를 써 줘.", "파도가 들어왔다.", "겨울 바다의 등대지기")
BREAD = Shot("빵집 이야기를 써 줘.", "반죽이 부풀었다. " * 20, "새벽 빵집의 두 사람")
TRAIN = Shot("기차 이야기를 써 줘.", "기적이 울렸다.", "밤 기차에서 만난 사람")
SHOTS = (SEA, BREAD, TRAIN)
ABOUT = {"ko": "값", "en": "a value"}


def answers(turns: Sequence[Turn]) -> list[str]:
    """The first words of the answers."""
    return [turn["content"].split()[0] for turn in turns if turn["role"] == "assistant"]


def count_characters(turns: Sequence[Turn]) -> int:
    return sum(len(turn["content"]) for turn in turns)


@pytest.fixture(scope="module")
def count_tokens(tmp_path_factory: pytest.TempPathFactory) -> CountTokens:
    """Tokens of turns under a real tokenizer and chat template."""
    tokenizer = make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return lambda turns: len(encode_prompt(tokenizer, turns))


def template(examples: list[dict[str, Any]]) -> PromptTemplate:
    values = {
        "version": 1,
        "about": ABOUT,
        "variables": {
            "text": {"about": ABOUT},
            "place": {"about": ABOUT, "default": ""},
            "speech": {"type": "choice", "choices": ["반말", "존댓말"], "about": ABOUT, "default": "반말"},
        },
        "system": "{{ speech }}",
        "prompt": "{{ place }}: {{ text }}",
        "examples": examples,
    }
    Path("talk.yaml").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return load_template(Path("talk.yaml"))


def test_all_are_taken_where_there_is_no_budget_the_nearest_beside_the_question() -> None:
    assert answers(choose(SHOTS, "밤 기차의 승객")) == ["반죽이", "파도가", "기적이"]
    assert answers(choose(SHOTS, "겨울 바다의 고래")) == ["기적이", "반죽이", "파도가"]
    turns = choose([SEA], "바다")
    assert turns == [{"role": "user", "content": SEA.user}, {"role": "assistant", "content": SEA.assistant}]


def test_of_equally_near_ones_the_first_comes_first() -> None:
    assert answers(choose(SHOTS, "가나다", count_characters, len(SEA.user + SEA.assistant))) == ["파도가"]
    assert choose(SHOTS, "가나다") == choose(SHOTS, "")


@pytest.mark.parametrize("request_text", ["새벽 빵집의 두 사람", "바다", ""])
def test_no_budget_is_ever_passed_and_more_of_it_never_gives_less(request_text: str, count_tokens: CountTokens) -> None:
    counts = []
    for budget in range(0, 700, 7):
        turns = choose(SHOTS, request_text, count_tokens, budget)
        assert not turns or count_tokens(turns) <= budget
        counts.append(len(turns))
    assert counts[0] == 0
    assert counts[-1] == 2 * len(SHOTS)


def test_one_that_does_not_fit_is_passed_over_for_a_smaller_one() -> None:
    found = choose(SHOTS, "새벽 빵집의 두 사람", count_characters, 60)
    assert answers(found) == ["파도가", "기적이"]
    assert answers(choose(SHOTS, "새벽 빵집의 두 사람", count_characters, len(BREAD.user + BREAD.assistant))) == [
        "반죽이"
    ]


def test_a_budget_without_a_count_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="count_tokens"):
        choose(SHOTS, "바다", None, 100)


def test_overlap_does_not_prefer_the_longer_text() -> None:
    wanted = bigrams("겨울 바다")
    assert overlap(wanted, bigrams("겨울바다")) == 1.0
    assert overlap(wanted, bigrams("겨울 바다에서 아주 먼 곳에 사는 사람들의 이야기")) < 0.5
    assert overlap(bigrams(""), bigrams("가")) == 0.0


def test_examples_of_another_choice_are_left_out() -> None:
    found = template(
        [
            {"values": {"text": "비가 와.", "speech": "반말"}, "assistant": "우산 챙겨."},
            {"values": {"text": "비가 와요.", "speech": "존댓말"}, "assistant": "우산을 챙기세요."},
            {"user": "눈이 온다", "assistant": "춥겠다."},
        ]
    )
    assert answers(found.render({"text": "비가 온다", "speech": "존댓말"}).turns) == ["춥겠다.", "우산을"]
    assert answers(found.render({"text": "비가 온다"}).turns) == ["춥겠다.", "우산"]


def test_the_opening_stays_whatever_the_writer_types() -> None:
    examples = [{"values": {"text": "가", "place": place}, "assistant": place} for place in ("바다", "산골", "도시")]
    found = template(examples)
    system, turns = found.opening({"place": "산골", "text": "도시"})
    assert (system, turns) == found.opening({"place": "산골", "text": "바다"}) == found.opening({"place": "산골"})
    assert (system, answers(turns)) == ("반말", ["도시", "바다", "산골"])
    assert turns[-2]["content"] == "산골: 가"


def test_a_shipped_template_takes_fewer_examples_in_a_small_context(count_tokens: CountTokens) -> None:
    talk = find_template("daily-talk")
    every = talk.render({"text": "오늘 면접에서 떨어졌어."}).turns
    some = talk.render({"text": "오늘 면접에서 떨어졌어."}, count_tokens, count_tokens(every) - 1).turns
    assert 0 < len(some) < len(every)
    assert some[-2:] == every[-2:]
    assert "면접" in every[-2]["content"]
