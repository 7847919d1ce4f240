"""Sentences full of numbers and signs in which nothing is personal data."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

SENTENCES = (
    "주문번호 {order} 배송 시작되었습니다.",
    "송장 {4}-{4}-{4} 조회하니까 아직 옥천이래 ㅋㅋ",
    "운송장번호는 {12}입니다.",
    "고객센터 15{2}-{4}로 전화 주세요.",
    "은행 대표번호 16{2}-{4} 계속 통화 중이야ㅠ",
    "총액은 {price}원이고 부가세는 {price}원입니다.",
    "기간: {date} ~ {date}",
    "행사는 {date}부터 {date}까지, {hour} 시작",
    "{year}-{year} 시즌 기록은 {2}승 {2}패였다.",
    "{year}년 {month}월 {day}일에 태어났다고 했다.",
    "ISBN 978-89-{4}-{3}-{1} 책 있어?",
    "초판은 {year}년, 쪽수는 {3}쪽, 값은 {price}원이다.",
    "삼성전자 005930 지금 {5}원 ㄷㄷ",
    "코스피는 {1},{3}.{2}로 마감했다.",
    "위도 37.{4}, 경도 126.{4}에서 지진이 감지되었습니다.",
    "파이썬 3.{2}.{1} 버전으로 올리니까 되더라",
    "서버 주소 192.168.{1}.{2}:8080 접속이 안 됨",
    "모델명 KX-{4}-{3} 부품 재고 있나요?",
    "경기는 21-1{1}, 19-21, 21-1{1}로 끝났다.",
    "{3}-{4} 좌석 말고 {2}열 {1}번으로 바꿔 주세요.",
    "제{2}조 제{1}항에 따라 {3}일 이내에 신고하여야 한다.",
    "평균적으로 {4}명이 찾고 주말에는 {5}명까지 온다.",
    "일반적으로 {4} 단위로 나누어 계산한다.",
    "기준으로 {2} 이상이면 합격, 대체로 {2} 안팎이다.",
    "우편번호 {5} 적는 칸이 없어요.",
    "서울로 7017 걸으러 갈래?",
    "부산으로 {1}시간, 광주로 {1}시간 걸린다.",
    "사건번호 {year}가합{5} 판결이 나왔습니다.",
    "학번 {year}{4}{1} 조회 결과가 없습니다.",
    "법안 제{7}호가 본회의를 통과했다.",
    "비행기 KE{3}편이 {hour}에 3{1}번 게이트에서 뜬대",
    "인증번호 {6}을 입력하세요. 타인에게 알려 주지 마세요.",
    "비밀번호는 영문 포함 {1}자리 이상, 1234 같은 건 안 됩니다.",
    "1인당 {price}원 × {2}명 = {price}원",
    "조회수 {1},{3},{3}회 돌파!",
    "인스타 @star_{3} 팔로우했어",
    "가격@수량 표기를 쓰면 {2}@{price}처럼 적는다.",
    "이사 오고 나서 삼사 일은 짐만 풀었어.",
    "구구단 칠단이 칠일은 칠 칠이 십사 칠삼 이십일 이렇게 나가잖아",
    "일이 삼사 년 걸릴 수도 있고 오륙 년 걸릴 수도 있다.",
    "팔구십 년대 노래 공연이 이삼월에 오륙 회 열린다.",
    "사이다 이리 와서 오이 팔이나 거들어 ㅋㅋ",
    "영영 사라진 이야기, 공공칠 영화 말이야.",
    "육이오 때 칠팔 월은 유난히 더웠다고 할머니가 말했다.",
    "사오 년 전 이 일로 일일이 사과하러 다녔다.",
    "시 구 동을 나누는 기준이 로와 길을 구분하는 기준과 다르다.",
    "종로구에서 강남구로 가는 길 2번 출구로 나오세요.",
    "수원시 인구는 {3}만 명이고 성남시는 {2}만 명이다.",
    "회의실 {3}호로 {hour}까지 오세요.",
    "광고 문의 말고 {2}번 문제 {1}번 보기 해설 좀",
    "게임 쿠폰 {code}-{code}-{code} 입력하면 {3}다이아 줌",
    "커밋 {hex} 되돌렸더니 테스트 {2}개가 깨진다.",
    "바코드 880{7}{3} 찍으면 {price}원 뜹니다",
    "원주율은 3.141592653589 다음이 뭐더라",
    "{month}월 {day}일 {hour} 예약 {1}명 확인 부탁드려요.",
    "체온 36.{1}, 혈압 1{2}/{2}, 맥박 {2}입니다.",
    "로또 번호 {2}, {2}, {2}, {2}, {2}, {2} 이거다!",
    "법정 스님의 책 {2}쪽을 펼치면 그 말이 나온다.",
    "예산 {price}원 중 {2}.{1}%를 집행했습니다.",
    "2:1로 이기다가 90+{1}분에 동점골 먹음",
)  # fmt: skip


def lookalikes(count: int, seed: int = 0) -> Iterator[str]:
    """`count` sentences, always the same for one seed."""
    rng = random.Random(f"lookalikes/{seed}")
    for place in range(count):
        yield re.sub(r"\{(\w+)\}", lambda name: _number(name[1], rng), SENTENCES[place % len(SENTENCES)])


def _number(name: str, rng: random.Random) -> str:
    if name.isdigit():
        return _drawn("123456789", 1, rng) + _drawn("0123456789", int(name) - 1, rng)
    year = rng.randrange(2023, 2027)
    month, day = f"{rng.randrange(1, 13):02d}", f"{rng.randrange(1, 29):02d}"
    return {
        "year": str(rng.randrange(1950, 2027)),
        "month": str(int(month)),
        "day": str(int(day)),
        "date": rng.choice("-./").join((str(year), month, day)),
        "hour": f"{rng.randrange(9, 22)}:{rng.choice(('00', '30', '45'))}",
        "order": rng.choice((f"{year}{month}{day}-{_drawn('0123456789', 7, rng)}", f"{year}{month}{day}-0001")),
        "price": f"{rng.randrange(1, 1000) * 1000:,}",
        "code": _drawn("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 4, rng),
        "hex": _drawn("0123456789abcdef", 8, rng),
    }[name]


def _drawn(letters: str, count: int, rng: random.Random) -> str:
    return "".join(rng.choice(letters) for _ in range(count))
