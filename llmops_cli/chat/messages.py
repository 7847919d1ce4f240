"""The words of the conversation's screen, in English and in Korean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from llmops_cli.core.language import Language
from llmops_cli.text.josa import attach


class Text(NamedTuple):
    """One message in both languages. In the Korean one `{name:은}` puts the josa that agrees behind a value."""

    en: str
    ko: str


MESSAGES: Mapping[str, Text] = {
    "model": Text("model: {model}", "모델: {model}"),
    "model.newest": Text("model: {model} (the newest run here)", "모델: {model} (여기서 가장 새로운 run)"),
    "model.builtin": Text("model: {model} (there is no run here)", "모델: {model} (여기에는 run이 없어 내장 모델)"),
    "begun": Text("conversation {id}; /help lists the commands", "대화 {id}번, 명령은 /help"),
    "resumed": Text("conversation {id}: {title} ({turns} turns)", "대화 {id}번: {title} (차례 {turns}개)"),
    "resumed.earlier": Text("({count} earlier turns: /tree)", "(앞의 차례 {count}개: /tree)"),
    "nothing_to_resume": Text(
        "there is no conversation to continue yet; a new one begins", "이어 갈 대화가 아직 없어 새 대화를 시작합니다"
    ),
    "migrated": Text(
        "the conversations are of an older version; a copy was kept: {copy}",
        "대화 파일이 옛 판이라 새 판으로 바꾸고 사본을 남겼습니다: {copy}",
    ),
    "read_only": Text(
        "conversation {id} is open in another window: here it can only be read. `llmops chat` begins another one.",
        "대화 {id:은} 다른 창에서 열려 있어 여기서는 읽기만 됩니다. 새 대화는 `llmops chat`",
    ),
    "you": Text("you", "나"),
    "answer": Text("model", "모델"),
    "status.tokens": Text("{used} of {room} tokens, {left} left", "{room} 토큰 중 {used}, 남음 {left}"),
    "status.tokens_short": Text("{used}/{room}", "{used}/{room}"),
    "status.tokens_open": Text("{used} tokens", "{used} 토큰"),
    "status.too_long": Text("too long", "너무 김"),
    "status.saved": Text("saved", "저장됨"),
    "status.unsaved": Text("NOT SAVED", "저장 안 됨"),
    "status.read_only": Text("read-only", "읽기 전용"),
    "status.leave": Text("Ctrl-C again leaves", "Ctrl-C를 한 번 더 누르면 나갑니다"),
    "unsaved": Text(
        "not saved, tried again with the next turn: {why}", "저장되지 않았습니다. 다음 차례에 다시 시도합니다: {why}"
    ),
    "saved_again": Text("everything is saved again", "밀린 것까지 모두 저장되었습니다"),
    "pasted": Text("[pasted {number}: {characters} characters]", "[붙여넣기 {number}: {characters}자]"),
    "stopped": Text(
        "(stopped; what came is kept. /continue goes on)", "(멈춤. 여기까지는 남아 있습니다. 이어 쓰기 /continue)"
    ),
    "cut": Text("(cut at max_tokens. /continue goes on)", "(max_tokens에서 끊김. 이어 쓰기 /continue)"),
    "gave_up": Text("stopped", "그만두었습니다"),
    "dropped": Text(
        "no longer sent, the context is full: turns {turns} ({count})",
        "컨텍스트가 차서 더는 보내지 않는 차례: {turns} ({count}개)",
    ),
    "degenerate": Text(
        "the answer degenerates: {reasons}. Ctrl-R or r: again",
        "답이 무너졌습니다: {reasons}. 다시 쓰기: Ctrl-R 또는 r",
    ),
    "defect.loops": Text("it goes round in circles", "되풀이"),
    "defect.lost_order": Text("words out of order", "어순이 무너짐"),
    "defect.foreign_script": Text("another script", "다른 글자가 섞임"),
    "defect.cut_off": Text("cut off", "끊김"),
    "defect.debris": Text("debris", "부스러기"),
    "defect.broken_characters": Text("broken characters", "깨진 글자"),
    "defect.empty": Text("empty", "빈 답"),
    "error": Text("error: {problem}", "오류: {problem}"),
    "usage": Text("{usage}: {help}", "{usage}: {help}"),
    "unknown_command": Text("there is no {name}. {near}", "{name:은} 없는 명령입니다. {near}"),
    "nearest": Text("Nearest: {usage}", "비슷한 명령: {usage}"),
    "see_help": Text("/help lists them", "/help에 모두 있습니다"),
    "help.keys": Text(
        "Enter sends, Alt-Enter begins a line, Tab completes, arrows recall, Ctrl-R writes the answer again,\n"
        "Ctrl-C stops an answer or clears the line, Ctrl-D leaves. A turn that begins with / wants a space before it.",
        "Enter 보내기, Alt-Enter 줄 바꿈, Tab 완성, 위아래 화살표 지난 입력, Ctrl-R 답 다시 쓰기,\n"
        "Ctrl-C 답 멈추기·줄 지우기, Ctrl-D 나가기. /로 시작하는 글은 앞에 빈칸을 하나 두세요.",
    ),
    "nothing_yet": Text("nothing has been said yet", "아직 오간 말이 없습니다"),
    "at_beginning": Text("at the beginning", "대화의 처음입니다"),
    "standing": Text("at turn {turn}: {text}", "차례 {turn}: {text}"),
    "edited": Text("kept as turn {turn}", "차례 {turn:으로} 남겼습니다"),
    "edited_answer": Text(
        "kept as turn {turn}; /continue goes on from it", "차례 {turn:으로} 남겼습니다. 이어 쓰기 /continue"
    ),
    "unchanged": Text("left as it was", "그대로 두었습니다"),
    "branched": Text("branch {name} begins here", "여기서 갈래 {name:이} 시작됩니다"),
    "retitled": Text("title: {title}", "제목: {title}"),
    "value": Text("{key}: {value}", "{key}: {value}"),
    "changed": Text("{key}: {old} -> {new}", "{key}: {old} -> {new}"),
    "none": Text("(none)", "(없음)"),
    "named": Text("{code} is {name}", "{code:은} {name}"),
    "state.system": Text("system prompt", "시스템 프롬프트"),
    "state.memory": Text("memory, at the beginning of the context", "메모리(컨텍스트 맨 앞)"),
    "state.note": Text("note, near the end of the context", "작가 노트(컨텍스트 끝 가까이)"),
    "state.template": Text("template", "템플릿"),
    "cleared": Text("{key} is empty", "{key:을} 비웠습니다"),
    "rated.good": Text("kept as good", "좋은 답으로 남겼습니다"),
    "rated.bad": Text("kept as bad", "나쁜 답으로 남겼습니다"),
    "traced.turn": Text("turn", "차례"),
    "traced.model": Text("model", "모델"),
    "traced.adapter": Text("adapter", "어댑터"),
    "traced.run": Text("run", "run"),
    "traced.engine": Text("engine", "엔진"),
    "traced.template": Text("template", "템플릿"),
    "traced.seed": Text("seed", "씨앗"),
    "traced.settings": Text("settings", "설정"),
    "traced.prompt_tokens": Text("tokens sent", "보낸 토큰"),
    "traced.tokens": Text("tokens written", "쓴 토큰"),
    "traced.finish_reason": Text("ended by", "끝난 까닭"),
    "traced.first_token": Text("seconds to the first token", "첫 토큰까지 (초)"),
    "traced.seconds": Text("seconds", "걸린 시간 (초)"),
    "traced.edited": Text("edited by you", "손으로 고침"),
    "traced.continues": Text("goes on from turn", "이어 쓴 차례"),
    "traced.dropped": Text("turns not sent", "보내지 않은 차례"),
    "traced.sent": Text("turns sent", "보낸 차례의 수"),
    "traced.turns": Text("turns", "차례"),
    "traced.here": Text("turns up to here", "여기까지의 차례"),
    "traced.branches": Text("branches", "갈래"),
    "traced.answers": Text("answers", "답"),
    "traced.characters": Text("characters up to here", "여기까지의 글자"),
    "traced.tokens_per_second": Text("tokens a second", "초당 토큰"),
    "yes": Text("yes", "예"),
    "ab.first": Text("--- 1 ---", "--- 1 ---"),
    "ab.second": Text("--- 2 ---", "--- 2 ---"),
    "ab.choose": Text("better: 1, 2 or = ", "더 나은 것: 1, 2, = "),
    "ab.what": Text(
        "1, 2 or =, and a word of why if you like; Ctrl-D: neither",
        "1, 2, = 가운데 하나, 뒤에 까닭을 적어도 됩니다. Ctrl-D: 고르지 않음",
    ),
    "ab.was": Text("1 was {first}, 2 was {second}; kept: {kept}", "1: {first}, 2: {second}. 고른 것: {kept}"),
    "ab.as_set": Text("as set", "지금 설정"),
    "ab.none": Text("nothing was chosen; the first one stands", "고르지 않았습니다. 첫째 답에 서 있습니다"),
    "found.none": Text("nothing holds all of: {words}", "찾는 말이 든 차례가 없습니다: {words}"),
    "list.turns": Text("{turns} turns", "차례 {turns}개"),
    "list.resume": Text("llmops chat --resume ID opens one", "여는 법: llmops chat --resume 번호"),
    "exported": Text("written: {path}", "썼습니다: {path}"),
    "bye": Text("kept. llmops chat --resume {id} goes on", "저장했습니다. 이어 쓰기: llmops chat --resume {id}"),
}


class _Josa(str):
    """A value behind which a josa can stand: `{name:을}`."""

    def __format__(self, josa: str) -> str:
        return attach(str(self), josa) if josa else str(self)


class Words:
    """The messages in one language: `words("named", code="C001", name="지우")`."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: Any) -> str:
        return self.of(MESSAGES[key]).format(**{name: _Josa(value) for name, value in values.items()})

    def of(self, text: Text) -> str:
        """A text of both languages in this one."""
        return text.ko if self.language == "ko" else text.en
