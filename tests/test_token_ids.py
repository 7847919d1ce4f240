"""One conversation has the same token ids wherever it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from workbench import Cli, write_config, write_rows

from llmops_cli.config.layers import resolve
from llmops_cli.core.workspace import RunRequest
from llmops_cli.inference.decoder.model import Decoder, Span
from llmops_cli.models.gguf import GgufFile
from llmops_cli.prompts.encode import encode_conversation, encode_prompt
from llmops_cli.training.config import TrainConfig
from llmops_cli.training.plan import plan

TURNS = [
    {"role": "user", "content": "눈이 와서 길이 미끄러워. 2월 14일인데 ㅠㅠ"},
    {"role": "assistant", "content": "천천히 걸어, 넘어지겠다!\n\n  약은 있어?"},
    {"role": "user", "content": "응, “하나” 있어 🙂"},
    {"role": "assistant", "content": "그럼 됐다."},
]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[int]]:
    """The tokens that went through the decoder, by cache, in the order in which the caches came into use."""
    seen: dict[int, list[int]] = {}
    caches = []
    forward = Decoder.forward

    def recorded(self: Decoder, spans: Sequence[Span]) -> torch.Tensor:
        for span in spans:
            caches.append(span.cache)  # kept, so that no other gets its number
            seen.setdefault(id(span.cache), []).extend(span.ids)
        return forward(self, spans)

    monkeypatch.setattr(Decoder, "forward", recorded)
    return seen


def trained_on(tiny_model: Path) -> list[int]:
    """The token ids of the conversation as a training takes them."""
    path = write_config(tiny_model)
    write_rows("train.jsonl", [{"id": "a", "messages": TURNS}])
    write_rows("heldout.jsonl", [{"id": "b", "messages": TURNS}])
    (record,) = plan(resolve(TrainConfig, path, ["data.max_length=200"]).config, RunRequest("t")).train.records
    return list(record.ids)


def test_training_evaluation_generate_and_chat_agree(
    cli: Cli, tiny_model: Path, computed: dict[int, list[int]]
) -> None:
    ids = trained_on(tiny_model)
    assert cli("eval", "eval.yaml", "--set", "data.max_length=200", "--set", "data.train=[]").code == 0
    # what comes after the last answer's end is not scored
    assert any(len(row) > len(ids) - 4 and ids[: len(row)] == row for row in computed.values())

    computed.clear()
    write_rows("prompts.jsonl", [{"id": "a", "messages": TURNS[:3]}, {"id": "b", "messages": TURNS[:1]}])
    one = ["--set", "generation.max_tokens=1", "--set", "at_once=1"]
    assert cli("generate", "prompts.jsonl", "-o", "out.jsonl", "--model", tiny_model, *one).code == 0
    longer, shorter = computed.values()
    assert ids[: len(longer)] == longer
    assert ids[: len(shorter)] == shorter
    assert len(longer) > len(shorter) > 10

    computed.clear()
    assert cli("chat", tiny_model, "--once", TURNS[0]["content"], "--set", "generation.max_tokens=1").code == 0
    assert list(computed.values()) == [shorter]


def test_an_exported_gguf_file_agrees(cli: Cli, tiny_model: Path) -> None:
    pytest.importorskip("gguf")
    ids = trained_on(tiny_model)
    loose = [f"limits.{limit}" for limit in ("top1_agreement=0", "kl_mean=9", "kl_p99=99", "perplexity_rise=9")]
    flags = [word for text in ("data.eval=heldout.jsonl", *loose) for word in ("--set", text)]
    answer = cli("quantize", tiny_model, "--to", "gguf-f16", "-o", "exported", "--json", *flags)
    assert answer.code == 0, answer.err
    (file,) = Path("exported").glob("*.gguf")
    tokenizer = GgufFile("exported", file).load_tokenizer()
    assert list(encode_conversation(tokenizer, TURNS).ids) == ids
    prompt = encode_prompt(tokenizer, TURNS[:3])
    assert ids[: len(prompt)] == prompt
