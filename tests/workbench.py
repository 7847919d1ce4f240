"""Tiny data, tiny models and the folders that tests train in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from llmops_cli.core.errors import InputError, Problem
from llmops_cli.data.config import ReadOptions
from llmops_cli.data.reading import read_records
from llmops_cli.data.records import Message, Record
from llmops_cli.inference.scoring import Predicts
from llmops_cli.models.tokenizer import ModelTokenizer
from llmops_cli.prompts.encode import Encoded


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that are errors, without the word."""
        return [line.removeprefix("error: ") for line in self.err.splitlines() if line.startswith("error: ")]


class Cli(Protocol):
    """The command line in this process."""

    def __call__(self, *arguments: object) -> Answer: ...


class Train(Protocol):
    """A training of a few steps in runs/NAME; `train__seed=8` is `--set train.seed=8`."""

    def __call__(self, name: str, *flags: str, **settings: object) -> Answer: ...


SENTENCES = """오늘 저녁에 뭐 먹을까?|김치찌개가 좋겠어. 두부도 넣자.
비가 많이 오네.|우산을 챙겨 가는 게 좋겠다.
주말에 바다 보러 갈래?|좋아, 토요일 아침에 출발하자.
시험이 걱정돼.|천천히 복습하면 괜찮을 거야.
강아지가 아파.|바로 병원에 데려가 보자.
새 책 샀어?|응, 어제 서점에서 한 권 샀어.
기차는 몇 시에 떠나?|열 시 이십 분에 떠나.
커피 한 잔 할래?|고마워, 따뜻한 걸로 부탁해.
여기 사진 찍어도 돼?|그럼, 마음껏 찍어도 돼.
회의는 끝났어?|방금 끝나서 나가는 길이야.
할머니 댁에 전화했어?|아침에 했어, 잘 지내신대.
이 노래 제목이 뭐야?|겨울 바다라는 노래야.
눈이 와서 길이 미끄러워.|천천히 걸어, 넘어지겠다.
책상 위에 뭐가 있어?|지우개랑 연필 두 자루가 있어.
내일 몇 시에 만날까?|두 시에 학교 앞에서 보자.
꽃이 예쁘게 폈네.|봄이 와서 그런가 봐.""".splitlines()
CONVERSATIONS = [
    {
        "id": f"r{number}",
        "messages": [
            {"role": role, "content": text} for role, text in zip(("user", "assistant"), line.split("|"), strict=True)
        ],
    }
    for number, line in enumerate(SENTENCES)
]
TRAINED_ON, HELD_OUT = CONVERSATIONS[:12], CONVERSATIONS[12:]
QWEN2_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""Of Qwen2-Instruct: it opens every conversation with a system turn."""


def write_rows(path: str | Path, rows: list[Any]) -> str:
    """Write rows as JSON lines."""
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def write_file(path: str | Path, content: str | bytes | list[Any]) -> str:
    """Write text, bytes, or a list of rows as JSON lines, with the folders above."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        return write_rows(path, content)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def read(*paths: str, **options: Any) -> list[Record]:
    """The records of data files. Raises InputError for the first thing that cannot be read."""
    return list(read_records(paths, ReadOptions(**options)))


def read_on(*paths: str, **options: Any) -> tuple[list[Record], list[Problem]]:
    """The records of data files, and everything that cannot be read."""
    problems: list[Problem] = []
    return list(read_records(paths, ReadOptions(**options), problems.append)), problems


def refused(*paths: str, **options: Any) -> Problem:
    """The first thing that cannot be read, which there must be."""
    with pytest.raises(InputError) as caught:
        read(*paths, **options)
    return caught.value.problems[0]


def turns(record: Record) -> list[tuple[str, str]]:
    """Role and content of each turn."""
    return [(message.role, message.content) for message in record.messages]


def make_tokenizer(folder: Path, *, vocabulary: int = 400, template: str = "") -> ModelTokenizer:
    """Write a tokenizer of a few Korean sentences; its template is ChatML unless one is given."""
    from llmops_cli.training.config import TokenizerSettings
    from llmops_cli.training.scratch import save_tokenizer, train_tokenizer

    records = [
        Record(row["id"], tuple(Message(turn["role"], turn["content"]) for turn in row["messages"]))
        for row in CONVERSATIONS
    ]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(records, TokenizerSettings(vocab_size=vocabulary))
    return save_tokenizer(replace(tokenizer, template=template) if template else tokenizer, folder)


def make_model(folder: Path, *, seed: int = 1, hidden: int = 32, template: str = "") -> Path:
    """A whole model on disk with random Qwen2 weights."""
    import torch

    from llmops_cli.training.config import ArchitectureSettings
    from llmops_cli.training.scratch import new_model

    tokenizer = make_tokenizer(folder, template=template)
    shape = ArchitectureSettings(
        hidden_size=hidden, intermediate_size=2 * hidden, layers=2, heads=4, kv_heads=2, context_length=256
    )
    torch.manual_seed(seed)
    stops = (folder / "generation_config.json").read_bytes()
    model = new_model(shape, tokenizer, 0.0)
    for weight in model.parameters():
        if weight.ndim > 1:
            weight.data *= 8  # so that its answers are far from uniform
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_bytes(stops)
    return folder


def write_config(tiny_model: Path, folder: Path = Path()) -> Path:
    """`train.yaml`, `eval.yaml` and their data, in a folder from which they are run."""
    write_rows(folder / "train.jsonl", TRAINED_ON)
    write_rows(folder / "heldout.jsonl", HELD_OUT)
    data = {"train": "train.jsonl", "eval": "heldout.jsonl", "max_length": 96}
    evaluation = {"model": str(tiny_model), "data": data, "tracking": {"mlflow": False}}
    training = {
        "model": str(tiny_model),
        "data": data,
        "lora": {"rank": 4, "alpha": 8},
        "train": {"max_steps": 4, "batch_size": 4, "learning_rate": 0.02, "checkpoint_every": 2},
        "tracking": {"mlflow": False},
    }
    (folder / "eval.yaml").write_text(json.dumps(evaluation), encoding="utf-8")
    (folder / "train.yaml").write_text(json.dumps(training), encoding="utf-8")
    return folder / "train.yaml"


def log_probabilities(engine: Predicts, ids: Sequence[int]) -> list[float]:
    """Of every token but the first."""
    (found,) = engine.log_probabilities([Encoded(list(ids), list(ids), characters=0)])
    return found


def metrics_of(run: str | Path) -> list[dict[str, Any]]:
    """The entries of a run's `metrics.jsonl`."""
    return [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def losses_of(run: str | Path, key: str = "loss") -> dict[int, float]:
    """A number of every step that has it: `loss`, `eval_loss`, `grad_norm`, `learning_rate`."""
    return {entry["step"]: entry[key] for entry in metrics_of(run) if key in entry}


def record_of(run: str | Path) -> dict[str, Any]:
    """A run's `record.json`."""
    record: dict[str, Any] = json.loads((Path(run) / "record.json").read_text(encoding="utf-8"))
    return record


def weights_of(run: str | Path) -> bytes:
    """The bytes of a run's result: its adapter or its model."""
    (path,) = [*Path(run).glob("adapter/*.safetensors"), *Path(run).glob("model/*.safetensors")]
    return path.read_bytes()
