"""What stands in a bad record, by the check that should see it."""

from __future__ import annotations


def misread(text: str, written: str, read: str) -> str:
    """The mojibake of `text`; a question mark stands where the bytes mean nothing in the other encoding."""
    return text.encode(written).decode(read, errors="replace").replace("\ufffd", "?")


ADDED = {
    "encoding": (
        "가격은 \ufffd\ufffd만 원이에요.", "끝\x00", "\x1b[31m주의\x1b[0m", "표\x0b제목",
        misread("반갑습니다.", "utf-8", "latin-1"), misread("또 만나요.", "utf-8", "cp1252"),
        misread("반갑습니다. 또 만나요.", "cp949", "latin-1"), "占쏙옙占쏙옙占쏙옙",
    ),
    "jamo": ("\u1112\u1112 웃겨요.", "꽃 \u11ab다발이에요.", "\u1100\u1100\u1161\u11a8", "\u119e가 든 옛말이에요."),
    "invisible": (
        "천\u200b천히", "안\u00ad녕히", "여\u200d기", "\ufeff다시", "사\u2060랑", "\u200e왼쪽", "나\u200c무",
    ),
    "spaces": (
        "다음\u00a0주에 봐요.", "첫째,\u3000둘째", "얇은\u2009빈칸", "좁은\u202f칸도 있어요.", "줄을\u2028바꿔요.",
        "이어서\x85 보세요.",
    ),
    "story_codes": ("C001은 웃었어요.", "그날 C012에게 말했어요.", "C003와 C004가 싸웠죠.", "범인은 C1024였습니다."),
    "personal_data": (
        "제 번호는 010-2938-4756이에요.", "０１０－９３８４－５６２７로 전화 주세요.", "010 8472 1935예요.",
        "+82 10-7364-8291입니다.",
        "주민등록번호는 870412-1384756입니다.", "minsu.kim84@hanmail.net으로 보내 주세요.",
        "국민은행 938402-01-574839로 입금해 주세요.",
        "서울특별시 종로구 세종대로 209 앞이에요.", "카드 번호는 4539-5787-6362-1486이에요.",
        "여권 번호는 M38475612예요.",
        "운전면허 번호는 11-94-384756-21이에요.", "집 전화는 02-738-4958이에요.",
    ),
    "abuse": (
        "야 이 씨발 새끼야.", "병신 같은 소리 하지 마.", "개새끼들은 다 죽어 버려.", "ㅅㅂ 짜증 나게 하네.",
        "시1발 진짜.", "미친년 주제에 꺼져.",
        "존나 재수 없어.", "김치녀들은 다 똑같아.",
    ),
    "josa": (
        "그때 민준는 웃고 있었어요.", "지우은 먼저 갔어요.", "저는 서연를 만났어요.", "현우이 그랬다고 해요.",
        "은솔으로 정했어요.",
        "수빈와 하은는 친구예요.",
    ),
}  # fmt: skip
"""What is put behind a good answer."""

_GREETING = "안녕하세요, 다음 주 화요일 회의는 두 시에 시작합니다. 자료는 미리 보내 드릴게요."
INSTEAD = {
    "encoding": (
        misread(_GREETING, "utf-8", "cp949"), misread(_GREETING, "utf-8", "mac_roman"),
        misread(misread(_GREETING, "utf-8", "latin-1"), "utf-8", "latin-1"),
    ),
    "language": (
        "You can take the bus from the station and get off at the third stop. It takes about ten minutes.",
        "I am sorry, but I cannot help you with that request. Please contact our support team for more details.",
        "먼저 물을 끓이고 面条를 넣은 다음 三分钟 정도 기다리시면 됩니다.",
        "그 문제는 매우 简单하니까 걱정하지 마시고 천천히 进行하세요.",
        "네, それは本当に 좋은 생각이에요. 내일 だいじょうぶ 하실 거예요.",
        "우리는 함께 работать 해야 하고, 서로를 понимать 하는 것이 중요합니다.",
        "从车站坐公交车，在第三站下车，大约需要十分钟。",
    ),
    "repetition": (
        "창문을 열고 환기를 시켜 주세요. " * 20,
        "그래서 그는 다시 걷기 시작했고 " * 25,
        "바다 " * 80,
        "먼저 씨앗을 심습니다. " + "물을 주고 기다립니다. 싹이 트면 옮겨 심습니다. " * 12,
        "하나 둘 셋 넷 다섯 " * 20,
        "안녕하세요" * 60,
    ),
}  # fmt: skip
"""What stands in place of a good answer."""

MIXED_REGISTER = (
    (
        "회의가 언제예요?", "내일 두 시에 시작합니다. 늦으면 안 돼.",
        "어디서 하나요?", "삼 층 회의실이야. 자료는 제가 보내 드릴게요.",
        "점심은요?", "같이 먹을 거야. 국밥집을 잡아 두었습니다.",
        "누가 와요?", "다 온다고 했어. 팀장님도 오십니다.",
    ),
    (
        "국이 너무 짜요.",
        "물을 조금 더 부어 봐. 감자를 넣으셔도 좋아요. 두부도 괜찮을 것 같아. 간은 나중에 보세요. "
        "뚜껑은 덮지 않아. 십 분이면 됩니다. 맛있을 거야.",
    ),
    (
        "책 추천해 줘.", "시집부터 읽어 보세요.", "왜?", "짧아서 금방 볼 수 있어.", "또?", "여행기도 재미있습니다.",
        "비싸?", "별로 안 비쌌어. 내가 빌려 줄게.", "고마워.", "천만에요.", "언제 돌려줘?", "아무 때나 돌려주면 돼.",
        "알았어.", "그럼 내일 뵙겠습니다.", "그래.", "조심해서 와야 해.",
    ),
    (
        "여행 이야기를 써 주세요.",
        "아침 일찍 기차를 탔다. 창밖으로 바다가 보였어요. 나는 도시락을 열었다. 김밥이 맛있었습니다. "
        "옆자리 노인이 말을 걸었다. 손자를 보러 간다고 했어요. 우리는 종점에서 내렸다. 바람이 찼습니다.",
    ),
)  # fmt: skip
"""Conversations in which the assistant goes back and forth between 존댓말 and 반말."""

UNREADABLE = (
    '{"messages": [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "반가워."}',
    '["안녕?", "반가워."]', '"그냥 글"', "42", '{"foo": "안녕?", "bar": 1}', '{"messages": "안녕?"}',
    '{"messages": [{"role": "narrator", "content": "안녕?"}]}',
    '{"id": "a", "messages": [{"role": "user", "content": 3}]}',
    "{'messages': []}", '{"text": "안녕?"} {"text": "또 안녕?"}',
)  # fmt: skip
