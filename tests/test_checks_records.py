"""The checks of `llmops data validate` that judge one record at a time."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from llmops_cli.core.plugins import load_plugin
from llmops_cli.data import checks
from llmops_cli.data.records import Message, Record, Role

IDS = [
    "abuse",
    "encoding",
    "invisible",
    "jamo",
    "josa",
    "language",
    "normalisation",
    "personal_data",
    "register",
    "repetition",
    "spaces",
    "story_codes",
    "structure",
]


def found(check: str, record: Record, **params: Any) -> list[str]:
    module = load_plugin(checks, check)
    return list(module.start(module.Params(**params) if hasattr(module, "Params") else None)(record))


def chat(*turns: str, **fields: Any) -> Record:
    """A conversation that the user opens."""
    roles: tuple[Role, Role] = ("user", "assistant")
    return Record("r", tuple(Message(roles[i % 2], turn) for i, turn in enumerate(turns)), **fields)


def text(content: str, **fields: Any) -> Record:
    return Record("r", text=content, **fields)


GOOD = (
    chat(
        "오늘 저녁 뭐 먹지? ㅋㅋ",
        "비도 오는데 칼국수 어때요? 따뜻하고 좋아요 ㅠㅠ",
        "좋아!",
        "그럼 제가 예약할게요 😀👨‍👩‍👧",
    ),
    text("민준이가 문을 열었다. “누구세요?” 지우는 대답하지 않았다. 가능성(可能性)은 3.5%였다.\n\n둘은 웃었다."),
    chat("도망칠까?", chosen="안 돼. 여기 있어.", rejected="응, 도망쳐."),
)


@pytest.mark.parametrize("check", IDS)
@pytest.mark.parametrize("record", GOOD)
def test_good_records_give_no_alarm(check: str, record: Record) -> None:
    assert found(check, record) == []


@pytest.mark.parametrize("check", [check for check in IDS if check != "structure"])
def test_an_empty_text_is_for_the_structure_only(check: str) -> None:
    assert found(check, text("")) == []


@pytest.mark.parametrize("check", IDS)
def test_a_check_describes_itself_in_single_lines(check: str) -> None:
    module = load_plugin(checks, check)
    assert check == module.ID
    assert isinstance(module.FAST, bool)
    assert ("error" if check in {"encoding", "structure"} else "warning") == module.SEVERITY
    assert all(line and "\n" not in line for line in (module.ABOUT, module.FIX))
    assert ("--fix" in module.FIX) == hasattr(module, "repair")
    assert pickle.loads(pickle.dumps(getattr(module, "repair", None))) is getattr(module, "repair", None)


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (text(" \n"), ["empty text"]),
        (chat("왔어?"), ["the last turn is not the assistant's"]),
        (chat("왔어?", " "), ["empty content in message 2, assistant"]),
        (Record("r", (Message("system", "친절하게."),)), ["only a system message"]),
        (Record("r", (Message("assistant", "네."),)), ["the first turn is not the user's"]),
        (
            Record("r", (Message("user", "가"), Message("user", "나"), Message("assistant", "네"))),
            ["two user turns in a row"],
        ),
        (
            Record("r", (Message("user", "가"), Message("system", "나"), Message("assistant", "네"))),
            ["a system message after the first place"],
        ),
        (chat("가", "나", chosen="다", rejected="라"), ["the turn before chosen and rejected is not the user's"]),
        (chat("가", chosen=" ", rejected="라"), ["empty chosen or rejected"]),
        (Record("r", (Message("system", "친절하게."), *chat("가", "나").messages)), []),
        (Record("r", (Message("system", "친절하게."), *chat("가").messages), chosen="나", rejected="다"), []),
    ],
)
def test_structure(record: Record, lines: list[str]) -> None:
    assert found("structure", record) == lines


@pytest.mark.parametrize(
    ("check", "spoiled", "line"),
    [
        ("encoding", "안\ufffd녕\ufffd", "2 broken characters, the first U+FFFD"),
        ("encoding", "안녕\x00", "1 broken characters, the first U+0000"),
        ("encoding", "안녕하세요".encode().decode("latin-1"), "mojibake: UTF-8 read as Latin-1"),
        ("invisible", "안\u200b녕\ufeff", "2 invisible characters, the first U+200B"),
        ("invisible", "닉네임: \u3164", "1 invisible characters, the first U+3164"),
        ("invisible", "안녕\U000e0068\U000e0069", "2 invisible characters, the first U+E0068"),
        ("invisible", "가\u200d나", "1 invisible characters, the first U+200D"),
        ("spaces", "안녕\u00a0하세요\u3000", "2 odd spaces or line breaks, the first U+00A0"),
        ("spaces", "첫 줄\r\n둘째 줄", "1 odd spaces or line breaks, the first U+000D"),
        ("jamo", "진짜 \u110f\u110f", "2 lone conjoining jamo, the first U+110F"),
        ("jamo", "ㅇㅏㄴㄴㅕㅇ 반가워", "1 words torn into jamo, the first ㅇㅏㄴㄴㅕㅇ"),
        ("story_codes", "C001은 C002를 봤다", "story codes without a name: C001, C002"),
        ("josa", "민준는 갔다. [이름]는 남았다.", "민준는, want 민준은; [이름]는, want [이름]은"),
        ("abuse", "시1발 이 병신아", "2 profanity"),
    ],
)
def test_what_is_found_in_a_text(check: str, spoiled: str, line: str) -> None:
    assert found(check, text(spoiled)) == [line]
    assert found(check, chat("응?", spoiled)) == [line]
    assert found(check, chat("응?", chosen="네.", rejected=spoiled)) == [line]


@pytest.mark.parametrize(
    ("check", "spoiled", "repaired"),
    [
        ("encoding", "안녕하세요".encode("cp949").decode("latin-1"), "안녕하세요"),
        (
            "invisible",
            "안\u200b녕 👨‍👩‍👧 🏴\U000e0067\U000e0062\U000e007f",
            "안녕 👨‍👩‍👧 🏴\U000e0067\U000e0062\U000e007f",
        ),
        ("spaces", "안녕\u00a0하세요\r\n둘째\u2028셋째\t끝", "안녕 하세요\n둘째\n셋째\t끝"),
        ("jamo", "진짜 \u110f\u110f \u1172", "진짜 ㅋㅋ ㅠ"),
    ],
)
def test_a_repair_leaves_nothing_to_complain_about(check: str, spoiled: str, repaired: str) -> None:
    assert found(check, text(spoiled))
    assert load_plugin(checks, check).repair(spoiled) == repaired
    assert found(check, text(repaired)) == []


def test_what_is_lost_is_not_repaired() -> None:
    repair = load_plugin(checks, "encoding").repair
    assert repair("안\ufffd녕") == "안\ufffd녕"


def test_text_that_was_decomposed_in_its_file_is_told() -> None:
    assert found("normalisation", text("안녕", denormalised=True))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("I am sorry, but I cannot answer that question in Korean.", "0% of the letters are Hangul"),
        ("이 문제는 매우 重要하니 다시 생각해 보세요.", "letters of other scripts: 2 han"),
        ("정말 좋은 생각이에요, давай 같이 가요!", "letters of other scripts: 5 cyrillic"),
    ],
)
def test_an_answer_in_another_language(answer: str, line: str) -> None:
    assert found("language", chat("질문", answer)) == [line]
    assert found("language", chat(answer, "네, 그렇게 할게요.")) == []
    assert found("language", chat("질문", "OK")) == []


def test_the_limits_of_the_language_can_be_moved() -> None:
    answer = "Please open the file named config and restart."
    assert found("language", chat("질문", answer), min_hangul=0.0) == []
    assert found("language", chat("질문", "OK"), min_letters=2) == ["0% of the letters are Hangul"]
    assert found("language", chat("질문", "好, 그래요"), max_foreign=0.5) == []


def test_an_answer_that_goes_round_in_circles() -> None:
    assert found("repetition", chat("응?", "좋아요 " * 6)) == ["6 times in a row: 좋아요"]
    assert found("repetition", chat("응?", "그는 문을 열고 나갔다. " * 9)) == [
        "9 times in a row: 그는 문을 열고 나갔다."
    ]
    assert found("repetition", chat("응?", "그래" + "네요" * 40)) == ["the same letters again and again: 네요"]
    assert found("repetition", chat("좋아요 " * 6, "네")) == []
    assert found("repetition", chat("응?", "좋아요 " * 5)) == []


def test_sentences_that_come_again_with_a_number() -> None:
    lines = " ".join(f"{number}번 손님은 따뜻한 국수 한 그릇을 주문했다." for number in range(1, 12))
    (line,) = found("repetition", text(lines))
    assert line.endswith("of the runs of four words were there before (rep-4)")
    assert found("repetition", text(lines), max_rep_4=0.9) == []


def test_a_voice_that_changes_its_register_is_told() -> None:
    answers = (
        "안녕하세요. 무엇을 도와드릴까요?",
        "그건 나도 몰라. 네가 찾아봐. 제가 찾았어요.",
        "여기 있다. 받으세요. 잘 썼지. 고마워요.",
    )
    turns = [turn for answer in answers for turn in ("질문이야.", answer)]
    assert found("register", chat(*turns)) == ["5 sentences in 존댓말, 4 in 반말"]
    assert found("register", chat(*turns), min_changes=7) == []
    assert found("register", chat(*turns), max_share=0.5) == []


def test_a_story_inside_a_polite_answer_is_one_voice() -> None:
    story = "비가 내렸다. 그는 걸었다. “어디 가세요?” 아무도 답하지 않았다. 밤이었다. 불이 꺼졌다."
    assert found("register", chat("써 줘.", f"물론이죠. 써 볼게요.\n\n{story}\n\n마음에 드세요? 더 써 드릴까요?")) == []


def test_the_names_that_a_record_tells_are_looked_at() -> None:
    turns = "방울이: 나 왔어\n철쭉님: 방울이은 늦었네\n방울이: 미안"
    assert found("josa", chat(turns, "철쭉님가 기다렸어")) == ["방울이은, want 방울이는"]
    assert found("josa", text("쑥국는 갔다", metadata={"names": {"C001": "쑥국"}})) == ["쑥국는, want 쑥국은"]
    assert found("josa", text("쑥국는 갔다", metadata={"names": ["쑥국"]})) == ["쑥국는, want 쑥국은"]
    assert found("josa", text("쑥국는 갔다")) == []
    assert found("josa", text("쑥국는 갔다", metadata={"names": "쑥국"})) == []


def test_personal_data_is_counted_and_not_repeated() -> None:
    (line,) = found("personal_data", chat("연락처 알려 줘", "010-2345-6789로 전화해. 아니면 010-9876-5432"))
    assert line.startswith("2 ")
    assert "2345" not in line
