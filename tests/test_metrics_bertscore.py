"""BERTScore over a tiny encoder with random weights: what a pencil gives, however texts are batched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from workbench import SENTENCES, Cli, write_rows

from llmops_cli.core.errors import InputError, MachineError
from llmops_cli.evaluation.calling import every_metric, find_metric
from llmops_cli.evaluation.metrics import Item
from llmops_cli.models.resolve import BUILTIN_DIRECTORY

LONGEST = 24
PAIRS = [Item(str(place), *line.split("|")[:1], reference=line.split("|")[1]) for place, line in enumerate(SENTENCES)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = sorted(set("".join(SENTENCES)) - {" "})
    vocabulary = {token: place for place, token in enumerate([*special, *letters, *(f"##{each}" for each in letters)])}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]",
        model_max_length=LONGEST,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def scores(encoder: Path, items: list[Item], **params: Any) -> list[float]:
    found = find_metric("bertscore", {"model": str(encoder), "device": "cpu", **params}).measure(items)
    return [each.score for each in found if each]


def by_hand(encoder: Path, item: Item, layer: int) -> float:
    """Token by token, with the hidden states of the whole model."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    vectors = []
    for text in (item.output, item.reference):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        vectors.append(list(states[layer][0]))
    output, reference = vectors

    def best(vector: torch.Tensor, others: list[torch.Tensor]) -> float:
        return max(float(torch.cosine_similarity(vector, other, dim=0)) for other in others)

    precision = sum(best(vector, reference) for vector in output[1:-1]) / (len(output) - 2)
    recall = sum(best(vector, output) for vector in reference[1:-1]) / (len(reference) - 2)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_it_is_the_f1_of_the_best_cosines(encoder: Path, layer: int) -> None:
    want = [by_hand(encoder, item, layer) for item in PAIRS[:4]]
    assert scores(encoder, PAIRS[:4], layer=layer) == pytest.approx(want, abs=1e-5)
    assert max(want) < 0.99


def test_identical_texts_have_one_and_order_does_not_matter(encoder: Path) -> None:
    same = [Item(item.id, item.output, reference=item.output) for item in PAIRS]
    assert scores(encoder, same) == pytest.approx([1.0] * len(PAIRS), abs=1e-6)
    assert max(scores(encoder, same)) <= 1
    swapped = [Item(item.id, item.reference or "", reference=item.output) for item in PAIRS]
    assert scores(encoder, swapped) == pytest.approx(scores(encoder, PAIRS), abs=1e-6)


def test_companions_change_nothing(encoder: Path) -> None:
    alone = [scores(encoder, [item])[0] for item in PAIRS]
    for batch_size in (1, 3, 50):
        assert scores(encoder, PAIRS, batch_size=batch_size) == pytest.approx(alone, abs=1e-5)
    assert scores(encoder, PAIRS[::-1], batch_size=5)[::-1] == pytest.approx(alone, abs=1e-5)


def test_blank_texts_have_nothing_in_common(encoder: Path) -> None:
    blank = [Item("a", "", reference="비가 온다."), Item("b", " \n", reference="비"), Item("c", "비", reference=" ")]
    assert scores(encoder, blank) == [0.0] * 3
    assert scores(encoder, []) == []
    metric = find_metric("bertscore", {"model": str(encoder), "device": "cpu"})
    assert metric.measure([Item("d", "비가 온다.")]) == [None]


def test_a_cut_text_is_told(encoder: Path) -> None:
    metric = find_metric("bertscore", {"model": str(encoder), "device": "cpu"})
    short, long = metric.measure([PAIRS[0], Item("b", "비가 오네. " * 20, reference=PAIRS[0].reference)])
    assert short is not None
    assert long is not None
    assert short.details == {}
    assert long.details == {"most": LONGEST, "output": 20 * 5 + 2}


def test_encoder_and_layer_are_in_the_signature(encoder: Path, tiny_model: Path) -> None:
    def signature(model: Path, **params: Any) -> str | None:
        return find_metric("bertscore", {"model": str(model), "device": "cpu", **params}).signature

    last = signature(encoder)
    assert last is not None
    assert last.endswith("|layer:3|idf:no|rescaled:no")
    assert last == signature(encoder, layer=3)
    assert len({last, signature(encoder, layer=1), signature(tiny_model)}) == 3


def test_an_encoder_that_cannot_be_used_is_refused(encoder: Path, run_here: Path) -> None:
    def refuse(error: type[Exception], said: str, **params: Any) -> None:
        with pytest.raises(error, match=said):
            find_metric("bertscore", {"device": "cpu", **params}).measure([])

    refuse(InputError, "model")
    refuse(InputError, "layer 4 of an encoder that has 3", model=str(encoder), layer=4)
    refuse(MachineError, "no such model folder", model="./nowhere")
    refuse(InputError, "is an adapter", model=str(run_here))
    shutil.copytree(encoder, "pickled")
    Path("pickled/model.safetensors").rename("pickled/pytorch_model.bin")
    refuse(InputError, "pytorch_model.bin", model="pickled")
    shutil.copytree(encoder, "cut")
    weights = Path("cut/model.safetensors").read_bytes()
    Path("cut/model.safetensors").write_bytes(weights[:-40])
    refuse(InputError, "cut: no encoder", model="cut")


def test_it_is_measured_when_it_is_named(encoder: Path, cli: Cli) -> None:
    assert "bertscore" not in every_metric()
    write_rows("o.jsonl", [{"id": "a", "output": "비가 오네.", "reference": "비가 오네."}])
    arguments = ["eval", "score", "o.jsonl", "--metrics", "bertscore", "--json"]
    found = cli(*arguments, "--set", f"params.bertscore.model={encoder}").json()
    assert found["summary"] == {"bertscore": pytest.approx(1.0)}
    assert cli(*arguments).code == 2
    assert cli(*arguments, "--set", "params.bertscore.model=./nowhere").code == 3


def test_any_model_of_ours_is_an_encoder() -> None:
    (found,) = scores(BUILTIN_DIRECTORY / "tiny-ko", [Item("a", "비가 온다.", reference="비가 온다.")])
    assert found == pytest.approx(1.0)
