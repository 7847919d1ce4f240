"""`llmops generate`: a line for every prompt, with the tokens of transformers, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from workbench import Answer, Cli, write_rows

ASKED = [{"id": 7, "messages": [{"role": "user", "content": "비가 와?"}]}]
CONTINUED = [{"id": "t", "text": "오늘 저녁에"}]
GREEDY = ("--set", "generation.temperature=0")


@pytest.fixture
def generate(cli: Cli, tiny_model: Path) -> Any:
    """Answer rows; returns the written rows, or the command's answer when it failed."""

    def run(rows: list[Any], *flags: str, model: Any = tiny_model, tokens: int = 24) -> Any:
        write_rows("p.jsonl", rows)
        maximum = f"generation.max_tokens={tokens}"
        answer = cli("generate", "p.jsonl", "-o", "o.jsonl", "--model", model, "--set", maximum, *flags, "--json")
        if answer.code:
            return answer
        written = [json.loads(line) for line in Path("o.jsonl").read_text(encoding="utf-8").splitlines()]
        result = answer.json()
        assert (result["output"], result["answers"]) == ("o.jsonl", len(written))
        assert result["tokens"] == sum(len(row["token_ids"]) for row in written)
        return written

    return run


def reference(folder: Path, rows: list[Any], adapter: Path | None = None) -> list[list[int]]:
    """The greedy tokens of transformers' own generate, and the text of its tokenizer."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    found = []
    for row in rows:
        if "messages" in row:
            prompt = tokenizer.apply_chat_template(row["messages"], add_generation_prompt=True)["input_ids"]
        else:
            prompt = tokenizer(row["text"], add_special_tokens=False)["input_ids"]
        ids = model.generate(input_ids=torch.tensor([prompt]), do_sample=False, max_new_tokens=24)
        found.append(ids[0, len(prompt) :].tolist())
    return found


ROWS = [
    *ASKED,
    *CONTINUED,
    {"messages": [{"role": "system", "content": "짧게."}, {"role": "user", "content": "안녕?"}]},
    {"messages": [{"role": role, "content": "책 샀어?"} for role in ("user", "assistant", "user")]},
]


@pytest.mark.parametrize("trained", [False, True])
def test_greedy_is_greedy(generate: Any, tiny_model: Path, run_here: Path, trained: bool) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    written = generate(ROWS, *GREEDY, model="finished" if trained else tiny_model)
    want = reference(tiny_model, ROWS, run_here / "adapter" if trained else None)
    assert [row["token_ids"] for row in written] == want
    assert len({tuple(ids) for ids in want}) == len(want)
    for row in written:
        text = tokenizer.decode(row["token_ids"], skip_special_tokens=True)
        assert row["output"] == text.rstrip("\ufffd")
        ended = row["token_ids"][-1] in (0, 2)
        assert row["finish_reason"] == ("stop" if ended else "length")
        assert ended or len(row["token_ids"]) == 24


def test_every_end_of_a_turn_ends_it(generate: Any, tiny_model: Path) -> None:
    """Of the first tokens that greedy decoding writes, make one an end of the turn."""
    first = generate(CONTINUED, *GREEDY)[0]["token_ids"]
    shutil.copytree(tiny_model, "model")
    Path("model/generation_config.json").write_text(json.dumps({"eos_token_id": [2, first[3]]}))
    row = generate(CONTINUED, *GREEDY, model="model")[0]
    assert row["token_ids"] == first[: first.index(first[3]) + 1]
    assert row["finish_reason"] == "stop"


def test_fields_pass_through_in_order(generate: Any) -> None:
    rows = [
        {"id": "b", "text": "가", "장르": ["시", None], "output": "old"},
        {"text": "나"},
        {"id": None, "messages": ASKED[0]["messages"], "n": 1.5},
    ]
    written = generate(rows, tokens=2)
    assert [row["id"] for row in written] == ["b", "p:2", None]
    assert written[0]["장르"] == ["시", None]
    assert (written[2]["n"], written[2]["messages"]) == (1.5, rows[2]["messages"])
    added = {"output", "token_ids", "finish_reason"}
    assert [row.keys() - added for row in written] == [row.keys() - added | {"id"} for row in rows]
    assert written[0]["output"] != "old"
    assert "가" in Path("o.jsonl").read_text(encoding="utf-8")  # Hangul is written as Hangul


def test_the_seed_decides_what_is_sampled(generate: Any) -> None:
    def ids(seed: int, *flags: str) -> Any:
        return [row["token_ids"] for row in generate(ROWS, "--set", f"generation.seed={seed}", *flags)]

    first = ids(1)
    assert ids(1) == first
    assert ids(2) != first
    assert ids(1, "--set", "generation.temperature=2") != first
    assert ids(1, "--set", "generation.top_p=0.2") != first
    greedy = [row["token_ids"] for row in generate(ROWS, *GREEDY)]
    assert ids(3, "--set", "generation.top_p=1e-9") == greedy  # only the likeliest is left
    for tiny in ("1e-30", "1e-300"):
        assert ids(3, "--set", f"generation.temperature={tiny}") == greedy


def test_sampling_follows_the_probabilities() -> None:
    from llmops_cli.inference.config import GenerationConfig
    from llmops_cli.inference.sampling import choose

    logits = torch.tensor([0.5, 0.25, 0.15, 0.1]).log() * 0.5
    generator = torch.Generator().manual_seed(1)

    def shares(**settings: float) -> list[float]:
        drawn = [choose(logits, GenerationConfig(**settings), generator) for _ in range(4000)]
        return [drawn.count(token) / 4000 for token in range(4)]

    assert shares(temperature=0.5, top_p=1) == pytest.approx([0.5, 0.25, 0.15, 0.1], abs=0.03)
    assert shares(temperature=0.5, top_p=0.7) == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=0.03)
    assert shares(temperature=0.5, top_p=0.76) == pytest.approx([5 / 9, 2.5 / 9, 1.5 / 9, 0], abs=0.03)
    assert shares(temperature=0, top_p=1) == [1, 0, 0, 0]


def test_stop_texts_are_not_part_of_the_answer(generate: Any) -> None:
    whole = generate(CONTINUED, *GREEDY)[0]
    stop = whole["output"][4:6]
    row = generate(CONTINUED, *GREEDY, "--set", f"generation.stop={json.dumps([stop])}")[0]
    assert row["output"] == whole["output"][: whole["output"].index(stop)]
    assert row["finish_reason"] == "stop"
    assert row["token_ids"] == whole["token_ids"][: len(row["token_ids"])]


def test_a_configuration_says_the_same(generate: Any, cli: Cli, tiny_model: Path) -> None:
    want = generate(ROWS, *GREEDY)
    settings = {
        "model": str(tiny_model),
        "input": "p.jsonl",
        "output": "c.jsonl",
        "generation": {"temperature": 0, "max_tokens": 24},
    }
    Path("g.yaml").write_text(json.dumps(settings))
    answer = cli("generate", "g.yaml")
    assert answer.code == 0, answer.err
    assert [json.loads(line) for line in Path("c.jsonl").read_text().splitlines()] == want
    assert "c.jsonl" in answer.out
    assert cli("generate", "g.yaml", "-o", "d.jsonl").code == 0  # a flag lies over the file
    assert Path("d.jsonl").read_bytes() == Path("c.jsonl").read_bytes()


def test_decomposed_hangul_is_composed(generate: Any) -> None:
    import unicodedata

    plain = generate(ROWS, *GREEDY)
    decomposed = json.loads(unicodedata.normalize("NFD", json.dumps(ROWS, ensure_ascii=False)))
    assert [row["token_ids"] for row in generate(decomposed, *GREEDY)] == [row["token_ids"] for row in plain]


def refused(answer: Answer, code: int, *lines: str) -> None:
    assert answer.code == code, answer.err
    assert len(answer.errors) == len(lines), answer.err
    for error, line in zip(answer.errors, lines, strict=True):
        assert error.startswith(line)
    assert answer.out == ""
    assert not Path("o.jsonl").exists()
    assert not list(Path().rglob(".staging-*"))


def test_every_wrong_prompt_is_listed_with_its_line(generate: Any, cli: Cli, tiny_model: Path) -> None:
    turns = "p.jsonl:{}: want turns of {{role: "
    text = "\n".join(
        ['{"text": "가"}', "", '{"text": 5}', '{"id": 1}', "[1]", '{"text": "가"', '{"messages": []}',
         '{"messages": [{"role": "tool", "content": "가"}]}', '{"messages": [{"role": "user"}]}', '{"messages": "가"}',
         '{"text": ""}']
    )  # fmt: skip
    Path("p.jsonl").write_text(text, encoding="utf-8")
    want = "want messages (a list of turns) or text"
    refused(
        cli("generate", "p.jsonl", "-o", "o.jsonl", "--model", tiny_model), 2,
        f"p.jsonl:3: {want}", f"p.jsonl:4: {want}", "p.jsonl:5: want one JSON object a line",
        "p.jsonl:6: broken JSON", f"p.jsonl:7: {want}", turns.format(8), turns.format(9), f"p.jsonl:10: {want}",
        "p.jsonl:11: text is empty",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "p.jsonl: no such file"),
        (b"", "p.jsonl: the file is empty"),
        (b"\n \n", "p.jsonl: the file is empty"),
        ('{"text": "비가 온다"}'.encode("cp949"), "p.jsonl:1: not UTF-8: CP949"),
    ],
)
def test_prompts_that_cannot_be_read(cli: Cli, tiny_model: Path, content: bytes | None, line: str) -> None:
    if content is not None:
        Path("p.jsonl").write_bytes(content)
    refused(cli("generate", "p.jsonl", "-o", "o.jsonl", "--model", tiny_model), 2, line)


def test_the_prompts_are_not_overwritten(cli: Cli, tiny_model: Path) -> None:
    write_rows("p.jsonl", ASKED)
    before = Path("p.jsonl").read_bytes()
    refused(cli("generate", "p.jsonl", "-o", "./p.jsonl", "--model", tiny_model), 2, "./p.jsonl: would overwrite")
    assert Path("p.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["-o", "o.txt", "--model", "m"], "arguments: output: want a file name ending in .jsonl"),
        (["--model", "m"], "--set: output: is missing"),
        (["-o", "o.jsonl"], "--set: model: is missing"),
        (
            ["-o", "o.jsonl", "--model", "m", "--set", "generation.top_p=0"],
            "--set generation.top_p: generation.top_p: got 0",
        ),
        (
            ["-o", "o.jsonl", "--model", "m", "--set", "generation.stop=끝"],
            "--set generation.stop: generation.stop: got '끝'",
        ),
    ],
)
def test_settings_that_are_wrong(cli: Cli, flags: list[str], line: str) -> None:
    write_rows("p.jsonl", ASKED)
    refused(cli("generate", "p.jsonl", *flags), 2, line)


def test_a_prompt_that_is_too_long_is_named_before_the_others_are_answered(generate: Any, monkeypatch: Any) -> None:
    from llmops_cli.inference import generate as job

    monkeypatch.setattr(job, "complete_all", lambda *arguments, **options: pytest.fail("a prompt was answered"))
    refused(generate([*ASKED, {"id": "long", "text": "비 " * 300}]), 2, "p.jsonl: prompt 'long': the prompt has ")


def test_the_context_is_never_left(generate: Any) -> None:
    row = generate([{"text": "비" * 80}], *GREEDY, tokens=500)[0]
    assert row["finish_reason"] == "length"
    assert 0 < len(row["token_ids"]) < 256


FAKE = ("generate", "p.jsonl", "-o", "o.jsonl", "--model")
KEPT = Path(".staging-o.jsonl.answers")
MANY = [{"id": number, "text": f"바다 {number}"} for number in range(9)]


def lines(path: str | Path) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def kept_answers() -> int:
    return KEPT.read_bytes().count(b"\n") - 1 if KEPT.exists() else 0


@pytest.fixture
def stopped(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Answer MANY and be stopped before the sixth answer is kept; returns what a run that is not stopped writes."""
    from llmops_cli.inference.answers import KeptAnswers

    def run(end: BaseException, model: str = "fake:words?length=6", *flags: str) -> list[Any]:
        write_rows("p.jsonl", MANY)
        assert cli(*FAKE, model, *flags).code == 0
        whole = lines("o.jsonl")
        Path("o.jsonl").write_text("from before\n")
        keep = KeptAnswers.keep

        def keep_five(self: KeptAnswers, place: int, answer: dict[str, Any]) -> None:
            if kept_answers() == 5:
                raise end
            keep(self, place, answer)

        with monkeypatch.context() as patch:
            patch.setattr(KeptAnswers, "keep", keep_five)
            if isinstance(end, SystemExit):
                with pytest.raises(SystemExit):
                    cli(*FAKE, model, *flags)
            else:
                answer = cli(*FAKE, model, *flags)
                assert answer.code == {KeyboardInterrupt: 130, RuntimeError: 70, OSError: 3}[type(end)]
                if answer.code == 130:
                    said = "o.jsonl: interrupted: 5 of 9 answers are kept -> the same command goes on from there"
                    assert answer.errors == [said]
        assert Path("o.jsonl").read_text() == "from before\n"
        assert kept_answers() == 5
        return whole

    return run


@pytest.mark.parametrize(
    "end", [KeyboardInterrupt(), RuntimeError("bug"), SystemExit(143), OSError(28, "No space left on device")]
)
def test_a_stopped_job_goes_on_where_it_was(cli: Cli, stopped: Any, end: BaseException) -> None:
    whole = stopped(end)
    kept = {place for place, _ in map(json.loads, KEPT.read_text(encoding="utf-8").splitlines()[1:])}
    answer = cli(*FAKE, "fake:words?length=6", "--json")
    assert answer.err == "5 of 9 answers are there from the run before\n"
    assert lines("o.jsonl") == whole
    result = answer.json()
    assert (result["answers"], result["kept"], result["engine"]) == (9, 5, "fake")
    assert result["tokens"] == sum(len(row["token_ids"]) for row in whole if row["id"] not in kept)
    assert not KEPT.exists()
    assert cli(*FAKE, "fake:words?length=6", "--json").json()["kept"] == 0


def test_a_row_that_was_being_written_is_written_anew(cli: Cli, stopped: Any) -> None:
    whole = stopped(KeyboardInterrupt())
    KEPT.write_bytes(KEPT.read_bytes()[:-7])
    assert cli(*FAKE, "fake:words?length=6", "--json").json()["kept"] == 4
    assert lines("o.jsonl") == whole


@pytest.mark.parametrize(
    ("model", "flags", "rows"),
    [
        ("fake:words?length=7", (), MANY),
        ("fake:words?length=6", ("--set", "generation.seed=8"), MANY),
        ("fake:words?length=6", (), [*MANY[:-1], {"id": 8, "text": "산"}]),
    ],
)
def test_answers_to_something_else_are_not_taken_over(
    cli: Cli, stopped: Any, model: str, flags: tuple[str, ...], rows: list[Any]
) -> None:
    stopped(KeyboardInterrupt())
    write_rows("p.jsonl", rows)
    answer = cli(*FAKE, model, *flags, "--json")
    assert answer.err.startswith("the run before answered other prompts, or with another model or settings")
    assert (answer.code, answer.json()["kept"]) == (0, 0)
    assert not KEPT.exists()
    with_those = lines("o.jsonl")
    cli(*FAKE, model, *flags)
    assert lines("o.jsonl") == with_those


def test_a_model_that_was_trained_again_is_another(cli: Cli, stopped: Any, run_here: Path) -> None:
    few = ("--set", "generation.max_tokens=2")
    stopped(KeyboardInterrupt(), "finished", *few)
    os.utime("runs/finished/adapter/adapter_model.safetensors", (2e9, 2e9))
    assert cli(*FAKE, "finished", *few, "--json").json()["kept"] == 0


def test_how_many_are_answered_together_changes_nothing(cli: Cli, stopped: Any) -> None:
    whole = stopped(KeyboardInterrupt(), "fake:words?length=6", "--set", "at_once=1")
    answer = cli(*FAKE, "fake:words?length=6", "--set", "at_once=9", "--json")
    assert (answer.json()["kept"], lines("o.jsonl")) == (5, whole)


def test_a_killed_process_keeps_what_was_answered(cli: Cli) -> None:
    write_rows("p.jsonl", MANY)
    slow, command = "fake:words?delay=0.01&length=3", [sys.executable, "-m", "llmops_cli", *FAKE]
    process = subprocess.Popen([*command, slow, "--set", "at_once=1"])
    deadline = time.monotonic() + 60
    while kept_answers() < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = kept_answers()
    assert 3 <= kept < 9
    assert not Path("o.jsonl").exists()
    result = cli(*FAKE, slow, "--set", "at_once=8", "--json").json()
    assert (result["answers"], result["kept"]) == (9, kept)
    first = Path("o.jsonl").read_bytes()
    cli(*FAKE, slow)
    assert Path("o.jsonl").read_bytes() == first


def test_ids_that_appear_twice_are_named(cli: Cli) -> None:
    ids: list[dict[str, str]] = [{"id": "a"}, {}, {"id": "a"}, {"id": "p:2"}]
    write_rows("p.jsonl", [row | {"text": "가"} for row in ids])
    answer = cli(*FAKE, "fake:echo")
    assert answer.code == 2
    assert answer.errors == [
        "p.jsonl:3: id 'a' is that of line 1 -> give every prompt its own",
        "p.jsonl:4: id 'p:2' is that of line 2 -> give every prompt its own",
    ]


def test_everything_that_is_wrong_is_said_before_anything_is_answered(cli: Cli) -> None:
    write_rows("p.jsonl", [{"text": ""}])
    answer = cli(*FAKE, "nowhere")
    assert answer.code == 2
    assert [line.partition(": ")[0] for line in answer.errors] == ["p.jsonl:1", "nowhere"]


def test_broken_weights_are_no_bug(generate: Any, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "broken")
    tensors = load_file("broken/model.safetensors")
    tensors["model.norm.weight"][3] = float("nan")
    save_file(tensors, "broken/model.safetensors", metadata={"format": "pt"})
    for flags in ((), GREEDY):
        answer = generate(ASKED, "--set", "engine=transformers", *flags, model="broken")
        refused(answer, 1, "broken: the model gives nan")
    refused(generate(ASKED, model="broken"), 2, "broken/model.safetensors: model.norm.weight holds nan")
