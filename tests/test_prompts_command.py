"""`llmops prompts`: what a person and a script get."""

from __future__ import annotations

import io
import json
import re
import shlex

import pytest
from workbench import Cli, write_file

from llmops_cli.core.workspace import PACKAGE
from llmops_cli.models.resolve import resolve_model
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.prompts.library import template_paths

ROOT = PACKAGE.parent
BUILTIN = "builtin:tiny-ko"
LETTER = """version: 1
about: {ko: 편지, en: a letter}
variables:
  text: {about: {ko: 쓸 말, en: what to say}}
  name: {about: {ko: 받는 사람, en: who gets it}}
prompt: "{{ name | josa('에게') }}: {{ text }}"
tests:
  - values: {text: 안녕, name: 하은}
    contains: [하은에게]
"""


def test_list_names_all_with_where_they_are(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file("prompts/letter.yaml", LETTER)
    write_file("prompts/scene.yaml", LETTER)
    found = {row["name"]: row for row in cli("prompts", "list", "--json").json()}
    assert set(found) == set(template_paths())
    assert found["letter"] | {"identity": ""} == {
        "name": "letter",
        "version": 1,
        "identity": "",
        "about": {"ko": "편지", "en": "a letter"},
        "variables": {
            "text": {"type": "text", "about": {"ko": "쓸 말", "en": "what to say"}, "choices": []},
            "name": {"type": "text", "about": {"ko": "받는 사람", "en": "who gets it"}, "choices": []},
        },
        "path": "prompts/letter.yaml",
        "shipped": False,
    }
    assert (found["scene"]["shipped"], found["dialogue"]["shipped"]) == (False, True)
    assert "a letter" in cli("prompts", "list").out
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "편지" in cli("prompts", "list").out


def test_list_shows_the_others_when_one_is_broken(cli: Cli) -> None:
    write_file("prompts/letter.yaml", "versoin: 1\n")
    answer = cli("prompts", "list", "--json")
    assert answer.code == 2
    assert "scene" in {row["name"] for row in answer.json()}
    assert any("letter.yaml:1: unknown key 'versoin' -> did you mean 'version'?" in line for line in answer.errors)


def test_show_has_everything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    answer = cli("prompts", "show", "dialogue")
    for said in (
        "dialogue@1:",
        "one of 반말, 존댓말",
        "has to be given",
        "an integer from 2 to 40",
        "dry_multiplier 0.8",
    ):
        assert said in answer.out
    assert '[user]\n{{ first | josa("과/와") }}' in answer.out
    shown = cli("prompts", "show", "dialogue", "--json").json()
    assert shown["identity"] == f"dialogue@1:{shown['sha256'][:8]}"
    assert {"system", "prompt", "examples", "generation", "tests", "variables", "path"} <= set(shown)


def test_render_gives_the_messages_as_a_model_gets_them(cli: Cli) -> None:
    write_file("prompts/letter.yaml", LETTER)
    answer = cli("prompts", "render", "letter", "보고 싶다.", "--var", "name=지우=하은")
    assert (answer.code, answer.out) == (0, "[user]\n지우=하은에게: 보고 싶다.\n")
    found = cli("prompts", "render", "prompts/letter.yaml", "--var", "text=가", "--var", "name=나", "--json").json()
    assert found["messages"] == [{"role": "user", "content": "나에게: 가"}]
    assert found["template"].startswith("letter@1:")
    assert found["generation"] == {}


def test_a_list_is_given_with_commas_or_item_by_item(cli: Cli) -> None:
    for flags in (("--var", "characters=하은, 도윤"), ("--var", "characters=하은", "--var", "characters=도윤")):
        assert "두 사람의 이름: 하은, 도윤" in cli("prompts", "render", "romance", "비가 온다.", *flags).out


def test_text_comes_from_a_pipe(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("오랫만에 만났다.\n"))
    assert cli("prompts", "render", "polishing", "-").out.endswith("글:\n오랫만에 만났다.\n")


def test_tokens_are_those_of_the_model(cli: Cli) -> None:
    words = ("prompts", "render", "daily-talk", "배고파.", "--var", "speech=반말", "--model", BUILTIN)
    found = cli(*words, "--json").json()
    tokenizer = load_tokenizer(resolve_model(BUILTIN).tokenizer)
    assert found["tokens"]["all"] == len(encode_prompt(tokenizer, found["messages"]))
    assert len(found["messages"]) == 6
    fewer = cli(*words, "--budget", found["tokens"]["examples"] - 1, "--json").json()
    assert len(fewer["messages"]) == 4
    assert fewer["tokens"]["examples"] < found["tokens"]["examples"]
    assert cli(*words, "--budget", 0, "--json").json()["tokens"]["examples"] == 0
    assert f"{found['tokens']['all']} tokens, {found['tokens']['examples']} of them" in cli(*words).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["letter", "가"], "letter: name: is missing, want a text (who gets it) -> name=…"),
        (["letter", "가", "--var", "nmae=나", "--var", "name=다"], "unknown value 'nmae' -> did you mean 'name'?"),
        (["letter", "가", "--var", "name"], "--var: want NAME=VALUE, got 'name'"),
        (["letter", "가", "--var", "text=나"], "--var: text is given twice"),
        (["leter", "가"], "no prompt template 'leter'"),
        (["letter", "가", "--budget", "9"], "--budget: needs a model"),
    ],
)
def test_render_says_what_is_wrong(cli: Cli, words: list[str], said: str) -> None:
    write_file("prompts/letter.yaml", LETTER)
    answer = cli("prompts", "render", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_the_shipped_ones_pass(cli: Cli) -> None:
    answer = cli("prompts", "test", "--json")
    assert (answer.code, answer.json()["passed"]) == (0, True)
    assert {row["name"] for row in answer.json()["templates"]} == set(template_paths())
    assert all(row["tests"] for row in answer.json()["templates"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("contains: [하은에게]", "contains: [하은이]", "letter.yaml:8: tests: lacks '하은이'"),
        ("contains: [하은에게]", "excludes: [하은]", "letter.yaml:8: tests: holds '하은'"),
        ("name: 하은", "nmae: 하은", "letter.yaml:8: tests: unknown value 'nmae'"),
        (LETTER[LETTER.index("tests:") :], "", "letter.yaml: no tests"),
        ("tests:", "generation: {temperature: hot}\ntests:", "letter.yaml:7: generation.temperature: got 'hot'"),
        ("tests:", "generation: {top_k: 0.5}\ntests:", "letter.yaml:7: top_k: got 0.5"),
        ("{{ text }}", "{{ txet }}", "letter.yaml:6: prompt: uses 'txet'"),
        ("{{ name | josa('에게') }}", "너에게", "letter.yaml:5: variables.name: nothing uses it"),
    ],
)
def test_a_test_that_fails_is_said_with_its_line(cli: Cli, old: str, new: str, said: str) -> None:
    assert old in LETTER
    write_file("prompts/letter.yaml", LETTER.replace(old, new))
    answer = cli("prompts", "test", "letter", "scene")
    assert (answer.code, answer.err) == (1, "")
    assert said in answer.out
    found = cli("prompts", "test", "letter", "scene", "--json").json()
    assert [bool(row["problems"]) for row in found["templates"]] == [True, False]
    assert cli("prompts", "test", "scene").code == 0


def test_a_name_that_is_none_is_no_failed_test(cli: Cli) -> None:
    answer = cli("prompts", "test", "scen")
    assert (answer.code, answer.out) == (2, "")


def test_one_answer_through_a_template(cli: Cli) -> None:
    write_file("prompts/letter.yaml", LETTER + "generation: {max_tokens: 3, temperature: 0}\n")
    flags = ("--set", "template=letter", "--set", "values.name=지우", "--json")
    assert cli("chat", BUILTIN, "--once", "안녕", *flags).json()["finish_reason"] == "length"
    missing = cli("chat", BUILTIN, "--once", "안녕", "--set", "template=letter")
    assert (missing.code, "name: is missing" in missing.err) == (2, True)


def test_the_example_of_the_readme_does_what_it_shows(cli: Cli) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Prompt templates")[2].partition("\n## ")[0]
    template, shown = re.findall(r"```(?:yaml)?\n(version.*?|\$.*?)```", section, flags=re.DOTALL)
    write_file("prompts/letter.yaml", template)
    assert cli("prompts", "test", "letter").code == 0
    for command, _, output in (each.partition("\n") for each in shown.removeprefix("$ ").split("$ ")):
        answer = cli(*shlex.split(command)[1:])
        assert answer.out + answer.err == output
    assert cli("prompts", "show", "letter", "--json").json()["identity"] in section


def test_the_schema_is_for_editors(cli: Cli) -> None:
    schema = cli("config", "schema", "prompt").json()
    assert {"version", "about", "variables", "system", "prompt", "examples", "generation", "tests"} < set(
        schema["properties"]
    )
    path = write_file("prompts/letter.yaml", LETTER.replace("about", "abuot", 1))
    answer = cli("config", "check", path)
    assert (answer.code, "did you mean 'about'?" in answer.err) == (2, True)
    assert json.loads((ROOT / "configs/schema/prompt.json").read_text(encoding="utf-8")) == schema
