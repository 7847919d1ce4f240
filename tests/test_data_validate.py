"""`llmops data validate`: what is found and where, what it comes to, and what a check must be."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from workbench import CONVERSATIONS, HELD_OUT, TRAINED_ON, Cli, write_file, write_rows

from llmops_cli.core.console import SilentReporter
from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.core.plugins import load_plugins
from llmops_cli.data import checks
from llmops_cli.data.checks import FileFacts, Measured, length
from llmops_cli.data.config import ValidateConfig
from llmops_cli.data.records import Message, Record
from llmops_cli.data.verdict import ValidateResult
from llmops_cli.models.dataset import encode_records
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.pipeline import validating
from llmops_cli.prompts.encode import IGNORED

TINY = "builtin:tiny-ko"
MODULES = load_plugins(checks)
EVERY_CHECK = pytest.mark.parametrize("module", MODULES.values(), ids=list(MODULES))


def validated(*paths: str, **values: Any) -> ValidateResult:
    return validating.run(validating.plan(ValidateConfig(input=list(paths), **values)), SilentReporter())


def conversation(*said: str) -> dict[str, Any]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return {"messages": [{"role": roles[line[0]], "content": line[2:]} for line in said]}


def refused(**values: Any) -> list[str]:
    """Every problem of a plan that cannot be made."""
    with pytest.raises(InputError) as caught:
        validating.plan(ValidateConfig(**values))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("row", "check", "what"),
    [
        (conversation("u 응?"), "structure", "last turn"),
        (conversation("u 하나", "u 둘", "a 응"), "structure", "two user turns"),
        ({"text": " "}, "structure", "empty text"),
        ({"text": "깨진 \ufffd 글이다."}, "encoding", "U+FFFD"),
        ({"text": "보이지\u200b않는 글이다."}, "invisible", "U+200B"),
        ({"text": unicodedata.normalize("NFD", "한글이다.")}, "normalisation", "NFD"),
        ({"text": "오늘은 맑은 날이다."}, "duplicates", "the same as a.jsonl:1"),
        ({"text": "C001은 바다로 갔다."}, "story_codes", "C001"),
    ],
)
def test_a_fault_is_named_with_its_place(row: dict[str, Any], check: str, what: str) -> None:
    good = [{"text": "오늘은 맑은 날이다."}, conversation("s 짧게 답해.", "u 안녕?", "a 응, 안녕.")]
    write_rows("a.jsonl", [*good, row])
    off: dict[str, Any] = {"severity": {"mixed_formats": "off"}}
    result = validated("a.jsonl", **off)
    (finding,) = result.findings
    assert (finding.check, finding.where) == (check, "a.jsonl:3")
    assert what in finding.what
    assert {name for name, count in result.counts.items() if count} == {check}
    (summary,) = [each for each in result.checks if each.count]
    assert (summary.first, summary.severity, summary.count) == ("a.jsonl:3", finding.severity, 1)
    assert (result.records, result.ok) == (3, finding.severity == "warning")
    assert not validated("a.jsonl", fail_on="warning", **off).ok


def test_good_data_has_no_findings() -> None:
    write_rows("a.jsonl", CONVERSATIONS)
    result = validated("a.jsonl", fail_on="warning")
    assert (result.ok, result.findings, set(result.counts.values())) == (True, (), {0})
    assert (result.formats, result.verdict) == ({"messages": len(CONVERSATIONS)}, "good: nothing found")


def test_a_broken_line_is_a_finding_and_no_record_at_all_an_error() -> None:
    write_file("a.jsonl", '{"text": "글이다."}\n{broken\n')
    result = validated("a.jsonl")
    (finding,) = result.findings
    assert (result.records, result.errors, result.ok) == (1, 1, False)
    assert (finding.check, finding.severity, finding.where) == ("reading", "error", "a.jsonl:2")
    (file,) = result.files
    assert (file.name, file.encoding, file.unreadable, file.formats) == ("a.jsonl", "utf-8", 1, {"plain_text": 1})
    write_file("b.jsonl", "{broken\n")
    with pytest.raises(InputError, match=r"b\.jsonl:1"):
        validated("b.jsonl")


def test_every_finding_is_counted_and_the_first_are_kept() -> None:
    write_rows("a.jsonl", [{"text": "깨진 \ufffd 글이다."}] * 1_200)
    result = validated("a.jsonl", checks=["encoding"])
    assert (result.counts["encoding"], result.errors, len(result.findings)) == (1_200, 1_200, 1_000)


def test_severities_and_groups_of_checks() -> None:
    write_rows("a.jsonl", [{"text": "깨진 \ufffd 글이다."}] * 2)
    assert validated("a.jsonl", severity={"encoding": "warning"}).errors == 0
    assert set(validated("a.jsonl", severity={"encoding": "off"}).counts) >= {"duplicates", "reading"}
    assert "encoding" not in validated("a.jsonl", severity={"encoding": "off"}).counts
    fast = {module.ID for module in MODULES.values() if module.FAST}
    assert set(validated("a.jsonl", checks=["fast"]).counts) == {"reading", *fast}
    assert set(validated("a.jsonl", checks=["duplicates"]).counts) == {"reading", "duplicates"}


def test_all_that_is_wrong_with_a_plan_is_told_at_once() -> None:
    problems = refused(
        input=["nowhere"],
        held_out=["nothing"],
        model="./no-model",
        checks=["lenght"],
        severity={"encodng": "off"},
        parameters={"language": {"min_hangul": "much", "nope": 1}, "encoding": {"x": 1}},
    )
    assert len(problems) == 8
    for said in ("did you mean 'length'?", "did you mean 'encoding'?", "parameters.language.min_hangul", "no-model"):
        assert any(said in problem for problem in problems)


def test_a_check_that_lacks_something_is_left_out_unless_it_is_asked_for() -> None:
    write_rows("a.jsonl", CONVERSATIONS)
    assert not {"length", "leakage"} & set(validated("a.jsonl").counts)
    assert refused(input=["a.jsonl"], checks=["length", "leakage"]) == [
        "checks: length needs the tokenizer of a model: --model MODEL",
        "checks: leakage needs data to compare with: --against PATH",
    ]


@pytest.mark.parametrize("html", ["a.jsonl", "b.jsonl", "folder", "a.jsonl/report.html"])
def test_a_report_does_not_go_over_data(html: str) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_rows(name, CONVERSATIONS)
    Path("folder").mkdir()
    (problem,) = refused(input=["a.jsonl"], held_out=["b.jsonl"], html=html)
    assert problem.startswith(f"{html}: the output ")


def test_records_among_the_held_out_ones_are_errors() -> None:
    train, held_out = write_rows("train.jsonl", TRAINED_ON), write_rows("heldout.jsonl", HELD_OUT)
    clean = validated(train, held_out=[held_out])
    assert (clean.counts["leakage"], clean.held_out) == (0, len(HELD_OUT))
    leaking = write_rows("leaking.jsonl", [*TRAINED_ON, HELD_OUT[1]])
    result = validated(leaking, held_out=[held_out])
    assert [(finding.check, finding.where) for finding in result.findings] == [("leakage", "leaking.jsonl:13")]
    assert "heldout.jsonl:2" in result.findings[0].what


@pytest.mark.parametrize(
    ("row", "step"),
    [
        ({"text": "깨진 \ufffd 글이다."}, "encoding: "),
        ({"text": "보이지\u200b않는 글이다."}, "invisible: llmops data convert 'my data.jsonl' -o OUT.jsonl --fix"),
        ({"text": "오늘은 맑은 날이다."}, "llmops data convert 'my data.jsonl' -o OUT.jsonl"),
    ],
)
def test_the_next_step_is_for_the_worst_that_was_found(row: dict[str, Any], step: str) -> None:
    rows = [row, {"text": "제 번호는 010-2345-6789입니다."}] if "\ufffd" in row["text"] else [row]
    assert validated(write_rows("my data.jsonl", rows)).next_step.startswith(step)


def test_what_convert_made_is_ready_for_training(cli: Cli) -> None:
    assert cli("data", "convert", write_rows("raw.jsonl", CONVERSATIONS), "-o", "train.jsonl").code == 0
    assert validated("train.jsonl").next_step == "llmops train configs/lora.yaml --set data.train=train.jsonl"


def test_tokens_are_those_of_training() -> None:
    rows = [*CONVERSATIONS, {"text": "한 편의 글이다."}, conversation("u 뭐?")]
    plan = validating.plan(ValidateConfig(input=[write_rows("a.jsonl", rows)], model=TINY))
    assert plan.measure is not None
    measure = pickle.loads(pickle.dumps(plan.measure))
    talk = Record("a", tuple(Message(turn["role"], turn["content"]) for turn in CONVERSATIONS[0]["messages"]))
    text = Record("b", text="한 편의 글이다.")
    tokenizer = load_tokenizer(BUILTIN_DIRECTORY / "tiny-ko")
    for record, encoded in zip((talk, text), encode_records(tokenizer, [talk, text], 1024).records, strict=True):
        last = max(place for place, label in enumerate(encoded.labels) if label != IGNORED)
        assert measure(record) == Measured(len(encoded.ids), last)
    assert measure(Record("c", (Message("user", "뭐?"),))).last_label == -1
    result = validating.run(plan, SilentReporter())
    assert sum(result.lengths["tokens"].values()) == sum(result.lengths["characters"].values()) == len(rows)


def test_records_over_max_length_are_found() -> None:
    long = conversation("u 뭐?", "a " + "그래서 다시 길을 걸었다. " * 20)
    late = conversation("u 뭐?", "a 응.", "u " + "그래서 다시 길을 걸었다. " * 20)
    write_rows("a.jsonl", [CONVERSATIONS[0], long, late])
    limits = {"length": {"max_length": 64}}
    result = validated("a.jsonl", model=TINY, checks=["length"], parameters=limits)
    assert [finding.where for finding in result.findings] == ["a.jsonl:2", "a.jsonl:3"]
    assert [finding.what.endswith("; the end of the answer is lost") for finding in result.findings] == [True, False]
    assert all("cut to 64" in finding.what for finding in result.findings)
    assert result.parameters == limits


def test_a_large_input_is_measured_on_a_sample_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_rows("a.jsonl", CONVERSATIONS * 50)
    monkeypatch.setattr(length, "SAMPLE", Path(path).stat().st_size // 4)
    result = validated(path, model=TINY, checks=["length"])
    (check,) = [check for check in result.checks if check.check == "length"]
    assert check.sample is not None
    assert 100 < check.sample < 300
    assert sum(result.lengths["tokens"].values()) == check.sample
    assert result.samples == [f"length: on a sample of {check.sample} of 800 records"]


def test_a_conversation_that_the_template_refuses_is_a_finding() -> None:
    folder = Path(shutil.copytree(BUILTIN_DIRECTORY / "tiny-ko", "strict"))
    template = "{% for turn in messages %}{% if turn.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template += "{{ turn.content }}{{ eos_token }}{% endfor %}"
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    write_rows("a.jsonl", [conversation("u 뭐?", "a 응."), conversation("s 짧게.", "u 뭐?", "a 응.")])
    result = validated("a.jsonl", model="./strict", checks=["length"])
    (finding,) = result.findings
    assert (finding.where, "no system" in finding.what) == ("a.jsonl:2", True)


def test_a_model_that_is_not_here_is_the_machines_fault() -> None:
    write_rows("a.jsonl", CONVERSATIONS)
    with pytest.raises(MachineError, match="nobody/nothing"):
        validating.plan(ValidateConfig(input=["a.jsonl"], model="nobody/nothing", checks=["length"]))


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"parameters": {"length": {"max_length": 4096}}}, "--set parameters.length.max_length=2048"),
        ({"checks": ["fast"]}, "builtin:tiny-ko is not used"),
        ({}, ""),
    ],
)
def test_what_a_model_cannot_do_here_is_said(values: dict[str, Any], note: str) -> None:
    plan = validating.plan(ValidateConfig(input=[write_rows("a.jsonl", CONVERSATIONS)], model=TINY, **values))
    reporter = SilentReporter()
    result = validating.run(plan, reporter)
    assert reporter.warnings == list(result.notes)
    assert len(result.notes) == bool(note)
    assert note in "".join(result.notes)


def test_measuring_imports_no_torch() -> None:
    path = write_rows("a.jsonl", CONVERSATIONS)
    code = (
        "import sys\nfrom llmops_cli.app import main\n"
        f"code = main(['data', 'validate', {path!r}, '--model', '{TINY}'])\n"
        "sys.exit(code or 'torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_command_shows_what_was_found(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    write_file("자료/b.csv", "Q,A\n안녕?,반가워.\n빈 답,\n")
    write_rows("자료/a.jsonl", [{"text": f"보이지\u200b않는 {number}번째 글이다."} for number in range(30)])
    answer = cli("data", "validate", "자료")
    assert (answer.code, answer.err) == (1, "")
    lines = answer.out.splitlines()
    for said in (
        r"error .* structure .* 1 .*자료/b\.csv:3",
        r"warning .* invisible .* 30 ",
        r"^structure  llmops data convert '자료' -o OUT\.jsonl ",
        r"^invisible  llmops data convert '자료' -o OUT\.jsonl --fix invisible$",
    ):
        assert any(re.search(said, line) for line in lines)
    places = [line for line in lines if re.search(r"│ \w+ +│ 자료/", line)]
    assert len(places) == 20
    assert "b.csv:3" in places[0]
    assert any(line.startswith("… and 11 more") for line in lines)
    assert lines[-2] == ("32 records in 2 files (plain_text 30 rows, question_answer 2 rows): 1 error, 30 warnings")
    assert lines[-1].startswith("not ready: there are errors -> structure: llmops data convert '자료' -o ")


def test_good_data_is_one_line(cli: Cli) -> None:
    write_rows("a.jsonl", CONVERSATIONS[:1])
    write_rows("b.jsonl", HELD_OUT)
    answer = cli("data", "validate", "a.jsonl", "--against", "b.jsonl", "--fast")
    assert (answer.code, answer.err) == (0, "")
    (line,) = answer.out.splitlines()
    assert re.fullmatch(
        r"good: nothing found by \d+ checks in 1 record in 1 file \(messages 1 row\), "
        r"compared with 4 held-out records -> llmops data convert a\.jsonl -o OUT\.jsonl",
        line,
    )


def test_the_command_as_json(cli: Cli) -> None:
    write_file("a.jsonl", '{"text": "깨진 \ufffd 글이다."}\n{"text": "맑은 날이다."}\n')
    answer = cli("data", "validate", "a.jsonl", "--model", TINY, "--json")
    result = answer.json()
    assert (answer.code, result["ok"], result["errors"], result["warnings"]) == (1, False, 1, 0)
    assert result["checks"]["encoding"].items() >= {"severity": "error", "count": 1, "first": "a.jsonl:1"}.items()
    assert result["findings"][0].items() >= {"check": "encoding", "where": "a.jsonl:1", "id": "a:1"}.items()
    assert result["files"] == [
        {"name": "a.jsonl", "encoding": "utf-8", "rows": 2, "unreadable": 0, "records": 2, "formats": {"plain_text": 2}}
    ]
    assert result["parameters"]["length"] == {"max_length": 1024}
    assert sum(result["lengths"]["tokens"].values()) == 2


def test_exit_codes_of_what_cannot_be_done(cli: Cli) -> None:
    write_file("broken.jsonl", "{broken\n")
    write_rows("a.jsonl", CONVERSATIONS)
    assert cli("data", "validate", "broken.jsonl").code == 2
    assert cli("data", "validate", "a.jsonl", "--model", "nobody/nothing").code == 3
    both = cli("data", "validate", "nowhere", "--model", "nobody/nothing")
    assert (both.code, len(both.errors)) == (2, 2)
    assert cli("data", "validate", "a.jsonl", "--show-tokens", "0", "--model", TINY).code == 2


@EVERY_CHECK
def test_a_check_says_what_it_is(module: ModuleType) -> None:
    assert module.__doc__
    assert module.__name__.endswith(f".{module.ID}")
    assert module.SEVERITY in ("error", "warning")
    assert isinstance(module.FAST, bool)
    for line in (module.ABOUT, module.FIX):
        assert line
        assert "\n" not in line
    kinds = [hasattr(module, "start"), hasattr(module, "collect"), hasattr(module, "look")]
    assert sum(kinds) == 1
    assert hasattr(module, "collect") is hasattr(module, "Judge")


@EVERY_CHECK
def test_what_a_check_advises_can_be_typed(module: ModuleType, cli: Cli) -> None:
    for command in re.findall(r"llmops data \w+", module.FIX):
        assert cli(*command.split()[1:], "--help").code == 0
    for name, parameter in re.findall(r"parameters\.(\w+)\.(\w+)", module.FIX):
        assert parameter in MODULES[name].Params.model_fields


@EVERY_CHECK
def test_parameters_are_strict_and_have_defaults(module: ModuleType) -> None:
    if not hasattr(module, "Params"):
        return
    parameters = module.Params()
    assert isinstance(parameters, BaseModel)
    assert all(field.description for field in module.Params.model_fields.values())
    with pytest.raises(ValidationError):
        module.Params(no_such_parameter=1)


@EVERY_CHECK
def test_a_check_works_on_every_kind_of_record(module: ModuleType) -> None:
    talk = (Message("user", "안녕?"), Message("assistant", "응, 반가워."))
    records = [
        Record("a", talk, where="a.jsonl:1"),
        Record("b", text="", where="a.jsonl:2"),
        Record("c", talk[:1], chosen="응.", rejected="", where="a.jsonl:3"),
        Record("d", (Message("system", "짧게."), *talk), metadata={"names": ["민준"]}, where="a.jsonl:4"),
    ]
    parameters = module.Params() if hasattr(module, "Params") else None
    if hasattr(module, "start"):
        assert module.start is pickle.loads(pickle.dumps(module.start))
        measure = [lambda record: Measured(1, 0)] if getattr(module, "MEASURES", False) else []
        check = module.start(parameters, *measure)
        for record in records:
            first, second = list(check(record)), list(check(record))
            assert first == second
            assert all(isinstance(what, str) and what and "\n" not in what for what in first)
    elif hasattr(module, "look"):
        assert inspect.isgenerator(module.look(FileFacts("a.jsonl", "utf-8", False, {"messages": 4})))
    else:
        judge = module.Judge(parameters)
        evidence = pickle.loads(pickle.dumps(module.collect(records, parameters)))
        for first, held_out in ((0, True), (4, False), (8, False)):
            judge.add(first, evidence, held_out=held_out)
        found = list(judge.findings(lambda number: f"a.jsonl:{number + 1}"))
        assert all(4 <= number < 12 and isinstance(number, int) and what for number, what in found)


@EVERY_CHECK
def test_a_repair_done_twice_is_done_once(module: ModuleType) -> None:
    if not hasattr(module, "repair"):
        return
    texts = ["\ufeff보이지\u200b않는\u3000글 \x01 \u11ab 끝\r\n", "한국어로 쓴 글이다.".encode().decode("latin-1")]
    mended = [module.repair(text) for text in texts]
    assert mended != texts
    assert [module.repair(text) for text in mended] == mended
    check = module.start(None)
    before, after = ([what for text in each for what in check(Record("a", text=text))] for each in (texts, mended))
    assert len(after) < len(before)


def test_checks_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom llmops_cli.core.plugins import load_plugins\nfrom llmops_cli.data import checks\n"
        "load_plugins(checks)\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "tokenizers", "matplotlib", "jinja2"} & set(done.stdout.split())


def test_no_finding_shows_personal_data() -> None:
    values = ["010-2345-6789", "minsu@example.com", "900101-1234568"]
    texts = [f"민준는 {value} 로 연락했다.\u200b \ufffd" for value in values]
    rows = [{"text": text} for text in texts * 2]
    rows += [conversation(f"u {text}") | {"id": "같은"} for text in texts]
    write_rows("a.jsonl", rows)
    result = validated("a.jsonl", held_out=[write_rows("b.jsonl", rows[:2])], html="report.html")
    assert result.counts["personal_data"] == len(rows)
    for shown in (json.dumps(result.to_json(), ensure_ascii=False), Path("report.html").read_text(encoding="utf-8")):
        assert not any(value in shown for value in values)
