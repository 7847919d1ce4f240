"""`llmops eval score`: outputs that already exist, scored without a model."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from workbench import SENTENCES, Cli, write_rows

from llmops_cli.core.console import SilentReporter
from llmops_cli.evaluation import measuring
from llmops_cli.evaluation.calling import find_metrics
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item, Timing

ROWS = [
    {"id": f"q{number}", "prompt": asked, "output": answer, "reference": answer if number % 2 else asked}
    for number, (asked, answer) in enumerate(line.split("|") for line in SENTENCES)
]


def test_json_has_every_item_and_the_set(cli: Cli) -> None:
    write_rows("out.jsonl", ROWS)
    answer = cli("eval", "score", "out.jsonl", "--metrics", "rouge_l,exact_match,rouge_l[char]", "--json")
    assert answer.code == 0
    scores = answer.json()
    assert [item["id"] for item in scores["items"]] == [row["id"] for row in ROWS]
    assert all(list(item["scores"]) == ["rouge_l[char]", "exact_match"] for item in scores["items"])
    assert scores["items"][1]["scores"] == {"rouge_l[char]": 1.0, "exact_match": 1.0}
    assert scores["summary"]["exact_match"] == 0.5
    mean = sum(item["scores"]["rouge_l[char]"] for item in scores["items"]) / len(ROWS)
    assert scores["summary"]["rouge_l[char]"] == pytest.approx(mean)


def test_the_table_names_the_metrics_and_two_runs_print_the_same(cli: Cli) -> None:
    write_rows("out.jsonl", ROWS)
    first, second = (cli("eval", "score", "out.jsonl", "--metrics", "bleu,chrf,self_bleu") for _ in range(2))
    assert first == second
    assert all(name in first.out for name in ("bleu", "chrf", "self_bleu"))
    scores = cli("eval", "score", "out.jsonl", "--metrics", "bleu", "--json").json()
    assert "tok:char" in scores["signatures"]["bleu"]


def test_without_names_everything_is_measured_that_needs_no_more_than_the_file_has(cli: Cli) -> None:
    write_rows("with.jsonl", ROWS)
    write_rows("without.jsonl", [{"output": row["output"]} for row in ROWS])
    compared = {"rouge_1[char]", "rouge_2[jamo]", "rouge_l[word]", "bleu[13a]", "chrf", "exact_match"}
    of_itself = {"self_bleu", "compression_ratio"}
    assert compared | of_itself <= set(cli("eval", "score", "with.jsonl", "--json").json()["summary"])
    measured = set(cli("eval", "score", "without.jsonl", "--json").json()["summary"])
    assert of_itself <= measured
    assert not compared & measured
    assert "bleu[ko-mecab]" not in measured


def test_what_has_no_id_is_called_by_its_line(cli: Cli) -> None:
    Path("out.jsonl").write_text('\n{"output": "가"}\n{"output": "나", "id": null}\n{"output": "다", "id": 7}\n')
    items = cli("eval", "score", "out.jsonl", "--json").json()["items"]
    assert [item["id"] for item in items] == ["out.jsonl:2", "out.jsonl:3", "7"]


def test_text_is_compared_in_nfc_and_read_from_gzip(cli: Cli) -> None:
    row = {"id": "a", "output": unicodedata.normalize("NFD", "각설탕을 샀다"), "reference": "각설탕을 샀다"}
    Path("out.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(row, ensure_ascii=False).encode()))
    scores = cli("eval", "score", "out.jsonl.gz", "--metrics", "exact_match,rouge_2", "--json").json()
    assert scores["summary"] == {"exact_match": 1.0, "rouge_2[char]": 1.0}


def test_what_generate_writes_is_scored(cli: Cli) -> None:
    turns = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "응."}]
    prompts = [{"id": 1, "messages": [*turns, {"role": "user", "content": "뭐 해?"}]}, {"id": 2, "text": "옛날에"}]
    write_rows("prompts.jsonl", prompts)
    flags = ("--model", "builtin:tiny-ko", "-o", "out.jsonl", "--set", "generation.max_tokens=8")
    assert cli("generate", "prompts.jsonl", *flags).code == 0
    scores = cli("eval", "score", "out.jsonl", "--json").json()
    assert [item["id"] for item in scores["items"]] == ["1", "2"]


def test_the_prompt_is_the_last_turn_of_the_user() -> None:
    from llmops_cli.evaluation.outputs import read_outputs

    turns = [{"role": "user", "content": "안녕?"}, {"role": "user", "content": "뭐 해?"}, {"role": "assistant"}]
    rows = [
        {"messages": turns, "output": "쉬어.", "finish_reason": "length"},
        {"text": "옛날에", "output": " 토끼가"},
        {"prompt": "물음", "messages": turns, "output": "답"},
    ]
    items = list(read_outputs(Path(write_rows("out.jsonl", rows))))
    assert [(item.prompt, item.finish_reason) for item in items] == [
        ("뭐 해?", "length"),
        ("옛날에", None),
        ("물음", None),
    ]


def test_items_of_several_suites_may_share_an_id(cli: Cli) -> None:
    rows = [{"suite": suite, "id": name, "output": "답"} for suite in ("a", "b") for name in ("1", "2")]
    write_rows("items.jsonl", rows)
    items = cli("eval", "score", "items.jsonl", "--json").json()["items"]
    assert [item["id"] for item in items] == ["a:1", "a:2", "b:1", "b:2"]


def test_everything_wrong_is_named_with_its_line(cli: Cli) -> None:
    lines = [
        '{"id": "a", "output": "가"}',
        '{"id": "a", "output": "나"}',
        '{"id": "b"}',
        "{broken",
        "[1]",
        '{"output": "다", "reference": 3}',
        '{"output": "라", "id": [1]}',
    ]
    Path("out.jsonl").write_bytes("\n".join(lines).encode() + b"\n" + '{"output": "안녕하세요"}'.encode("cp949"))
    answer = cli("eval", "score", "out.jsonl", "--metrics", "rouge_I,chfr,exact_match")
    assert answer.code == 2
    assert [line.partition(" ")[0] for line in answer.errors[:7]] == [f"out.jsonl:{number}:" for number in range(2, 9)]
    assert "is that of line 1" in answer.errors[0]
    assert "CP949" in answer.errors[6]
    assert [line.partition("did you mean ")[2] for line in answer.errors[7:]] == ["'rouge_l'?", "'chrf'?"]


def test_parameters_are_of_a_metric_that_is_measured(cli: Cli) -> None:
    write_rows("out.jsonl", ROWS)
    score = ("eval", "score", "out.jsonl", "--metrics", "self_bleu,chrf", "--set")
    assert cli(*score, "params.self_bleu.sample=1").errors == [
        "params of self_bleu: sample: got 1, want greater than or equal to 2"
    ]
    assert cli(*score, "params.chrf.order=3").errors == ["chrf has no parameters, got order"]
    assert cli(*score, "params.mattr.window=3").errors == [
        "params of mattr: this metric is not measured -> name it, too"
    ]
    scores = cli(*score, "params.self_bleu.sample=5", "--json").json()
    assert sum(item["scores"]["self_bleu"] is not None for item in scores["items"]) == 5


@pytest.mark.parametrize(
    ("content", "said"), [("", "the file is empty"), ("\n \n", "the file is empty"), (None, "no such file")]
)
def test_no_outputs_are_refused(cli: Cli, content: str | None, said: str) -> None:
    if content is not None:
        Path("out.jsonl").write_text(content)
    answer = cli("eval", "score", "out.jsonl")
    assert (answer.code, answer.errors) == (2, [f"out.jsonl: {said}"])


def test_an_empty_output_is_scored_and_one_item_is_a_set(cli: Cli) -> None:
    write_rows("out.jsonl", [{"output": "", "reference": "비가 온다."}])
    answer = cli("eval", "score", "out.jsonl", "--json")
    assert answer.code == 0
    scores = answer.json()
    assert scores["items"][0]["scores"] == scores["summary"]
    assert scores["summary"]["rouge_l[char]"] == scores["summary"]["bleu"] == scores["summary"]["chrf"] == 0.0
    assert scores["summary"]["self_bleu"] is None
    assert "self_bleu" in answer.err


def test_a_metric_that_no_item_can_have_is_told_with_the_field(cli: Cli) -> None:
    write_rows("out.jsonl", [{"output": "가", "reference": ""}, {"output": "나"}])
    answer = cli("eval", "score", "out.jsonl", "--metrics", "chrf,rouge_1", "--json")
    assert answer.code == 0
    assert answer.json()["summary"] == {"chrf": None, "rouge_1[char]": None}
    assert "no item has reference, so that chrf, rouge_1[char] can score none" in answer.err


def test_a_score_that_is_not_finite_is_left_out_and_told() -> None:
    reporter = SilentReporter()
    items = [Item(f"i{n}", "가", timing=Timing(first, 2.0, 1)) for n, first in enumerate((0.5, float("nan")))]
    metrics = find_metrics(["first_token_time"], {})
    rows = [(item.id, measured) for item, measured in measure(metrics, items, reporter)]
    scores = summarize(metrics, rows, intervals=False)
    assert scores.summary == {"first_token_time[p50]": 0.5}
    assert scores.items[1].scores == {"first_token_time[p50]": None}
    assert reporter.warnings == ["first_token_time[p50]: 1 score is not finite, and left out"]


def test_worker_processes_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in ROWS for _ in range(20)]
    items = [Item(f"i{n}", row["output"], reference=row["reference"]) for n, row in enumerate(rows)]
    metrics = find_metrics(["bleu", "self_bleu", "chrf"], {"self_bleu": {"sample": 10}})
    here = list(measure(metrics, items, SilentReporter()))
    monkeypatch.setattr(measuring, "WORTH_WORKERS", 0)
    monkeypatch.setattr(measuring, "worker_count", lambda: 2)
    assert list(measure(metrics, items, SilentReporter())) == here
    assert sum(measured["self_bleu"] is not None for _, measured in here) == 20  # ten in each of two pieces


def test_items_are_drawn_as_scores_are_taken() -> None:
    endless = (Item(str(number), "비가 온다.") for number in itertools.count())
    scored = measure(find_metrics(["self_bleu", "compression_ratio"], {}), endless, SilentReporter())
    assert [item.id for item, _ in itertools.islice(scored, 600)] == [str(number) for number in range(600)]


def test_no_model_library_is_loaded() -> None:
    write_rows("out.jsonl", ROWS)
    code = (
        "import sys\nfrom llmops_cli.app import main\n"
        "code = main(['eval', 'score', 'out.jsonl'])\n"
        "print(code, {'torch', 'transformers', 'mlflow', 'evaluate'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 set()"
