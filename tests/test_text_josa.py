"""Josa agree with the word as it is read aloud, whatever form the source text had."""

from __future__ import annotations

import pytest

from llmops_cli.text.josa import attach, final_class, substitute
from llmops_cli.text.normalize import nfc

NAMES = {"C001": "민준", "C002": "지우", "C003": "한결", "C1": "서연", "C10": "유나"}


@pytest.mark.parametrize(
    ("word", "final"),
    [
        ("지우", "none"), ("한결", "rieul"), ("민준", "other"), ("값", "other"), ("각", "other"),
        ("3", "other"), ("7", "rieul"), ("2", "none"), ("10", "other"), ("1,000,000,000,000", "none"),
        ("MP3", "none"), ("G7", "other"), ("C001", "rieul"), ("LG", "none"), ("SM", "other"), ("L", "rieul"),
        ("apple", "rieul"), ("shop", "other"), ("test", "none"), ("iPhone", "other"),
        ("ㅋㅋ", "other"), ("‘한결’", "rieul"), ("지우(23)", "none"), ("", "none"),
    ],
)  # fmt: skip
def test_final_class(word: str, final: str) -> None:
    assert final_class(word) == final


@pytest.mark.parametrize(
    "forms",
    [
        "은 는", "이 가", "을 를", "과 와", "으로 로", "아 야",
        "이랑 랑", "이나 나", "이라도 라도", "이라고 라고", "이라면 라면", "이며 며",
        "이든 든", "이여 여", "이었다 였다", "이에요 예요", "이다 다", "으로는 로는",
        "과의 와의", "은커녕 는커녕", "이라는 라는", "으로부터 로부터", "이야말로 야말로",
        "이었습니다 였습니다",
        "이어서 여서",
    ],
)  # fmt: skip
def test_every_pair_in_both_directions(forms: str) -> None:
    consonant, vowel = forms.split()
    for source in (consonant, vowel):
        assert attach("민준", source) == f"민준{consonant}"
        assert attach("지우", source) == f"지우{vowel}"
        assert attach("한결", source) == f"한결{vowel if consonant.startswith('으로') else consonant}"
        for code, name in (("C001", "민준"), ("C002", "지우"), ("C003", "한결")):
            if source == "야":
                continue  # a call or a statement: see below
            assert substitute(f"그때 {code}{source}.", NAMES) == f"그때 {attach(name, source)}."


@pytest.mark.parametrize("josa", ["의", "에게", "도", "만", "부터", "까지", "에게서", "처럼", "입니다", "씨는", "님이"])
def test_what_never_changes(josa: str) -> None:
    assert substitute(f"C001{josa} C002{josa}", NAMES) == f"민준{josa} 지우{josa}"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("C10은 C1은 C100은", "유나는 서연은 C100은"),
        ("ABC001은 C0011은 C001x", "ABC001은 C0011은 C001x"),
        ("C001과 C002과 C003로", "민준과 지우와 한결로"),
        ("C002이는 C002이에게 C001이는", "지우는 지우에게 민준이는"),
        ("C002은(는) C001(이)가 C003(으)로", "지우는 민준이가 한결로"),
        ("C001이야기, C001가족", "민준이야기, 민준가족"),
        ('"C001야!" 나는 C001야. C002이야.', '"민준아!" 나는 민준이야. 지우야.'),
        ("이봐 C001야, C002아,", "이봐 민준아, 지우야,"),
        ("", ""),
    ],
)
def test_substitution(text: str, want: str) -> None:
    assert substitute(text, NAMES) == want


def test_a_name_that_is_another_code_is_not_replaced_again() -> None:
    assert substitute("C001은 C002는", {"C001": "C002", "C002": "지우"}) == "C002는 지우는"


def test_nfc() -> None:
    assert nfc("\u1112\u1161\u11ab") == "한"
