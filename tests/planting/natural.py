"""Good records of every kind, many of them easily mistaken for bad ones."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

from .corpus import TITLE, chat, narrate, work
from .talk import CASUAL, POLITE, Topic, exchange, templates
from .words import NAMES, NARRATION, attach, fill, vocabulary

TRAIN, HELD_OUT = "train", "heldout.jsonl"
"""The data to train on, a folder, and the records that it must not repeat."""

Row = dict[str, Any]

LOOKALIKES = """
고객센터 번호 좀 알려 주세요.|대표번호 1588-0000으로 전화하시면 상담원이 바로 받습니다.
행사가 언제예요?|2026-09-30 14:30에 시작해서 2026-10-01까지 이어져요.
주문이 잘 들어갔나요?|네, 주문번호는 20260930-00123이고 내일 출고됩니다.
원주율을 열 자리까지 알려 주세요.|3.1415926535입니다. 보통은 3.14까지만 써도 충분해요.
공유기 설정은 어디서 해요?|주소창에 192.168.0.1을 넣으면 설정 화면이 열려요.
성인은 하루에 물을 얼마나 마셔야 하나요?|일반적으로 1500밀리리터쯤이고, 체중을 기준으로 30을 곱하면 됩니다.
국가는 왜 통계를 만드나요?|정책을 세우는 전문가가 기댈 근거가 필요하기 때문입니다. 없는 숫자는 지어낼 수 없으니까요.
도하는 어느 나라에 있어요?|카타르의 수도예요. 도하가 바다를 끼고 있어서 야경이 아름답습니다.
이번 장사는 수지가 맞았나요?|아니요, 수지는 안 맞았지만 단골이 생겼어요.
민준이가 누구예요?|민준은 제 동생이고, 민준이와 지우는 같은 반이에요.
MP3는 어떻게 넣어요?|LG가 만든 프로그램을 쓰셔도 되고, 3은 빼고 7은 남기시면 됩니다.
삼국지를 쓴 사람이 누구인가요?|정사 삼국지(三國志)는 진수(陳壽)가 썼고, 소설은 나관중이 썼습니다.
'고맙다'를 일본어로 어떻게 말해요?|'아리가토(ありがとう)'라고 합니다. 정중하게는 '고자이마스'를 붙여요.
'오늘 비가 와요'를 영어로 옮겨 주세요.|It is raining today.
파이썬으로 인사하는 코드를 짜 주세요.|아래처럼 쓰세요.\\n```python\\nname = "지우"\\nprint(f"안녕, {name}")\\n```
러시아어 글자 하나만 보여 주세요.|꽃잎처럼 생긴 '제(Ж)'가 있어요. 소리는 '쥐'에 가깝습니다.
가족 사진 올렸어! 👨‍👩‍👧|와 다들 웃는 얼굴이네 ❤️ 👍🏽
오늘 회식 취소래 ㅋㅋㅋㅋㅋㅋㅋㅋ|ㅋㅋㅋㅋㅋ 살았다 ㅠㅠㅠㅠ 집에 가자 ㄱㄱ
지각했어 OTL|ㅡㅡ 또야? ㅇㅋ 내가 말해 둘게 ^^;
글자 순서를 모르겠어요.|ㄱ, ㄴ, ㄷ, ㄹ 순서로 외우고 ㅏ, ㅑ, ㅓ, ㅕ로 이어 가세요.
아리랑 첫 구절이 뭐죠?|"아리랑 아리랑 아라리요 아리랑 고개로 넘어간다"입니다.
산타는 어떻게 웃어?|허허허허 하고 웃지. 북은 둥둥둥둥 울리고!
얼마나 좋아?|정말 정말 정말 좋아. 두 번 세 번 말해도 모자라.
여행 준비물 목록을 만들어 주세요.|1. 여권\\n2. 충전기\\n3. 상비약\\n4. 갈아입을 옷\\n5. 세면도구
세 후보를 표로 비교해 주세요.|| 후보 | 값 | 무게 |\\n|---|---|---|\\n| 가 | 3만 원 | 1.2㎏ |\\n| 나 | 5만 원 | 0.9㎏ |
이 사업의 시발점이 어디인가요?|시발역인 서울역 앞 작은 창고가 시작이었습니다.
새끼손가락을 다쳤어요.|얼음으로 식히고 부으면 병원에 가 보세요. 새끼 고양이처럼 얌전히 쉬셔야 해요.
밤새 자지 못했어요.|자지 않고 버티면 더 힘들어요. 오늘은 휴대폰을 보지 말고 누우세요.
어제 코미디 공연 어땠어?|미친 듯이 웃어서 배가 찢어지는 줄 알았어. 배고파 죽을 뻔하기도 했고.
병신년에는 무슨 일이 있었나요?|1896년 병신년의 큰일로는 아관파천이 있어요. 붉은 원숭이의 해였습니다.
마지막에 뭐라고 했어요?|그는 "난 이제 간다. 잘 있어라." 하고 문을 닫았어요.
와이파이가 안 잡혀요.|Wi-Fi를 껐다 켜시고, https://www.example.com 이 열리는지 봐 주세요.
비타민 C는 언제 먹어요?|식후에 드세요. C타입 충전기 옆에 두면 잊지 않으실 거예요.
방 넓이가 얼마나 되나요?|33㎡이고 천장은 2½미터예요. ㈜한빛에서 지었습니다.
각도를 왜 θ로 쓰나요?|관습입니다. α와 β도 자주 쓰고 반지름은 r로 적어요.
'카페'는 어느 나라 말이에요?|프랑스어 café에서 왔어요. naïve나 São Paulo처럼 부호가 붙습니다.
할 말 있어?|아니……. 그냥…… 보고 싶어서.
내일까지 부탁드려요.|네, 알겠습니다. 바로 처리해 드릴게요.
자료를 다시 보내 주시겠어요?|네, 알겠습니다. 바로 처리해 드릴게요.
이 소설의 갈래가 뭔가요?|『운수 좋은 날』은 사실주의 단편입니다. ‘설렁탕’이 반복되는 상징이에요.
3월 1일이 무슨 날인가요?|1919년 독립 만세를 외친 날을 기리는 삼일절입니다. 010년 같은 표기는 쓰지 않아요.
비밀번호는 몇 자리로 해요?|열두 자리 이상으로 하시고 생일이나 1234 같은 숫자는 피하세요.
계좌 개설하려면 뭐가 필요해요?|신분증과 도장이면 됩니다. 국민은행은 9시부터 16시까지 열어요.
여권 사진 규격이 어떻게 되나요?|가로 3.5센티미터, 세로 4.5센티미터이고 여섯 달 안에 찍은 것이어야 합니다.
"""
"""Question and answer by line. Numbers that are nobody's, words that hold a bad one, other scripts with a reason."""


def clean(folder: Path, seed: int) -> int:
    """Write records in which nothing is wrong: jsonl, csv and raw json in `folder/train`, and `folder/heldout.jsonl`.

    Returns:
        How many records to train on there are at least; a raw work gives several.
    """
    rng = random.Random(seed)
    chats = [*lookalikes(), *(chat_row(f"chat-{number}", rng) for number in range(150))]
    stories = [story_row(f"story-{number}", rng) for number in range(90)]
    answers = _answers(rng)
    write_lines(folder / TRAIN / "chats.jsonl", chats)
    write_lines(folder / TRAIN / "stories.jsonl", stories)
    with (folder / TRAIN / "answers.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("질문", "답변"), *answers])
    documents = [chat(rng) for _ in range(15)] + [work(rng, 1_500, (5, 8)) for _ in range(8)]
    for number, (home, document) in enumerate(documents):
        path = folder / TRAIN / home / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"id": f"raw-{number}", **document}, ensure_ascii=False), encoding="utf-8")
    write_lines(folder / HELD_OUT, [chat_row(f"held-out-{number}", rng) for number in range(30)])
    return len(chats) + len(stories) + len(answers) + len(documents)


def write_lines(path: Path, rows: list[Row]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def conversation(identity: str, *turns: str) -> Row:
    """A row whose turns are the user's and the assistant's in turn."""
    roles = ("user", "assistant")
    return {
        "id": identity,
        "messages": [{"role": roles[index % 2], "content": turn} for index, turn in enumerate(turns)],
    }


def chat_row(identity: str, rng: random.Random, topics: tuple[Topic, ...] = ()) -> Row:
    """A conversation of three exchanges in one register, of the given topics or of any."""
    chosen = rng.sample(topics or rng.choice((CASUAL, POLITE)), 3)
    words = vocabulary(rng, templates(chosen), {"name": NAMES}, 1)
    return conversation(identity, *(turn for topic in chosen for turn in exchange(topic, words, rng)))


def story_row(identity: str, rng: random.Random) -> Row:
    """A request for a scene, and a scene of five to nine sentences."""
    cast = rng.sample(NAMES, 3)
    words = vocabulary(rng, [*NARRATION, TITLE, "{genre}"], {"name": cast}, 0.5)
    people = f"{attach(cast[0], '과와')} {attach(cast[1], '이가')} 나와야 해요."
    wish = f"‘{fill(TITLE, words, rng)}’ 이야기의 한 장면을 써 주세요. 갈래는 {fill('{genre}', words, rng)}, {people}"
    return conversation(identity, wish, narrate(rng, words, rng.randint(5, 9)))


def lookalikes() -> list[Row]:
    """The rows of LOOKALIKES, one of them with a system message."""
    rows = []
    for number, line in enumerate(LOOKALIKES.strip().splitlines()):
        question, _, answer = line.replace("\\n", "\n").partition("|")
        rows.append(conversation(f"lookalike-{number}", question, answer))
    rows[0]["messages"].insert(0, {"role": "system", "content": "너는 친절한 상담원이다. 존댓말로 답한다."})
    return rows


def _answers(rng: random.Random) -> list[tuple[str, str]]:
    """Questions with every answer once, some with a comma, a quote or a line end in them."""
    words = vocabulary(rng, templates(POLITE), {"name": NAMES}, 1)
    pairs = [
        (fill(rng.choice(topic.openings), words, rng), fill(answer, words, rng))
        for topic in POLITE
        for answer in topic.answers
    ]
    pairs[3] = (pairs[3][0], pairs[3][1] + '\n참고로, "직접" 보시는 게 좋아요.')
    return pairs
