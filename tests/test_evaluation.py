"""Measured numbers are those that transformers and a pencil give."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from suites_bench import entries, write_suite
from workbench import HELD_OUT, TRAINED_ON, Cli, Train, record_of, write_rows

from llmops_cli.evaluation.trigram import HANGUL_SYLLABLES, CharacterTrigram
from llmops_cli.models.tokenizer import load_tokenizer
from llmops_cli.prompts.encode import encode_text


def measured(cli: Cli, evaluation: Path, *overrides: str) -> dict[str, Any]:
    shutil.rmtree("runs/e", ignore_errors=True)
    flags = [word for text in overrides for word in ("--set", text)]
    answer = cli("eval", evaluation, "--name", "e", "--json", *flags)
    assert answer.code == 0, answer.err
    result: dict[str, Any] = answer.json()
    assert result == json.loads(Path("runs/e/report.json").read_text())
    return result


def sums(result: dict[str, Any]) -> tuple[float, int, int]:
    """Nats, tokens and characters of the held-out records."""
    items = [item["statistics"] for item in result["suites"]["held-out"]["items"]]
    nats = math.fsum(item["perplexity"][0] for item in items)
    tokens = sum(item["perplexity"][1] for item in items)
    return nats, tokens, sum(item["bits_per_character"][1] for item in items)


def by_hand(model: Any, tokenizer: Any, rows: list[Any]) -> tuple[float, int, int]:
    """Summed nats of the answers and their ends, their tokens, and the characters of the answers."""
    nats, tokens = 0.0, 0
    for row in rows:
        opened = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True)["input_ids"]
        answer = tokenizer(row["messages"][-1]["content"] + "<|im_end|>", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([opened + answer])).logits[0].double().log_softmax(-1)
        nats -= sum(float(logits[len(opened) + at - 1, token]) for at, token in enumerate(answer))
        tokens += len(answer)
    return nats, tokens, sum(len(row["messages"][-1]["content"]) for row in rows)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def test_every_number_is_that_of_transformers(
    cli: Cli, evaluation: Path, run_here: Path, tiny_model: Path, tokenizer: Any
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    result = measured(cli, evaluation, "model=finished")
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    nats, tokens, characters = by_hand(model.eval(), tokenizer, HELD_OUT)
    assert list(result["beside"]) == ["character trigram", "base"]
    assert_scores(result["beside"]["base"], nats, tokens, characters)
    model = PeftModel.from_pretrained(model, run_here / "adapter")
    tuned, *_ = by_hand(model.eval(), tokenizer, HELD_OUT)
    assert_scores(result["suites"]["held-out"]["summary"], tuned, tokens, characters)
    assert sums(result) == (pytest.approx(tuned, rel=1e-5), tokens, characters)
    assert len(result["suites"]["held-out"]["items"]) == len(HELD_OUT)
    assert tuned / tokens < nats / tokens - 0.1  # it was trained for this
    assert (result["model"], result["contract"]) == ("finished", "same")


def assert_scores(summary: dict[str, float], nats: float, tokens: int, characters: int) -> None:
    assert set(summary) == {"perplexity", "bits_per_character"}
    assert summary["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert summary["bits_per_character"] == pytest.approx(nats / math.log(2) / characters, rel=1e-5)


def test_a_plain_model_has_nothing_beside_it(cli: Cli, evaluation: Path) -> None:
    result = measured(cli, evaluation, "data.train=[]")
    assert result["beside"] == {}
    assert result["contract"] == "unverifiable"
    record = record_of("runs/e")
    assert (record["job"], record["status"], record["contract"]) == ("eval", "finished", "unverifiable")
    assert [entry["role"] for entry in record["data"]] == ["eval"]


def test_the_table_shows_what_was_measured(cli: Cli, evaluation: Path, run_here: Path) -> None:
    answer = cli("eval", evaluation, "--name", "e", "--set", "model=finished")
    assert answer.code == 0
    result = json.loads(Path("runs/e/report.json").read_text(encoding="utf-8"))
    assert "held-out, 4 items" in answer.out
    for name, summary in {**result["beside"], "finished": result["suites"]["held-out"]["summary"]}.items():
        assert any(name in line and f"{summary['bits_per_character']:.3f}" in line for line in answer.out.splitlines())
    assert answer.err == ""


def test_plain_texts_are_scored(cli: Cli, evaluation: Path, tiny_model: Path, tokenizer: Any) -> None:
    from transformers import AutoModelForCausalLM

    text = "겨울 바다는 조용했다. 파도만 혼자 울었다."
    write_rows("heldout.jsonl", [{"id": 1, "text": text}])
    result = measured(cli, evaluation)
    ids = torch.tensor([encode_text(load_tokenizer(tiny_model), text).ids])
    assert ids[0].tolist() == tokenizer(text, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    loss = AutoModelForCausalLM.from_pretrained(tiny_model)(input_ids=ids, labels=ids).loss.item()
    assert result["suites"]["held-out"]["summary"]["perplexity"] == pytest.approx(math.exp(loss), rel=1e-5)
    assert sums(result)[1:] == (ids.shape[1] - 1, len(text))


def test_everything_is_measured_on_the_same_records(cli: Cli, evaluation: Path) -> None:
    before = measured(cli, evaluation)
    long = {"messages": [{"role": "user", "content": "비 " * 60}, {"role": "assistant", "content": "뷁뷁뷁뷁."}]}
    broken = {"messages": [{"role": "assistant", "content": "뷁뷁뷁뷁."}]}
    write_rows("heldout.jsonl", [*HELD_OUT, long, broken])
    after = measured(cli, evaluation)
    assert after == before


def test_left_out_records_are_told(cli: Cli, evaluation: Path) -> None:
    long = {"messages": [{"role": "user", "content": "비 " * 60}, {"role": "assistant", "content": "응."}]}
    write_rows("heldout.jsonl", [*HELD_OUT, long])
    answer = cli("eval", evaluation, "--name", "e")
    assert "warning: data.eval: 1 records teach nothing (all labels masked), first heldout.jsonl:5\n" in answer.err
    write_rows("heldout.jsonl", [long])
    answer = cli("eval", evaluation, "--name", "f")
    assert answer.code == 2
    assert answer.errors == [
        "data.eval: no held-out record can be scored: no answer fits -> --set data.max_length=2048"
    ]
    assert not Path("runs/f").exists()


def test_broken_weights_are_no_number(cli: Cli, evaluation: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "broken")
    tensors = load_file("broken/model.safetensors")
    tensors["model.norm.weight"][3] = math.nan
    save_file(tensors, "broken/model.safetensors", metadata={"format": "pt"})
    flags = ("--set", "model=broken", "--set", "engine=transformers")
    answer = cli("eval", evaluation, "--name", "e", "--json", *flags)
    assert answer.code == 1
    assert answer.errors == ["broken: the loss of the model is nan: its weights are broken"]
    assert answer.out == ""
    assert record_of("runs/e")["status"] == "failed"


def test_everything_that_is_wrong_is_said_at_once(cli: Cli, evaluation: Path) -> None:
    flags = [
        "--set",
        "model=nowhere",
        "--set",
        "data.eval=gone.jsonl",
        "--set",
        "data.train=lost.csv",
        "--set",
        "device=mps",
    ]
    answer = cli("eval", evaluation, "--name", "e", *flags)
    assert answer.code == 2
    assert len(answer.errors) == 4
    assert all(any(word in line for line in answer.errors) for word in ("nowhere", "gone.jsonl", "lost.csv", "mps"))
    assert not Path("runs").exists()


def test_scores_are_kept_and_the_training_data_is_not_read_again(cli: Cli, evaluation: Path, run_here: Path) -> None:
    first = measured(cli, evaluation, "model=finished")
    before = entries()
    assert measured(cli, evaluation, "model=finished") == first
    assert entries() == before
    assert measured(cli, evaluation)["suites"]["held-out"]["summary"] == first["beside"]["base"]
    assert entries() == before  # the base has been scored
    write_rows("train.jsonl", TRAINED_ON[1:])
    changed = measured(cli, evaluation, "model=finished")
    assert changed["suites"] == first["suites"]
    assert changed["beside"]["base"] == first["beside"]["base"]
    assert changed["beside"]["character trigram"] != first["beside"]["character trigram"]


def test_references_of_a_suite_are_scored_as_answers(
    cli: Cli, evaluation: Path, tiny_model: Path, tokenizer: Any
) -> None:
    from transformers import AutoModelForCausalLM

    items = [
        {"id": row["id"], "prompt": row["messages"][0]["content"], "reference": row["messages"][1]["content"]}
        for row in HELD_OUT
    ]
    settings = {"max_tokens": 2}
    write_suite(items=[*items, {"id": "none", "prompt": "안녕?"}], metrics=["perplexity"], generation=settings)
    result = measured(cli, evaluation, "suites=[s.yaml]")
    nats, tokens, _ = by_hand(AutoModelForCausalLM.from_pretrained(tiny_model).eval(), tokenizer, HELD_OUT)
    assert result["suites"]["s"]["summary"]["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert result["suites"]["s"]["items"][-1]["scores"] == {"perplexity": None}


def test_no_held_out_data_is_an_error_of_the_section(cli: Cli, evaluation: Path) -> None:
    answer = cli("eval", evaluation, "--set", "data.eval=[]")
    assert (answer.code, answer.errors) == (2, ["data.eval: no file is named -> --set data.eval=PATH"])


TEXTS = [row["messages"][-1]["content"] for row in TRAINED_ON]


def witten_bell(texts: list[str], history: str, character: str, uniform: float) -> float:
    """Interpolated Witten-Bell by its definition, counting anew each time."""
    if len(history) > 2:
        history = history[-2:]
    padded = ["\x02\x02" + text + "\x03" for text in texts]
    size = len(history)
    places = [(text, at) for text in padded for at in range(2, len(text)) if text[at - size : at] == history]
    lower = witten_bell(texts, history[1:], character, uniform) if history else uniform
    kinds = len({text[at] for text, at in places})
    if not kinds:
        return lower
    return (sum(text[at] == character for text, at in places) + kinds * lower) / (len(places) + kinds)


def test_the_trigram_is_witten_bells() -> None:
    model = CharacterTrigram(TEXTS)
    seen = set("".join(TEXTS)) | {"\x02", "\x03"}
    uniform = 1 / (HANGUL_SYLLABLES + sum(not "가" <= character <= "힣" for character in seen) + 1)
    for text in ("천천히 걸어.", "뷁", "", TEXTS[0], "zzz 🙂"):
        padded = "\x02\x02" + text + "\x03"
        want = -sum(math.log(witten_bell(TEXTS, padded[:at], padded[at], uniform)) for at in range(2, len(padded)))
        assert model.nats(text) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("history", ["\x02\x02", "천천", "히 ", "뷁뷁", "z뷁", "\x02천"])
def test_trigram_probabilities_sum_to_one(history: str) -> None:
    model = CharacterTrigram(TEXTS)
    seen = set("".join(TEXTS)) | {"\x02", "\x03"}
    alphabet = {chr(code) for code in range(ord("가"), ord("힣") + 1)} | seen | {"🙂"}  # one for all that is unknown
    assert sum(model.probability(history, character) for character in alphabet) == pytest.approx(1, abs=1e-9)


def test_the_trigram_likes_what_it_knows() -> None:
    model = CharacterTrigram(TEXTS)
    known, shuffled, foreign = (
        model.nats(TEXTS[0]),
        model.nats("".join(sorted(TEXTS[0]))),
        model.nats("z" * len(TEXTS[0])),
    )
    assert known < shuffled < foreign < math.inf


@pytest.mark.parametrize("command", [("eval", "eval.yaml"), ("train", "train.yaml")])
def test_records_longer_than_the_model_can_see_are_refused(
    cli: Cli, evaluation: Path, command: tuple[str, str]
) -> None:
    answer = cli(*command, "--set", "data.max_length=257")
    assert answer.code == 2
    (line,) = answer.errors
    assert "257 tokens are more than the 256" in line
    assert line.endswith("--set data.max_length=256")


def test_a_name_that_exists_is_answered_with_what_the_command_knows(cli: Cli, train: Train, evaluation: Path) -> None:
    Path("runs/a").mkdir(parents=True)
    assert cli("eval", "eval.yaml", "--name", "a").errors[0].endswith("take another --name")
    assert train("a").errors[0].endswith("or add --resume")
