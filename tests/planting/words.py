"""Words and sentence frames of made-up Korean: who, where, what, and the josa that agrees."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

_WORDS = {
    "name": """
        민준|서연|지우|하은|도현|수빈|지호|유나|현우|서아|준혁|예나|태호|은영|시우|미나|재원|다솔|상혁|수지|동욱|
        은비|영호|혜진|정민|도하|순덕|진우|민서|지훈|한별|예준|영철|재희|서준|은솔|미숙|지원""",
    "time": """
        그날 밤|이튿날 아침|새벽 무렵|해가 질 즈음|장마가 끝난 오후|첫눈이 오던 날|보름달이 뜬 밤|시장이 파할 무렵|
        점심시간이 지나고|막차가 떠난 뒤|열흘쯤 지나서|한 달 만에|봄이 끝날 때|겨울의 문턱에서|안개가 걷히자|
        비가 그치자|종이 세 번 울리자|불이 꺼진 다음|모두가 잠든 사이|동이 트기 전에|가을걷이가 한창일 때|
        아무 예고도 없이|그로부터 이 년 뒤|설을 앞두고|졸업식 전날|태풍이 지나간 저녁|라디오에서 자정을 알릴 때|
        편지를 받은 다음 날|마지막 수업이 끝나고|기차가 들어올 무렵|소나기가 퍼붓는 동안|잔치가 무르익자|
        열이 내린 뒤에야|사흘을 굶은 끝에|오래 망설인 끝에|문득|결국|이상하게도|그제야|얼마 뒤|다시 한번|천천히|
        말없이|서둘러|뜻밖에도|어쩔 수 없이|습관처럼|마침내|조심조심""",
    "place": """
        골목 끝|낡은 정거장|우물가|다락방|방앗간 앞|등대 아래|강나루|시장통|빈 교실|옥상|지하 창고|산기슭|성벽 위|
        대숲 가운데|포구|약방 마루|기찻길 옆|도서관 구석|병원 복도|양조장|얼어붙은 호수|목화밭|화물선 갑판|온실|
        극장 뒷문|이발소 의자|탑 꼭대기|버려진 놀이터|하숙집 마당|염전|굴다리 밑|수문 제어실|천문대|국밥집 구석|
        항구의 창고|여관 이 층|장터|절 마당|선착장|우체국 앞|공중전화 부스|오두막|폐광 입구|관측소|궁궐 담장 아래|
        빨래터|부엌|사진관|헌책방|고물상|학교 운동장|언덕길|다리 한가운데|식당 뒷방|비닐하우스|저수지 둑|경로당|
        연습실|편집실|기상대|돌담길|과수원|빵집 앞""",
    "adj": """
        낡은|젖은|이름 없는|차가운|반쯤 타 버린|손때 묻은|먼지 쌓인|금이 간|묵직한|가느다란|눈부신|희미한|텅 빈|
        부서진|녹슨|작은|커다란|오래된|갓 구운|찢어진|빛바랜|수상한|값비싼|보잘것없는|향기로운|뒤틀린|따뜻한|낯선|
        익숙한|어두운|조그만|누군가 두고 간|아버지가 남긴|어머니가 아끼던|바닷물에 절은|아무도 찾지 않는|
        한 번도 쓰지 않은|밤새 만든|거꾸로 걸린|이끼 낀|서리 앉은|말라붙은|매끄러운|까맣게 그을린|붉은|푸르스름한|
        얇은|두툼한|흔해 빠진|주인 잃은|반짝이는|삐걱거리는|흠집투성이의|숨겨 둔|선물로 받은|빌려 온|절반만 남은|
        쓸모없는|귀한|우스꽝스러운""",
    "thing": """
        편지|열쇠|사진|우산|등불|책|지도|시계|가방|거울|노트|동전|칼|바구니|목도리|단추|상자|의자|그림|반지|피리|
        접시|항아리|수첩|모자|장갑|나침반|인형|안경|약병|밧줄|망치|톱니바퀴|표지판|우편물|저울|촛대|화분|씨앗|깃발|
        악보|북|바늘|외투|장화|도시락|찻잔|병풍|벼루|붓|부채|가면|보자기|돌멩이|조개껍데기|나룻배|수레|그물|연|팽이|
        필름|녹음기|전보|영수증|명찰|성냥갑|비누|빗자루|사다리|물레|맷돌|다리미|주전자|냄비|뚜껑|베개|이불|커튼|
        문고리|자물쇠|창틀|기둥|벽지|장부|도장|봉투|신문|포스터|초대장|탑승권|목걸이|귀걸이|손수건|지팡이|깃털|
        유리구슬|호루라기|단소|가위|실타래|재봉틀""",
    "vt": """
        바라보:바라봤|집어 들:집어 들었|내려놓:내려놓았|감싸 쥐:감싸 쥐었|뒤지:뒤졌|쓰다듬:쓰다듬었|밀어내:밀어냈|
        끌어당기:끌어당겼|훔쳐보:훔쳐봤|접어 두:접어 두었|펼치:펼쳤|건네:건넸|받아 들:받아 들었|숨기:숨겼|꺼내:꺼냈|
        닦:닦았|고치:고쳤|두드리:두드렸|던지:던졌|붙잡:붙잡았|놓치:놓쳤|찾아내:찾아냈|잃어버리:잃어버렸|
        떠올리:떠올렸|의심하:의심했|지키:지켰|외면하:외면했|기다리:기다렸|돌려주:돌려주었|묶:묶었|태우:태웠|
        적시:적셨|옮기:옮겼|찢:찢었|나누:나누었|훑어보:훑어보았|가리키:가리켰|흔들:흔들었|껴안:껴안았|살피:살폈|
        뒤집:뒤집었|감추:감췄|주워 오:주워 왔|밟:밟았|빼앗:빼앗았|사들이:사들였|팔아 치우:팔아 치웠|
        갖다 놓:갖다 놓았|끼워 맞추:끼워 맞췄|비틀:비틀었|헹구:헹궜|말리:말렸|포개:포갰|쌓아 올리:쌓아 올렸|
        부수:부쉈|걷어차:걷어찼|움켜쥐:움켜쥐었|내밀:내밀었|거두:거두었|매만지:매만졌""",
    "vi": """
        걷:걸었|멈춰 서:멈춰 섰|돌아서:돌아섰|주저앉:주저앉았|웃:웃었|울:울었|떨:떨었|달리:달렸|숨:숨었|잠들:잠들었|
        깨어나:깨어났|망설이:망설였|서성이:서성였|고개를 끄덕이:고개를 끄덕였|한숨을 쉬:한숨을 쉬었|
        눈을 감:눈을 감았|귀를 기울이:귀를 기울였|입을 다물:입을 다물었|어깨를 움츠리:어깨를 움츠렸|
        걸음을 재촉하:걸음을 재촉했|숨을 죽이:숨을 죽였|중얼거리:중얼거렸|돌아오:돌아왔|떠나:떠났|넘어지:넘어졌|
        일어서:일어섰|물러나:물러났|콧노래를 부르:콧노래를 불렀|허리를 펴:허리를 폈|하늘을 올려다보:하늘을 올려다봤|
        이마를 짚:이마를 짚었|눈을 비비:눈을 비볐|손을 씻:손을 씻었|머리를 긁적이:머리를 긁적였|버티:버텼|
        엎드리:엎드렸|기침하:기침했|하품하:하품했|입술을 깨물:입술을 깨물었|기도하:기도했""",
    "nature": """
        바람|빗줄기|안개|노을|달빛|눈발|파도 소리|매미 소리|종소리|탄내|꽃향기|먼지|그림자|메아리|침묵|온기|
        물비린내|귀뚜라미 소리|흙냄새|저녁연기|별빛|서릿발|기적 소리|북소리|아이들 웃음소리|발소리|물안개|햇살|어둠|
        찬 공기""",
    "turned": """
        스며들었|멀어졌|번졌|잦아들었|다가왔|흩어졌|내려앉았|맴돌았|사라졌|가득했|일렁였|밀려왔|끊어졌|짙어졌|
        옅어졌|흘러들었|되살아났|감돌았|쏟아졌|기울었|깔렸|가라앉았""",
    "idea": """
        약속|비밀|소문|후회|거짓말|용서|외로움|의심|유언|빚|꿈|자존심|이별|첫사랑|복수|운명|기억|오해|고향|죄책감|
        희망|두려움|질투|상처|우정|핑계|진심|예감|욕심|그리움|책임|평화|변명|자유|배신|인연""",
    "role": """
        우체부|등대지기|이발사|약사|선장|기관사|대장장이|화가|사서|의사|요리사|무용수|재봉사|측량사|마술사|농부|
        어부|형사|교사|악사|번역가|간호사|양조장 주인|하숙집 할머니|전학생|도둑|통신병|광부|소리꾼|궁녀|사진사|수위|
        양치기|제빵사""",
    "say": """
        물었|대답했|속삭였|되물었|소리쳤|말끝을 흐렸|덧붙였|쏘아붙였|타일렀|털어놓았|거들었|얼버무렸|못을 박았|
        말을 돌렸|투덜거렸|혼잣말을 했|외쳤|웅얼거렸|잘라 말했|다독였""",
    "genre": "판타지|드라마|미스터리|로맨스|역사|코미디|스릴러|성장|과학소설|가족|모험|괴담",
    "food": """
        김치찌개|된장찌개|떡볶이|칼국수|비빔밥|삼겹살|냉면|만두|우동|초밥|카레|샌드위치|닭갈비|순두부|부대찌개|김밥|
        짜장면|파스타|쌀국수|감자탕|제육볶음|잔치국수|오므라이스|해물파전|콩나물국밥""",
    "spot": """
        도서관|시장|한강 공원|영화관|미술관|서점|수영장|카페|빵집|헬스장|역 앞|학교|회사 옥상|동네 놀이터|분식집|
        세탁소|박물관|꽃집|문구점|편의점|버스 정류장|식물원|볼링장|노래방|반찬 가게""",
    "day": "오늘|내일|모레|이번 주말|토요일|일요일|다음 주|월요일|금요일|연휴|개학 전날|월말",
    "hour": "한 시|두 시|세 시|네 시|다섯 시|여섯 시|일곱 시|여덟 시|열 시|열한 시",
    "count": "두|세|네|다섯|여섯|일곱|열|열두",
    "hobby": """
        등산|수영|사진|뜨개질|기타|요가|달리기|그림|낚시|바둑|베이킹|캘리그래피|자전거|텃밭|십자수|배드민턴|
        클라이밍|영어 회화""",
    "stuff": """
        우산|충전기|이어폰|노트북|텀블러|운동화|여권|지갑|화분|커튼|냉장고|선풍기|책장|자전거|카메라|안경|겨울 코트|
        의자|프린터|가습기|무선 마우스|접이식 탁자|물병|담요|전기장판""",
}  # fmt: skip

NARRATION = """{time} {name:은는} {place}에서 {adj} {thing:을를} {vt.past}다.
{name:이가} {vt}고 있던 {thing:은는} {role:이가} 맡긴 것이었다.
{place}에 {nature:이가} {turned}고 {name:은는} {vi.past}다.
“{idea} 때문이야.” {name:이가} {adj} {thing:을를} {vt}다가 {say}다.
{adj} {thing:과와} {adj} {thing:이가} {place}에 나란히 놓여 있었다.
{time} {role:이가} {place:을를} 지나며 {thing:을를} {vt.past}다.
{name:은는} {idea:이가} 무엇인지 몰라 {vi.past}다.
{nature:이가} {turned}지만 {name:은는} {vt}기 시작한 {thing:을를} 놓지 않았다.
“누가 {thing:을를} {place}에 두었지?” {role:이가} {say}다.
{name:과와} {name:은는} {time} {place}에서 마주쳤으나 서로 {vi}지 않았다.
{idea:은는} {thing}보다 무거웠고 {nature}처럼 오래 남았다.
{name}에게 {thing:은는} {idea:이나나} 다름없었다.
{time} {place:으로로} 가는 길에 {nature:이가} {turned}다.
{role:은는} {name:을를} 보자마자 {vi.past}고, {adj} {thing}만 남았다.
“{name:아야}, {thing:은는} 잊어.” {role:이가} {vi}고 나서 {say}다.
{place}의 {adj} {thing:을를} {vt}던 손이 멈췄다.
{name}의 {idea:은는} {place}에서 시작되었다.
{thing} 하나로 {idea:을를} 갚을 수는 없다고 {name:은는} 생각했다.
{name:이가} 어디서 {vi.past}는지 {role}도 알지 못했다.
{adj} {thing:을를} {vt.past}을 때 {nature:이가} {turned}다.
{time} {name:은는} {vi}다가 {role}의 {thing:을를} {vt.past}다.
“{idea:이라는라는} 건 {place}에도 없어.” {name}의 목소리가 {nature} 속으로 {turned}다.
{role:과와} {role:이가} {thing:을를} 두고 다투는 동안 {name:은는} {vi.past}다.
{place:은는} {adj} 냄새로 가득했고, 거기서 {name:은는} {idea:을를} 배웠다.
{thing:을를} {vt}지 않았더라면 {name}도 {place:을를} 떠났을 것이다.
{name:은는} {thing} {count} 개를 {place}에 {vt.past}는데, {time} 하나가 비었다.""".splitlines()

_SLOT = re.compile(r"{(\w+(?:\.\w+)?)(?::([가-힣]+))?}")
_DIGIT_FINAL = {"0": 21, "1": 8, "3": 16, "6": 1, "7": 8, "8": 8}  # 영 일 삼 육 칠 팔
Part = str | tuple[str, str]
Vocabulary = dict[tuple[str, str], list[str]]


def attach(word: str, pair: str) -> str:
    """`word` with the josa of `pair` that agrees with it; digits are read in Sino-Korean.

    A pair is what follows a final consonant, then what follows a vowel: `은는 이가 으로로 이나나 이라는라는`.
    """
    middle = (len(pair) + 1) // 2
    last = word[-1]
    final = _DIGIT_FINAL.get(last, 0) if last.isdigit() else (ord(last) - 0xAC00) % 28
    return word + (pair[:middle] if final and not (pair == "으로로" and final == 8) else pair[middle:])


@cache
def parts(template: str) -> tuple[Part, ...]:
    """A template cut at its slots: literal texts and (slot, josa pair)."""
    found: list[Part] = []
    at = 0
    for match in _SLOT.finditer(template):
        found += [template[at : match.start()], (match[1], match[2] or "")]
        at = match.end()
    return (*found, template[at:])


def words_of(slot: str) -> list[str]:
    """The words of a slot; verbs have a stem (`vt`) and a past stem (`vt.past`)."""
    name, _, form = slot.partition(".")
    words = [word.strip() for word in _WORDS[name].split("|")]
    return [word.split(":")[-1] if form else word.split(":")[0] for word in words]


def vocabulary(
    rng: random.Random, templates: Iterable[str], given: Mapping[str, Sequence[str]], share: float
) -> Vocabulary:
    """Words of every slot of `templates` with their josa: those of `given`, and of the others a random `share`."""
    chosen = {slot: rng.sample(range(len(words)), max(4, int(share * len(words)))) for slot, words in _all().items()}
    found: Vocabulary = {}
    for template in templates:
        for part in parts(template):
            if isinstance(part, tuple) and part not in found:
                name = part[0].partition(".")[0]
                if name in given:
                    found[part] = [attach(word, part[1]) if part[1] else word for word in given[name]]
                else:
                    forms = _forms(*part)
                    found[part] = [forms[index] for index in chosen[name]]
    return found


NAMES = tuple(words_of("name"))


@cache
def _all() -> dict[str, list[str]]:
    return {slot: words_of(slot) for slot in _WORDS}


@cache
def _forms(slot: str, pair: str) -> list[str]:
    return [attach(word, pair) if pair else word for word in words_of(slot)]


def fill(template: str, words: Vocabulary, rng: random.Random) -> str:
    """The template with a random word in every slot."""
    random_number = rng.random
    return "".join(
        [
            part if isinstance(part, str) else (found := words[part])[int(random_number() * len(found))]
            for part in parts(template)
        ]
    )
