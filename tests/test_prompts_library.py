"""Prompt templates: those shipped are sound, those of a user are checked, and what a body may do is limited."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from workbench import Cli

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.prompts.library import SHIPPED, find_template, template_paths
from llmops_cli.prompts.prompt_template import PromptTemplate, load_template
from llmops_cli.prompts.trials import failures
from llmops_cli.text.scripts import hangul_share

NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
WANTED = {"romance", "science-fiction", "mystery", "historical", "fantasy", "fairy-tale", "scene", "dialogue"} | {
    *("restyling", "viewpoint", "polishing", "continuing", "title", "synopsis", "daily-talk")
}
ABOUT = {"ko": "값", "en": "a value"}
LETTER: dict[str, Any] = {
    "version": 3,
    "about": {"ko": "편지", "en": "a letter"},
    "variables": {
        "text": {"about": {"ko": "쓸 말", "en": "what to say"}},
        "name": {"about": {"ko": "받는 사람", "en": "who gets it"}},
        "gifts": {"type": "list", "about": ABOUT, "default": []},
        "length": {"type": "integer", "about": ABOUT, "min": 50, "max": 900, "default": 200},
        "speech": {"type": "choice", "about": ABOUT, "choices": ["반말", "존댓말"], "default": "반말"},
    },
    "system": "{{ speech | josa('으로/로') }} 씁니다.",
    "prompt": "{{ name | josa('을/를') }} 생각하며 {{ length }}자로: {{ text }}"
    "{% if gifts %} 선물 {{ gifts }}{% endif %}",
    "generation": {"temperature": 0.7, "top_k": 40},
    "tests": [{"values": {"text": "안녕", "name": "하은"}, "contains": ["하은을"]}],
}


def letter(**changes: Any) -> dict[str, Any]:
    """The letter with other top-level keys; `variables` are added to its own."""
    added = changes.pop("variables", {})
    return LETTER | changes | {"variables": LETTER["variables"] | added}


def write(values: dict[str, Any], name: str = "letter") -> Path:
    path = Path("prompts") / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def refusal(values: dict[str, Any]) -> str:
    """Why a template is not taken."""
    with pytest.raises(InputError) as caught:
        load_template(write(values))
    return str(caught.value)


def rendered(body: str, **values: Any) -> str:
    """A prompt body with values of the letter's variables."""
    template = load_template(write(letter(prompt=body + "{{ text | first }}{{ name | first }}{{ length }}")))
    return template.render({"text": "가", "name": "나", **values}).prompt.removesuffix("가나200")


@pytest.fixture(params=NAMES)
def shipped(request: pytest.FixtureRequest) -> PromptTemplate:
    return find_template(request.param)


def test_there_is_a_template_for_every_kind_of_writing() -> None:
    assert set(NAMES) >= WANTED


def test_a_shipped_template_passes_its_tests_with_settings_that_are_valid(shipped: PromptTemplate) -> None:
    assert failures(shipped) == []
    settings = shipped.settings(GenerationConfig)
    assert {"temperature", "min_p", "dry_multiplier", "repetition_penalty"} <= settings.model_fields_set
    assert any("#" in line for line in shipped.path.read_text(encoding="utf-8").splitlines()[1:]), "settings need a why"


def test_a_shipped_template_renders_clean_korean(shipped: PromptTemplate) -> None:
    for trial in shipped.config.tests:
        for turn in shipped.render({"text": "비가 온다.", **trial.values}).messages:
            text = turn["content"]
            for value in trial.values.values():
                text = text.replace(str(value), "값")
            assert unicodedata.is_normalized("NFC", text)
            assert not re.search(r"\{[{%#]|[}%#]\}|\n\n\n|  | \n|을\(를\)|은\(는\)", text), text
            assert hangul_share(text) > 0.9, text
    assert 0 < len(shipped.render(shipped.config.tests[0].values).system) < 300, "a small model heeds little"


def test_a_shipped_template_names_its_schema_and_passes_it(shipped: PromptTemplate, cli: Cli) -> None:
    first = shipped.path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../../configs/schema/prompt.json"
    answer = cli("config", "check", shipped.path, "--json")
    assert (answer.code, answer.json()["job"]) == (0, "prompt")


def test_josa_and_lists_and_conditions() -> None:
    found = load_template(write(LETTER)).render(
        {"text": "보고 싶다", "name": "지우", "gifts": ["책", "감"], "speech": "존댓말"}
    )
    assert (found.system, found.prompt) == ("존댓말로 씁니다.", "지우를 생각하며 200자로: 보고 싶다 선물 책, 감")
    assert rendered("{% for gift in gifts %}{{ loop.index }}.{{ gift }}{% endfor %}", gifts=["책", "감"]) == "1.책2.감"
    assert rendered("{{ gifts | join('·') | josa('이/가') }}", gifts=["책", "감"]) == "책·감이"


def test_values_are_never_taken_for_template_language() -> None:
    assert (
        "{{ name }}{% for %}"
        in load_template(write(LETTER)).render({"text": "{{ name }}{% for %}", "name": "나"}).prompt
    )


def test_texts_are_read_as_the_type_of_their_variable() -> None:
    values = {"text": "가", "name": "나", "gifts": "책, 감、배", "length": " 300 "}
    assert load_template(write(LETTER)).render(values).prompt == "나를 생각하며 300자로: 가 선물 책, 감, 배"


def test_everything_is_nfc() -> None:
    path = write(
        letter(prompt=unicodedata.normalize("NFD", "편지: {{ text }}{{ name }}{{ length }}{{ gifts }}")), "편지"
    )
    path.rename(path.with_stem(unicodedata.normalize("NFD", "편지")))
    found = find_template("편지")
    assert found.name == "편지"
    given = {
        unicodedata.normalize("NFD", key): unicodedata.normalize("NFD", text)
        for key, text in (("text", "글"), ("name", "은"))
    }
    assert found.render(given).prompt == "편지: 글은200"


def test_a_variable_may_have_a_korean_name() -> None:
    template = load_template(
        write(letter(system="{{ 갈래 }}{{ speech }}", tests=[], variables={"갈래": {"about": ABOUT}}))
    )
    assert template.render({"text": "가", "name": "나", "갈래": "동화"}).system == "동화반말"


def test_every_wrong_value_is_told_at_once_with_what_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"nmae": "지우", "length": "많이", "speech": "존댓멀", "gifts": 3}
    with pytest.raises(InputError) as caught:
        load_template(write(LETTER)).render(wrong)
    assert [str(problem) for problem in caught.value.problems] == [
        "letter: text: is missing, want a text (what to say) -> text=…",
        "letter: name: is missing, want a text (who gets it) -> name=…",
        "letter: gifts: got 3, want a list of texts (a value) -> gifts=…",
        "letter: length: got '많이', want an integer from 50 to 900 (a value) -> length=…",
        "letter: speech: got '존댓멀', want one of 반말, 존댓말 (a value) -> did you mean '존댓말'?",
        "letter: unknown value 'nmae' -> did you mean 'name'?",
    ]
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    with pytest.raises(InputError, match="받는 사람"):
        load_template(write(LETTER)).render({"text": "가"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("name", "  ", "is empty"),
        ("name", ["가", "나"], "got ['가', '나'], want a text"),
        ("text", "가" * 200_001, "is 200,001 characters long, more than 200,000"),
        ("gifts", ["가"] * 101, "has 101 texts, more than 100"),
        ("length", 901, "got 901"),
        ("length", True, "got True"),
        ("length", "1" * 5000, "got '111"),
        ("speech", "", "got ''"),
    ],
)
def test_a_wrong_value(name: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_template(write(LETTER)).render({"text": "가", "name": "나", name: value})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ text['__class__'] }}",
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{{ text * 1000000000 }}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set a = text ~ text %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ text | center(1000000000) }}",
        "{% for letter in text %}{% endfor %}",
        "{% for a in gifts %}{% for b in gifts %}{{ a }}{% endfor %}{% endfor %}",
        "{% for a in gifts recursive %}{{ loop(gifts) }}{% endfor %}",
        "{{ text",
        "{% if text %}",
    ],
)
def test_a_body_that_could_run_or_grow_is_refused_by_its_line(body: str) -> None:
    assert re.search(r"letter\.yaml:\d+: prompt: line 2: ", refusal(letter(prompt=f"가\n{body}")))


@pytest.mark.parametrize(
    "body", ["{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}", "{% if text %}" * 300 + "{% endif %}" * 300]
)
def test_a_body_that_is_nested_too_deep_is_refused(body: str) -> None:
    assert "nested too deep" in refusal(letter(prompt=body))


def test_a_rendering_that_grows_too_long_is_refused() -> None:
    template = load_template(
        write(letter(prompt="{% for gift in gifts %}{{ text }}{% endfor %}{{ name }}{{ length }}"))
    )
    values = {"text": "가" * 100_000, "name": "나", "gifts": ["책"] * 100}
    with pytest.raises(InputError, match="letter: prompt: is longer than 500,000 characters"):
        template.render(values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"prompt": "{{ text }}{{ nmae }}{{ name }}{{ gifts }}{{ length }}"},
            "uses 'nmae', which `variables` does not",
        ),
        ({"variables": {"mood": {"about": ABOUT}}}, "variables.mood: nothing uses it"),
        ({"system": "{{ text }}{{ speech }}"}, "system: uses 'text', which changes from turn to turn"),
        ({"prompt": "{{ name }}{{ gifts }}{{ length }}"}, "prompt: does not use 'text'"),
        ({"variables": {"length": LETTER["variables"]["length"] | {"default": 5}}}, "default of length: got 5"),
        ({"examples": [{"values": {"text": "가"}, "assistant": "나"}]}, "examples: name: is missing"),
        ({"tests": [{"values": {"text": "가", "name": "나", "nmae": "다"}}]}, "tests: unknown value 'nmae'"),
        ({"examples": [{"assistant": "나"}]}, "want one of `values` and `user`"),
        ({"variables": {"speech": {"type": "choice", "about": ABOUT}}}, "a choice needs it"),
        ({"variables": {"name": {"min": 3, "about": ABOUT}}}, "`min` and `max` belong to an integer"),
        ({"variables": {"text": {"default": "가", "about": ABOUT}}}, "`variables` needs `text`"),
        ({"version": 1.5}, "version: got 1.5"),
        ({"promt": "가"}, "unknown key 'promt' -> did you mean 'prompt'?"),
    ],
)
def test_a_template_that_is_wrong(changes: dict[str, Any], said: str) -> None:
    found = refusal(letter(**changes))
    assert said in found
    assert re.search(r"letter\.yaml:\d+: ", found) or "`variables` needs" in found


def test_settings_are_those_of_generation() -> None:
    assert load_template(write(LETTER)).settings(GenerationConfig).top_k == 40
    template = load_template(write(letter(generation={"temprature": 1})))
    with pytest.raises(InputError, match=r"letter\.yaml:\d+: unknown key 'temprature' -> did you mean 'temperature'"):
        template.settings(GenerationConfig)


def test_the_hash_is_of_what_the_model_can_see() -> None:
    first = load_template(write(LETTER))
    assert first.identity == f"letter@3:{first.sha256[:8]}"
    same = letter(
        about={"ko": "글", "en": "else"}, tests=[], variables={"name": {"about": {"ko": "누구", "en": "who"}}}
    )
    assert load_template(write(same)).sha256 == first.sha256
    changed = [
        {"system": "{{ speech }}!"},
        {"prompt": LETTER["prompt"] + "!"},
        {"generation": {"temperature": 0.8}},
        {"examples": [{"user": "가", "assistant": "나"}]},
        {"variables": {"length": LETTER["variables"]["length"] | {"default": 300}}},
    ]
    hashes = {load_template(write(letter(**each))).sha256 for each in changed} | {first.sha256}
    assert len(hashes) == len(changed) + 1
    assert load_template(write(letter(version="1.2.0"))).identity.startswith("letter@1.2.0:")


def test_a_template_of_the_workspace_stands_in_for_a_shipped_one() -> None:
    assert template_paths()["scene"].parent == SHIPPED
    path = write(LETTER, "scene")
    assert template_paths()["scene"] == path
    assert find_template("scene").config.about.en == "a letter"
    path.rename("elsewhere.yaml")
    assert find_template("elsewhere.yaml").name == "elsewhere"
    assert find_template("scene").config.about.en != "a letter"


def test_an_unknown_template_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no prompt template 'scen': there are .* -> did you mean 'scene'?"):
        find_template("scen")
    with pytest.raises(InputError, match=r"nowhere\.yaml: no such configuration file"):
        find_template("nowhere.yaml")
