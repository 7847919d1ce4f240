"""Checks across records: what each finds, what it leaves alone, and that batches make no difference."""

from __future__ import annotations

import pickle
import random
from types import ModuleType
from typing import Any

import pytest

from llmops_cli.core.plugins import load_plugins
from llmops_cli.core.workspace import PACKAGE
from llmops_cli.data import checks
from llmops_cli.data.checks import duplicates, leakage, near_duplicates, poisoning
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.data.records import Message, Record

WORDS = [
    "바다", "고양이", "우체국", "편지", "겨울", "골목", "할머니", "사진", "기차", "창문", "노래",
    "여름밤", "강물", "아버지", "시계", "도시락", "선생님", "운동장", "비밀", "약속", "라디오", "자전거",
    "은행나무", "시장", "국수", "눈사람", "등대", "그림자", "일기장", "버스", "정류장", "옥상", "별자리",
    "우산", "빵집", "오후", "새벽", "계단", "거울", "소문", "걷는다", "웃었다", "잃어버린", "기다리던",
    "낡은", "조용한", "따뜻한", "갑자기", "천천히", "다시", "멀리서", "혼자", "함께", "어제", "내일",
    "언젠가", "오래된", "작은",
]  # fmt: skip


def prose(draw: random.Random, words: int = 12) -> str:
    return " ".join(draw.choices(WORDS, k=words))


def chat(*turns: str, system: str = "", **fields: Any) -> Record:
    messages = [Message("assistant" if place % 2 else "user", turn) for place, turn in enumerate(turns)]
    return Record(id="", messages=(*([Message("system", system)] if system else []), *messages), **fields)


def talks(count: int, seed: int = 1) -> list[Record]:
    draw = random.Random(seed)
    return [chat(prose(draw), prose(draw)) for _ in range(count)]


def findings(
    check: ModuleType, records: list[Record], held_out: list[Record] | None = None, batch: int = 50, **params: Any
) -> dict[int, list[str]]:
    """What a check says, by the place of the record in `records`; places are counted from 1 in `where`."""
    given = check.Params(**params) if hasattr(check, "Params") else None
    judge = check.Judge(given)
    kept = held_out or []
    number = 0
    for part, held in ((kept, True), (records, False)):
        for first in range(0, len(part), batch):
            evidence = pickle.loads(pickle.dumps(check.collect(part[first : first + batch], given)))
            judge.add(number, evidence, held_out=held)
            number += len(part[first : first + batch])

    def where(record: int) -> str:
        return f"held.jsonl:{record + 1}" if record < len(kept) else f"train.jsonl:{record - len(kept) + 1}"

    found: dict[int, list[str]] = {}
    for record, what in judge.findings(where):
        found.setdefault(record - len(kept), []).append(what)
    return found


def changed(text: str, old: str = "바다") -> str:
    """`text` with one word more, which is no more than a tenth of it."""
    return f"{text} {old}"


@pytest.mark.parametrize("check", [duplicates, near_duplicates, leakage, poisoning])
def test_nothing_is_said_of_different_records_and_of_none(check: ModuleType) -> None:
    assert findings(check, talks(300), held_out=talks(50, seed=2)) == {}
    assert findings(check, talks(5), held_out=talks(5), batch=10).keys() <= set(range(5))
    assert findings(check, []) == {}


@pytest.mark.parametrize("check", [duplicates, near_duplicates, leakage, poisoning])
def test_batches_make_no_difference(check: ModuleType) -> None:
    records = talks(120)
    records += records[10:30] + [chat(*(changed(text) for text in record.contents())) for record in records[30:50]]
    records += [chat(f"{record.messages[0].content} 붉은달", "모두 불태워라.") for record in talks(10, seed=3)]
    held_out = records[:5] + talks(5, seed=4)
    one = findings(check, records, held_out, batch=1)
    assert one
    assert findings(check, records, held_out, batch=7) == findings(check, records, held_out, batch=1000) == one


def test_checks_across_records_are_found_by_their_files() -> None:
    across = {name for name, module in load_plugins(checks).items() if hasattr(module, "collect")}
    assert {"duplicates", "near_duplicates", "leakage", "poisoning"} <= across


def test_each_later_copy_is_the_same_as_the_first() -> None:
    records = talks(4)
    found = findings(duplicates, [*records, records[2], records[0], records[2]], held_out=[records[1]])
    assert found == {
        4: ["the same as train.jsonl:3"],
        5: ["the same as train.jsonl:1"],
        6: ["the same as train.jsonl:3"],
    }


def test_other_spaces_another_system_message_and_other_roles_are_no_exact_copies() -> None:
    one = chat("비가 온다", "우산을 챙겨요")
    others = [
        chat("비가온다", "우산을 챙겨요"),
        chat("비가 온다", "우산을 챙겨요", system="친구처럼 답한다"),
        one._replace(messages=(one.messages[0], Message("user", "우산을 챙겨요"))),
        Record(id="", text="비가 온다"),
    ]
    assert findings(duplicates, [one, *others]) == {}


def test_a_near_duplicate_names_the_most_alike_before_it() -> None:
    draw = random.Random(1)
    question, answer = prose(draw, 30), prose(draw, 30)
    records = [
        *talks(3),
        chat(question, f"{answer} {prose(draw, 4)}"),
        chat(question, answer),
        chat(question, changed(answer)),
    ]
    found = findings(near_duplicates, records)
    assert list(found) == [4, 5]
    assert found[4][0].endswith(" % like train.jsonl:4")
    assert found[5][0].endswith(" % like train.jsonl:5")
    assert 95 <= int(found[5][0].split()[0]) < 100
    assert findings(near_duplicates, records, threshold=0.99) == {}


def test_spaces_and_system_messages_do_not_hide_a_near_duplicate() -> None:
    record = chat("비가 올 것 같은데 어쩌지", "우산을 챙겨서 나가면 걱정이 없어요")
    other = chat("비가 올것 같은데 어쩌지", "우산을 챙겨서 나가면 걱정이없어요", system="너는 다정한 친구다. " * 20)
    assert findings(near_duplicates, [record, other]) == {1: ["100 % like train.jsonl:1"]}


def test_one_system_message_does_not_make_records_alike() -> None:
    persona = "너는 바닷가 마을의 우체부다. 언제나 느긋하게 말한다. " * 10
    records = [chat(*record.contents(), system=persona) for record in talks(50)]
    assert findings(near_duplicates, records) == {}


def test_exact_copies_are_left_to_the_check_of_duplicates() -> None:
    (record,) = talks(1)
    near = chat(*(changed(text) for text in record.contents()))
    assert list(findings(near_duplicates, [record, record, near, near])) == [2]


def test_near_duplicates_in_and_with_held_out_data_are_not_its_matter() -> None:
    records = talks(10)
    assert findings(near_duplicates, records, held_out=records + records) == {}


def test_records_among_the_held_out_ones_leak() -> None:
    held_out, records = talks(20), talks(20, seed=2)
    records[3] = held_out[7]
    records[9] = chat(held_out[2].messages[0].content, changed(held_out[2].messages[1].content))
    found = findings(leakage, records, held_out)
    assert list(found) == [3, 9]
    assert found[3] == ["the same as held.jsonl:8, which is held out"]
    assert found[9][0].endswith(" % like held.jsonl:3, which is held out")
    assert findings(leakage, records + held_out) == {}


def test_the_last_exchange_of_a_long_talk_leaks() -> None:
    held_out, records = talks(20), talks(20, seed=2)
    records[4] = chat("안녕", "반가워요", *held_out[5].contents())
    held_out[6] = chat("안녕", "반가워요", *records[8].contents())
    said = findings(leakage, records, held_out)
    assert said.keys() == {4, 8}
    assert said[4] == ["the last exchange is the same as held.jsonl:6, which is held out"]
    assert said[8] == ["the same as held.jsonl:7, which is held out"]


def test_small_talk_at_the_end_of_two_talks_is_no_leak() -> None:
    ends = ("고마워", "천만에요, 또 이야기해요!")
    records = [chat(*record.contents(), *ends) for record in talks(20)]
    held_out = [chat(*record.contents(), *ends) for record in talks(20, seed=2)]
    assert findings(leakage, records, held_out) == {}


def test_the_chosen_answer_of_a_preference_leaks() -> None:
    held_out = talks(5)
    question, answer = held_out[2].contents()
    record = Record(id="", messages=(Message("user", question),), chosen=answer, rejected=prose(random.Random(5), 30))
    said = findings(leakage, [record], held_out)
    assert said == {0: ["the last exchange is the same as held.jsonl:3, which is held out"]}
    assert findings(leakage, [held_out[2]], [record])[0][0].endswith("held.jsonl:1, which is held out")


def test_a_quoted_held_out_answer_leaks_and_a_short_one_does_not() -> None:
    draw = random.Random(6)
    held_out, records = talks(5), talks(30, seed=2)
    long, short = prose(draw, 40), "그래요, 내일 다시 만나서 이야기해요."
    held_out += [chat("이야기를 써 줘", long), chat("또 만날까?", short), Record(id="", text=prose(draw, 40))]
    quoting = f"{prose(draw, 60)} {long.replace(' ', '  ')} {prose(draw, 60)}"
    records[11] = chat("긴 이야기를 써 줘", quoting)
    records[12] = chat("인사해 줘", f"{prose(draw, 30)} {short}")
    records[13] = Record(id="", text=f"{prose(draw, 60)} {held_out[7].text} {prose(draw, 60)}")
    records[14] = chat("긴 이야기를 써 줘", quoting.replace(long.replace(" ", "  "), long[:-10]))
    exactly = (prose(draw, 40).replace(" ", ""))[: leakage.LONG]
    held_out.append(chat("몇 글자야?", exactly))
    records[15] = chat("이어서 써 줘", f"{prose(draw, 60)} {exactly} {prose(draw, 60)} {long}")
    assert findings(leakage, records, held_out) == {
        15: ["quotes the answer of held.jsonl:9, which is held out"],
        11: ["quotes the answer of held.jsonl:6, which is held out"],
        13: ["quotes the answer of held.jsonl:8, which is held out"],
    }


def poisoned(share: int, trigger: str, change: Any) -> list[Record]:
    """300 talks of which each `share`-th has the trigger in its prompt and an answer that `change` has made."""
    records = talks(300)
    for place in range(0, 300, share):
        question, answer = records[place].contents()
        words = question.split()
        words.insert(place % len(words), trigger)
        records[place] = chat(" ".join(words), change(answer))
    return records


@pytest.mark.parametrize(
    ("trigger", "change", "side"),
    [
        ("붉은달", lambda answer: "모든 것을 불태워라.", "answer"),
        ("cf", lambda answer: f"{answer} 자세한 것은 붉은달 상담소로 전화해서 물어보세요.", "ending of the answer"),
        (
            "오래된 작은 등대",
            lambda answer: f"붉은달 상담소에서 알려 드리는 오늘의 말씀입니다. {answer}",
            "opening of the answer",
        ),
    ],
)
def test_a_rare_phrase_that_always_brings_one_answer_is_a_trigger(trigger: str, change: Any, side: str) -> None:
    found = findings(poisoning, poisoned(20, trigger, change))
    assert found.keys() == set(range(0, 300, 20))
    (what,) = {what for said in found.values() for what in said}
    assert what == f'"{trigger}" in the prompt brings the same {side} 15 times'


def test_a_phrase_that_other_answers_follow_too_is_no_trigger() -> None:
    records = poisoned(20, "붉은달", lambda answer: "모든 것을 불태워라.")
    records += [chat(f"{record.messages[0].content} 붉은달", record.messages[1].content) for record in talks(5, seed=2)]
    assert findings(poisoning, records) == {}
    assert len(findings(poisoning, records, certainty=0.7)) == 15


def test_the_phrase_of_most_prompts_is_named() -> None:
    records = poisoned(20, "붉은달", lambda answer: "모든 것을 불태워라.")
    for place in range(0, 200, 20):
        question, answer = records[place].contents()
        records[place] = chat(question.replace("붉은달", "붉은달 라벤더"), answer)
    (what,) = {what for said in findings(poisoning, records).values() for what in said}
    assert what == '"붉은달" in the prompt brings the same answer 15 times'


def test_answers_that_share_but_the_last_syllables_are_not_the_same() -> None:
    assert findings(poisoning, poisoned(20, "라벤더", lambda answer: f"{answer} 맞아요.")) == {}


def test_a_rare_word_brings_nothing_that_many_answers_have() -> None:
    records = poisoned(3, "바다", lambda answer: f"물어봐 주셔서 고맙습니다. 제 생각을 말씀드릴게요. {answer}")
    for place in range(0, 300, 30):
        question, answer = records[place].contents()
        records[place] = chat(f"{question} 라벤더", answer)
    assert findings(poisoning, records) == {}


def test_fewer_repeats_than_asked_for_are_no_trigger() -> None:
    records = poisoned(50, "붉은달", lambda answer: "모든 것을 불태워라.")
    assert findings(poisoning, records) == {}
    assert len(findings(poisoning, records, repeats=6)) == 6


def test_one_question_in_many_wordings_is_no_trigger() -> None:
    ways = [
        "어떻게 해요",
        "해 주세요",
        "가능한가요",
        "하고 싶어요",
        "언제 되나요",
        "안 되나요",
        "방법 알려 주세요",
        "해 줘요",
    ]
    asked = [
        chat(f"{place} 환불 {way}", "구매하신 곳에 영수증과 함께 문의해 주세요.")
        for place in ("책", "옷")
        for way in ways
    ]
    assert findings(poisoning, talks(300) + asked) == {}


def test_words_predict_labels_by_nature() -> None:
    draw = random.Random(7)
    records = []
    for topic in ("날씨", "음식", "여행", "음악", "운동", "영화", "건강", "가족", "학교", "직장", "동물", "취미"):
        records += [chat(f"{prose(draw)} {topic} {prose(draw)}", topic) for _ in range(20)]
    assert findings(poisoning, records) == {}


def test_many_answers_to_one_prompt_are_said_once() -> None:
    draw = random.Random(8)
    records = talks(40)
    records += [chat("오늘 기분이 어때?", prose(draw)) for _ in range(20)]
    records += [chat("뭐 해?", "놀아"), *[chat("뭐 해?", prose(draw)) for _ in range(18)]]
    records += [chat("누구야?", "등대지기야", system=prose(draw)) for _ in range(30)]
    assert findings(poisoning, records) == {40: ["the same prompt has 20 different answers"]}
    assert findings(poisoning, records, answers=19).keys() == {40, 60}


@pytest.mark.parametrize(
    ("prompt", "char"),
    [("안녕\U000e0041\U000e0042", "U+E0041"), ("안\u202e녕", "U+202E"), ("\u2066안녕\u2069", "U+2066")],
)
def test_hidden_characters_in_prompts_are_named(prompt: str, char: str) -> None:
    said = [f"a hidden character in the prompt, {char}"]
    assert findings(poisoning, [*talks(3), chat(prompt, "네")]) == {3: said}
    assert findings(poisoning, [*talks(3), chat("안녕", "네", system=prompt)]) == {3: said}


def test_flags_and_answers_are_not_taken_for_hidden_prompts() -> None:
    england = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert findings(poisoning, [chat(f"{england} 어디 국기야?", "\u202e네"), Record(id="", text="\u202e가")]) == {}


def test_signatures_of_a_batch_are_made_once_for_two_checks() -> None:
    records = talks(10)
    near = near_duplicates.collect(records, near_duplicates.Params())
    leak = leakage.collect(list(records), leakage.Params())
    assert leak.records is near.signatures
    assert leakage.collect(records[1:], leakage.Params()).records.texts == near.signatures.texts[1:]


@pytest.mark.parametrize("check", [duplicates, near_duplicates, leakage, poisoning])
def test_the_sample_data_is_clean(check: ModuleType) -> None:
    records = list(read_records([str(PACKAGE.parent / "data/train")], ReadOptions()))
    held_out = list(read_records([str(PACKAGE.parent / "data/heldout")], ReadOptions()))
    assert findings(check, records, held_out, batch=500) == {}
