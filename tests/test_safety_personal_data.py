"""Personal data is found in any writing, and what only looks like it is left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from llmops_cli.safety.personal_data import KINDS, NOT_COVERED, find
from llmops_cli.safety.personal_data.checksums import business, foreigner, is_birth_date, luhn, resident


def values(text: str) -> list[tuple[str, str]]:
    return [(found.kind, text[found.start : found.end]) for found in find(text)]


@pytest.mark.parametrize(
    "value",
    [
        "010-1234-5678", "010 1234 5678", "010.1234.5678", "01012345678", "010 - 1234 - 5678", "010\t1234\t5678",
        "010-1234-\n5678", "010\xa01234\xa05678", "(010)1234-5678", "010)1234-5678", "010~1234~5678", "010/1234/5678",
        "010_1234_5678", "010·1234·5678", "010,1234,5678", "010–1234—5678", "010ㅡ1234ㅡ5678", "010*1234*5678",
        "010|1234|5678", "010-12345678", "0 1 0 1 2 3 4 5 6 7 8", "+82 10-1234-5678", "+82)10-1234-5678",
        "82-10-1234-5678", "0082-10-1234-5678", "+82(0)10-1234-5678", "(+82) 10 1234 5678",
        "０１０－１２３４－５６７８",
        "010-①②③④-⑤⑥⑦⑧", "⁰¹⁰-¹²³⁴-⁵⁶⁷⁸", "공일공 일이삼사 오육칠팔", "공일공-일이삼사-오육칠팔",
        "공일공일이삼사오육칠팔",
        "영일영 일이삼사 오륙칠팔", "공일공에 일이삼사에 오육칠팔", "공일공 다시 일이삼사 다시 오육칠팔",
        "공1공-1234-오육칠팔", "O1O-l234-5678",
        "o|o-I234-5678", "01O-1Z34-S67B", "0ㅣ0-1234-5678", "010-12\u200b34-5678",
        "0\u200b1\u200b0\u200b1234\u200b5678",
        "010-****-5678", "010-1234-●●●●", "010-12xx-xx78", "011-123-4567", "019 1234 5678",
        "010-1234-????", "010-____-5678", "010-····-5678", "010__1234__5678", "○1○-1234-5678", "「010」1234-5678",
        "〔010〕-1234-5678", "【010】 1234-5678", "0 1 0 - 1 2 3 4 - 5 6 7 8",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "sentence", ["제 번호는 {}이에요", "{}", "{}로 연락 주세요.", "어제 **{}**을 남겼어", "{} 이게 내 번호"]
)
def test_a_mobile_number_is_found_however_it_is_written(value: str, sentence: str) -> None:
    assert values(sentence.format(value)) == [("mobile", value)]


@pytest.mark.parametrize(
    ("sentence", "kind", "value"),
    [
        ("제 주민번호는 900101-1234568이에요", "resident_number", "900101-1234568"),
        ("240229-3123456을 적었다", "resident_number", "240229-3123456"),
        ("9001011234568", "resident_number", "9001011234568"),
        ("구공공일공일에 일이삼사오육칠이요", "resident_number", "구공공일공일에 일이삼사오육칠"),
        ("900101-1******입니다", "resident_number", "900101-1******"),
        ("등록번호 900101-5234561이고", "foreigner_number", "900101-5234561"),
        ("사무실은 02-123-4567예요", "landline", "02-123-4567"),
        ("(031) 1234-5678로", "landline", "(031) 1234-5678"),
        ("공이 일이삼사 오육칠팔이야", "landline", "공이 일이삼사 오육칠팔"),
        ("+82-2-1234-5678", "landline", "+82-2-1234-5678"),
        ("070 1234 5678", "landline", "070 1234 5678"),
        ("0505-123-4567", "landline", "0505-123-4567"),
        ("124-81-00998입니다", "business_number", "124-81-00998"),
        ("사업자번호 1248100998", "business_number", "1248100998"),
        ("사업자는 일이사-팔일-공공구구팔이에요", "business_number", "일이사-팔일-공공구구팔"),
        ("국민은행 123456-01-123456으로 보내", "account", "123456-01-123456"),
        ("3333-01-1234567", "account", "3333-01-1234567"),
        ("110123456789로 입금해 줘", "account", "110123456789"),
        ("계좌는 일일공에 일이삼에 사오육칠팔구예요", "account", "일일공에 일이삼에 사오육칠팔구"),
        ("농협 301-****-5678-91", "account", "301-****-5678-91"),
        ("M12345678이에요", "passport", "M12345678"),
        ("M123A4567을", "passport", "M123A4567"),
        ("여권은 m일이삼사오육칠팔이야", "passport", "m일이삼사오육칠팔"),
        ("여권번호 M123A****", "passport", "M123A****"),
        ("11-12-123456-78이다", "driver_licence", "11-12-123456-78"),
        ("서울 12-123456-78", "driver_licence", "서울 12-123456-78"),
        ("면허번호는 111212345678", "driver_licence", "111212345678"),
        ("4111-1111-1111-1111로 결제", "card", "4111-1111-1111-1111"),
        ("3782 822463 10005", "card", "3782 822463 10005"),
        ("카드번호 1234 5678 1234 5678", "card", "1234 5678 1234 5678"),
        ("1234-****-****-5678", "card", "1234-****-****-5678"),
        ("0 2 1 2 3 4 5 6 7 8로 걸어", "landline", "0 2 1 2 3 4 5 6 7 8"),
        ("공이 일이삼 공오구팔이 우리 번호", "landline", "공이 일이삼 공오구팔"),
        ("신고는 〔02〕 123-4567로", "landline", "〔02〕 123-4567"),
        ("9 0 0 1 0 1 - 1 2 3 4 5 6 7이야", "resident_number", "9 0 0 1 0 1 - 1 2 3 4 5 6 7"),
        ("061218-XXXXXXX로", "resident_number", "061218-XXXXXXX"),
        ("방문자 명단에 9001015234567이 있다", "foreigner_number", "9001015234567"),
        ("공급자 1248100998", "business_number", "1248100998"),
        ("우체국 123456-01\n123456으로", "account", "123456-01\n123456"),
        ("케이뱅크 100123456789, 2,350원", "account", "100123456789"),
        ("여권은 엠 일이삼 에이 사오육칠이야", "passport", "엠 일이삼 에이 사오육칠"),
        ("여권번호 M일이삼비사오육칠이고", "passport", "M일이삼비사오육칠"),
        ("여권번호 M〜12345678", "passport", "M〜12345678"),
        ("여권 M____5678", "passport", "M____5678"),
        ("면허 경기북부12-123456-78이고", "driver_licence", "경기북부12-123456-78"),
        ("면허번호 대구-12-123456-78", "driver_licence", "대구-12-123456-78"),
        ("면허 12-3_-123456-78", "driver_licence", "12-3_-123456-78"),
    ],
)  # fmt: skip
def test_every_kind_of_number(sentence: str, kind: str, value: str) -> None:
    assert values(sentence) == [(kind, value)]


@pytest.mark.parametrize(
    "value",
    [
        "hong.gd@example.com", "hong @ naver.com", "hong@naver . com", "hong at naver dot com", "hong[at]naver.com",
        "hong(at)naver(dot)com", "hong(a)naver.com", "hong골뱅이naver.com", "hong 골뱅이 네이버 닷컴",
        "hong@naver점com",
        "hong＠naver．com", "ho***@naver.com", "ho\u200bng@naver.com", "hong1 at gmail.com", "hong@snu.ac.kr",
        "hong@\nnaver.com", "ho■■■@naver.com", "ho???@naver.com", "hong(at)mail(dot)abc.co.kr",
        "hong[@]mail[.]abc[.]go[.]kr", "hong 골뱅이 mail 점 abc 점 go 점 kr", "hong at abc.io",
    ],
)  # fmt: skip
def test_an_email_address_is_found_however_it_is_written(value: str) -> None:
    assert values(f"메일은 {value}으로 보내") == [("email", value)]


PROVINCES = [
    "서울", "서울시", "서울특별시", "부산", "부산시", "부산광역시", "대구", "대구광역시", "인천", "인천광역시",
    "광주", "광주광역시", "대전", "대전광역시", "울산", "울산광역시", "세종", "세종시", "세종특별자치시",
    "경기", "경기도", "강원", "강원도", "강원특별자치도", "충북", "충청북도", "충남", "충청남도", "전북",
    "전라북도", "전북특별자치도", "전남", "전라남도", "경북", "경상북도", "경남", "경상남도", "제주", "제주도",
    "제주특별자치도",
]  # fmt: skip


@pytest.mark.parametrize("province", PROVINCES)
def test_addresses_of_every_province_by_road_and_by_lot(province: str) -> None:
    for rest in (
        "중구 가온대로 123",
        "중구 가온로12번길 4-5, 101동 1203호",
        "중구 가온동 12-3번지",
        "군위군 가온면 나온리 산 12",
    ):
        assert values(f"집은 {province} {rest}이에요") == [("address", f"{province} {rest}")]


@pytest.mark.parametrize(
    "address",
    [
        "서울특별시중구가온로12번길4-5,1203호", "서울특별시 중구 가온로 12,가온마을101동1203호",
        "서울시\n중구 가온로 12", "경기도 여주시 가온로\n12 3층", "세종특별자치시 가온동 12",
        "전북 전주시 백제대로 12 (가온동)",
        "서울 중구 가온로 1**", "서울 중구 가온동 12-3?번지", "서울 중구 가온로 12, 101동 1○○호",
    ],
)  # fmt: skip
@pytest.mark.parametrize("sentence", ["집은 {}", "{}\n위 주소로 보내", "**{}** 앞"])
def test_an_address_is_found_however_it_is_written(address: str, sentence: str) -> None:
    assert values(sentence.format(address)) == [("address", address)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 19:03:22부터 2026.12.31까지", "제12345678호", "점수는 3:1, 21-19, 15-21",
        "1,234,567,890원을 입금했다",
        "ISBN 978-89-01-12345-6", "pp. 123-145, 2013다12345", "3.14159265358979", "1588-1234와 080-123-4567",
        "900230-1234567",
        "일이 이 사이에 오육 일 지나 사 일", "0 1 0 0 1 1 0 1 0 0 1 0", "송장번호 123456789012 보내드립니다",
        "110111-0062432",
        "서울 시내로 30분, 일반적으로 1000명", "서울 강남구 활동 30건", "경기 초반 대구로 3명", "그림은 logo@2x.png",
        "look at naver.com for more", "@app.route(x)", "1920x1080x24", "1-2-3-4-5-6-7-8-9-10-11-12",
        "SOIL BOSS OIL LOSS IS SO",
        "기간: 2023-12-20 ~ 2024.11.14", "송장번호 821999263395", "20○○-○○-○○ ~ 20○○-○○-○○", "어때?? 1__2__3",
        "안녕\n@naver.com", "Sold out at abc.com에서", "서울 강남구 가온로 1,500명",
        "110123456789", "1248100998", "카드가 4111 1111 1111이다", "ㅋㅋㅋㅋㅇㅇㅇㅇㅇㅇㅇㅇㅇㅇㅇㅇ", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_personal_data_is_left_alone(text: str) -> None:
    assert find(text) == []


def test_a_word_nearby_decides_between_kinds() -> None:
    assert values("계좌는 0212345678901") == [("account", "0212345678901")]
    assert values("전화는 0212345678") == [("landline", "0212345678")]
    assert values("계좌는 0212345678") == [("account", "0212345678")]
    assert values("1112123456789 이게 계좌야") == [("account", "1112123456789")]
    assert values("계좌 110-123-456789, 1002123456789") == [("account", "110-123-456789"), ("account", "1002123456789")]


def test_what_was_found_says_why_and_holds_no_value() -> None:
    text = "주민번호는 구공공일공일-1234567이고 카드는 4111-1111-1111-1111, 전화는 010-****-5678"
    resident_number, card, mobile = find(text)
    assert (resident_number.rule, resident_number.checksum, resident_number.context) == (
        "spoken and figures", "failed", "resident_number",
    )  # fmt: skip
    assert (card.rule, card.checksum, card.context) == ("grouped", "valid", "card")
    assert (mobile.rule, mobile.checksum, mobile.context) == ("half masked", "none", "phone")
    assert {"1234567", "4111", "5678"}.isdisjoint("".join(map(str, resident_number + card + mobile)).split("-"))


def test_finds_are_in_order_and_do_not_overlap() -> None:
    text = "서울 중구 가온로 12 010-1234-5678 hong@naver.com 900101-1234567/010-2345-6789"
    found = find(text)
    assert [item.kind for item in found] == ["address", "mobile", "email", "resident_number", "mobile"]
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert {item.kind for item in found} <= set(KINDS)
    assert "names of persons" in NOT_COVERED


def test_checksums_of_published_numbers() -> None:
    assert business("1248100998")
    assert business("1234567891")
    assert not business("1234567890")
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert resident("9001011234568")
    assert not resident("9001011234567")
    assert foreigner("9001015234561") != foreigner("9001015234562")
    assert is_birth_date("0002293")
    assert not is_birth_date("0002291")


@pytest.mark.parametrize(
    "unit",
    [
        "1", "010", "1-", "1 ", "일", "일 ", "에 일", "*1", "12*", "@", "a@", "a.", " at ", "x", "l", "-", " ",
        "\u200b", "M1234",
        "서울시시시시시1", "서울 구구구로로로 1", "서울 동동동동동 12호 ", "(1)", "123,", "계좌 1234567890 ",
        "[계좌번호] ", "010-1234-5678-",
        "1234567890101-", "5678이고",
    ],
)  # fmt: skip
def test_hostile_repetition_ends(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    assert all(item.end <= len(text) for item in find(text))
