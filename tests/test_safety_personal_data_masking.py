"""Masked text still reads, leads to nobody, and is not masked twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_cli.safety.personal_data import find, mask
from llmops_cli.safety.personal_data.checksums import business, is_birth_date, luhn


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("010-1234-5678이에요", "[휴대전화]예요"),
        ("010-1234-5678을", "[휴대전화]를"),
        ("010-1234-5678으로 와", "[휴대전화]로 와"),
        ("공일공 일이삼사 오육칠팔이고", "[휴대전화]고"),
        ("010-1234-5672야", "[휴대전화]야"),
        ("hong@naver.com으로", "[이메일]로"),
        ("a@b.io는", "[이메일]은"),
        ("a@b.io야", "[이메일]이야"),
        ("계좌는 110-123-456782였어요", "계좌는 [계좌번호]였어요"),
        ("서울 중구 가온로 3과 가온로", "[주소]와 가온로"),
        ("900101-1234567, 900101-5234567", "[주민등록번호], [외국인등록번호]"),
        ("02-123-4567/124-81-00998", "[전화번호]/[사업자번호]"),
        ("M12345678·11-12-123456-78", "[여권번호]·[운전면허번호]"),
        ("4111111111111111도", "[카드번호]도"),
        ("0️⃣1️⃣0️⃣-1234-5678️⃣이", "[휴대전화]가"),
        ("아무것도 없다", "아무것도 없다"),
    ],
)
def test_labels_and_the_josa_after_them(text: str, masked: str) -> None:
    assert mask(text)[0] == masked


def test_mask_tells_what_was_found_in_the_text_as_given() -> None:
    text = "번호는 ０１０-1234-5678이고 메일은 a@b.io"
    assert mask(text)[1] == find(text)


PIECES = [
    "010-1234-5678", "공일공일이삼사오육칠팔", "900101-1234567", "M12345678", "110-123-456789", "1002123456789",
    "1248100998",
    "hong@naver.com", "hong at naver.com", "서울 중구 가온로 12", "4111 1111 1111 1111", "서울 12-123456-78",
    "02-123-4567", "계좌",
    "입금", "전화", "여권", "사업자", "메일", "이고", "이에요", "와", "에", " ", " ", "-", ", ", "/", "\n",
    "[계좌번호]", "[이메일]", "(", "*",
    "1", "이", "O", "\u200b", "@",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    once, _ = mask(text)
    again, found = mask(once)
    assert again == once
    assert found == []


def surrogate(value: str, seed: int = 0) -> str:
    return mask(value, "surrogate", seed)[0]


def test_a_value_keeps_its_surrogate_in_any_writing() -> None:
    base = surrogate("010-1234-5678")
    assert base == surrogate("010-1234-5678")
    assert surrogate("공일공-일이삼사-오육칠팔") == base
    assert surrogate("O1O-1234-5678") == base
    assert surrogate("010*1234*5678") == base.replace("-", "*")
    assert surrogate("+82 10-1234-5678").removeprefix("+82 1") == base.removeprefix("01")
    assert surrogate("010-1234-5678", seed=1) != base


def test_different_values_get_different_surrogates() -> None:
    assert len({surrogate(f"900101-1{number:06}") for number in range(300)}) == 300


def test_surrogates_belong_to_nobody() -> None:
    for tail in ("1234", "5678", "9012"):
        assert surrogate(f"010-2345-{tail}").startswith("010-0")
        assert surrogate(f"02-345-{tail}").startswith("02-0")
        assert not is_birth_date(surrogate(f"900101-123{tail}").replace("-", ""))
        assert not business(surrogate(f"124-81-0{tail}").replace("-", ""))
        assert not luhn(surrogate(f"카드 4111-1111-1111-{tail}").removeprefix("카드 ").replace("-", ""))
        assert surrogate(f"여권 M1234{tail}").startswith("여권 X")
        assert surrogate(f"11-12-12{tail}-78").startswith("99-")
        assert surrogate(f"서울 12-12{tail}-78").startswith("99-")
        assert surrogate(f"hong{tail}@naver.com").endswith("@example.com")
        assert "예시구" in surrogate(f"서울 중구 가온로 {tail}")
        assert surrogate(f"계좌 110-123-45{tail}").startswith("계좌 000-")


@pytest.mark.parametrize("value", ["900101-1******", "900101-1***", "M123A4567", "010-****-5678", "(02) 345-6789"])
def test_a_surrogate_keeps_the_shape(value: str) -> None:
    made = surrogate(value)
    assert [character.isalnum() or character == "*" for character in value] == [
        character.isalnum() for character in made
    ]


def test_josa_agrees_with_the_surrogate() -> None:
    for number in range(20):
        made = surrogate(f"010-2345-67{number:02}을")
        assert made.endswith("를" if made[-2] in "2459" else "을")
