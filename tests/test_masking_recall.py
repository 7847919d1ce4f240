"""Personal data planted into sentences is found and masked, however it is written."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
from planting.personal_carriers import CARRIERS, has_josa, josa_after
from planting.personal_data import KINDS, WRITINGS, Sample, is_masked, masked_outside, of_kind, of_writing, samples
from planting.personal_lookalikes import SENTENCES, lookalikes
from planting.personal_values import AREA_CODES, BANKS, values
from planting.personal_writings import SPOKEN

PER_CELL = 40


def _missed(planted: list[Sample]) -> list[Sample]:
    from llmops_cli.safety.personal_data import find, mask

    return [
        sample
        for sample in planted
        if not is_masked(sample, [(found.start, found.end) for found in find(sample.text)], mask(sample.text)[0])
    ]


def _shown(missed: list[Sample]) -> str:
    return "\n".join(f"{sample.kind}: {sample.written!r} in {sample.text!r}" for sample in missed[:10])


@pytest.mark.parametrize("kind", KINDS)
def test_99_of_100_values_in_their_standard_writing_are_masked(kind: str) -> None:
    planted = list(of_kind(kind, 5 * PER_CELL))
    missed = _missed(planted)
    assert len(missed) <= 0.01 * len(planted), _shown(missed)


@pytest.mark.parametrize("writing", WRITINGS)
def test_95_of_100_values_are_masked_in_every_way_of_writing(writing: str) -> None:
    planted = list(of_writing(writing, PER_CELL * len(WRITINGS[writing].kinds)))
    missed = _missed(planted)
    assert len(missed) <= 0.05 * len(planted), _shown(missed)


def test_numbers_that_are_not_personal_data_are_left_alone() -> None:
    from llmops_cli.safety.personal_data import mask

    texts = list(lookalikes(5 * len(SENTENCES)))
    taken = [masked for text in texts if (masked := mask(text)[0]) != text]
    assert len(taken) <= 0.01 * len(texts), "\n".join(taken[:10])


def test_the_label_names_the_kind() -> None:
    from llmops_cli.safety.personal_data import mask

    assert mask("내 번호는 010-2345-6789야")[0] == "내 번호는 [휴대전화]야"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _luhn(digits: str) -> bool:
    odd, even = digits[::-1][::2], digits[::-1][1::2]
    return (sum(map(int, odd)) + sum(sum(divmod(2 * int(digit), 10)) for digit in even)) % 10 == 0


def _numbers(kind: str) -> list[str]:
    return [value.text.replace("-", "") for value in values(kind, 1000, 5)]


@pytest.mark.parametrize(
    ("kind", "known", "constant"),
    [("resident_number", "9710139019902", 11), ("foreigner_number", "9112095123450", 13)],
)
def test_registration_numbers_have_the_check_digit_or_a_random_tail(kind: str, known: str, constant: int) -> None:
    def valid(number: str) -> bool:
        return (constant - _weighted(number[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(number[12])

    assert valid(known)
    share = sum(map(valid, _numbers(kind))) / 1000
    assert 0.68 < share < 0.78  # seven in ten, and a tenth of the random ones


def test_business_numbers_and_cards_have_their_check_digit() -> None:
    def valid(number: str) -> bool:
        total = _weighted(number[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5)) + 5 * int(number[8]) // 10
        return (10 - total % 10) % 10 == int(number[9])

    assert valid("1248100998")
    assert not valid("1234567890")
    assert all(map(valid, _numbers("business_number")))
    assert _luhn("4111111111111111")
    assert not _luhn("4111111111111112")
    assert all(map(_luhn, _numbers("card")))
    assert {len(number) for number in _numbers("card")} == {15, 16}


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("resident_number", r"\d{6}-[1-4]\d{6}"),
        ("foreigner_number", r"\d{6}-[5-8]\d{6}"),
        ("mobile", r"010-\d{4}-\d{4}|01[16789]-\d{3,4}-\d{4}"),
        ("landline", r"0\d{1,3}-[2-9]\d{2,3}-\d{4}"),
        ("business_number", r"\d{3}-\d{2}-\d{5}"),
        ("account", r"\d{2,6}(-\d{1,7}){2,3}"),
        ("passport", r"[MSRGD](\d{8}|\d{3}[A-Z]\d{4})"),
        ("driver_licence", r"(1[1-9]|2[0-6]|28)-\d{2}-\d{6}-\d{2}"),
        ("card", r"\d{4}-(\d{4}-\d{4}-\d{4}|\d{6}-\d{5})"),
        ("email", r"[a-z0-9._-]+@[a-z.-]+\.(com|net|kr|io)"),
        ("address", r"\S+[시도]( \S+[시군구])*( \S+[읍면])? \S+[로길동리] (산 )?\d+(-\d+)?.*"),
    ],
)
def test_values_have_the_standard_shape(kind: str, shape: str) -> None:
    assert [value.text for value in values(kind, 1000, 0) if not re.fullmatch(shape, value.text)] == []


def test_values_are_of_every_area_code_bank_and_province() -> None:
    assert {value.text.split("-")[0] for value in values("landline", 1000, 0)} == set(AREA_CODES)
    assert {value.bank for value in values("account", 1000, 0)} == {bank for bank, _ in BANKS}
    assert len({value.text.split()[0] for value in values("address", 1000, 0)}) == 17


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_sentences_for_each_kind_with_and_without_a_josa(kind: str) -> None:
    assert len(set(CARRIERS[kind])) >= 30
    assert 10 <= sum(map(has_josa, CARRIERS[kind])) <= len(CARRIERS[kind]) - 10


@pytest.mark.parametrize(
    ("value", "josa", "reads"),
    [
        ("010-1234-5670", "은", "은"), ("010-1234-5671", "으로", "로"), ("010-1234-5672", "이에요", "예요"),
        ("010-1234-5673", "으로", "으로"), ("010-1234-5674", "이라는데", "라는데"), ("010-1234-5678", "과", "과"),
        ("a@b.com", "으로", "으로"), ("a@b.co.kr", "으로", "로"), ("a@b.io", "이", "가"),
        ("세종대로 3 (부암동)", "을", "을"), ("1201호", "이었다", "였다"), ("M12345679", "입니다", "입니다"),
    ],
)  # fmt: skip
def test_the_josa_agrees_with_the_value_as_it_is_read(value: str, josa: str, reads: str) -> None:
    assert josa_after(value, josa) == reads


_CELLS = [(kind, writing) for writing, (_, kinds) in WRITINGS.items() for kind in kinds]


@pytest.mark.parametrize(("kind", "writing"), _CELLS)
def test_samples_are_reproducible_and_their_value_stands_alone(kind: str, writing: str) -> None:
    planted = list(samples(kind, writing, PER_CELL, 1))
    assert planted == list(samples(kind, writing, PER_CELL, 1))
    assert len({sample.text for sample in planted}) > 0.9 * PER_CELL
    for sample in planted:
        assert sample.written == sample.written.strip()
        assert "{" not in sample.text.replace("{" + sample.written + "}", "").replace(sample.written, "")
        assert not re.match("[0-9A-Za-z]", sample.text[sample.end :])
        assert not re.search("[0-9A-Za-z]$", sample.text[: sample.start])


_READ = {
    **dict(zip(SPOKEN, "0123456789", strict=True)), "영": "0", "륙": "6", "O": "0", "o": "0", "○": "0", "\u110b": "0",
    "l": "1", "I": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "writing"),
    [
        (kind, writing)
        for kind, writing in _CELLS
        if kind not in ("passport", "email", "address") and writing not in ("+82", "half masked", "region name")
    ],
)
def test_a_number_says_the_same_digits_in_every_way_of_writing(kind: str, writing: str) -> None:
    rng = random.Random(2)
    for standard in values(kind, PER_CELL, 3):
        written = unicodedata.normalize("NFKC", WRITINGS[writing].write(standard.text, rng))
        read = "".join(_READ.get(letter, letter) for letter in written)
        assert re.sub(r"\D", "", read) == standard.text.replace("-", "")


def test_a_value_left_readable_is_not_masked() -> None:
    text = "내 번호 010-2345-6789야"
    sample = Sample(text, "mobile", 5, 18, "plain")
    assert is_masked(sample, [(5, 18)], "내 번호 [휴대전화]야")
    assert is_masked(sample, [(5, 12), (12, 17)], "내 번호 [휴대전화][휴대전화]9야")
    assert not is_masked(sample, [(5, 18)], "내 번호 ***-2345-****야")
    assert not is_masked(sample, [(5, 18)], "내 번호 ***-*34-56**야")
    assert not is_masked(sample, [(5, 14)], "내 번호 [휴대전화]6789야")
    assert not is_masked(sample, [], "내 번호 [휴대전화]야")
    assert masked_outside(sample, [(3, 19)]) == 3
