"""`llmops generate`: a line for every prompt, with the tokens of transformers, whole or not at all."""

from __future__ import annotations

import json
import shutil
import signal
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
    from llmops_cli.inference.engines.transformers import TransformersEngine

    monkeypatch.setattr(TransformersEngine, "stream", lambda *arguments: pytest.fail("a prompt was answered"))
    refused(generate([*ASKED, {"id": "long", "text": "비 " * 300}]), 2, "p.jsonl: prompt 'long': the prompt has ")


def test_the_context_is_never_left(generate: Any) -> None:
    row = generate([{"text": "비" * 80}], *GREEDY, tokens=500)[0]
    assert row["finish_reason"] == "length"
    assert 0 < len(row["token_ids"]) < 256


@pytest.mark.parametrize("end", ["Ctrl-C", "bug", "SIGTERM"])
def test_a_killed_job_leaves_no_half_output(
    generate: Any, cli: Cli, tiny_model: Path, monkeypatch: Any, end: str
) -> None:
    from llmops_cli.inference import generate as job

    complete, done = job.complete, []

    def second_dies(*arguments: Any) -> Any:
        done.append(1)
        if len(done) == 2:
            raise {"Ctrl-C": KeyboardInterrupt, "bug": RuntimeError, "SIGTERM": SystemExit}[end]()
        return complete(*arguments)

    before = signal.getsignal(signal.SIGINT)
    write_rows("p.jsonl", ROWS)
    Path("o.jsonl").write_text("from before\n")
    monkeypatch.setattr(job, "complete", second_dies)
    command = ["generate", "p.jsonl", "-o", "o.jsonl", "--model", tiny_model, "--set", "generation.max_tokens=2"]
    if end == "SIGTERM":
        with pytest.raises(SystemExit):
            cli(*command)
    else:
        assert cli(*command).code == {"Ctrl-C": 130, "bug": 70}[end]
    assert len(done) == 2
    assert Path("o.jsonl").read_text() == "from before\n"
    assert not list(Path().rglob(".staging-*"))
    assert signal.getsignal(signal.SIGINT) is before


def test_broken_weights_are_no_bug(generate: Any, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "broken")
    tensors = load_file("broken/model.safetensors")
    tensors["model.norm.weight"][3] = float("nan")
    save_file(tensors, "broken/model.safetensors", metadata={"format": "pt"})
    for flags in ((), GREEDY):
        refused(generate(ASKED, *flags, model="broken"), 1, "broken: ")
