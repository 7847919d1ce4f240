"""How near the output is to the reference, by the embeddings of an encoder."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, StrictModel
from llmops_cli.core.errors import InputError
from llmops_cli.evaluation.metrics import Better, Call, Item, MeasureAll, Measurement

if TYPE_CHECKING:
    import torch

ABOUT = "likeness to the reference by the embeddings of an encoder, at most 1; encoder and layer decide the number"
FORMULA = "F1 of precision and recall: the mean, over tokens, of the best cosine with a token of the other text; no idf"
SOURCE = "Zhang et al. 2020 (BERTScore), not rescaled"
BETTER: Better = "higher"
NEEDS = ("reference",)
LOADS = "an encoder"


class Params(StrictModel):
    """The encoder."""

    model: str = Field(min_length=1, description=f"the encoder, with safetensors: {MODEL_HELP}")
    layer: int | None = Field(None, ge=1, description="whose embeddings are compared; the last where none is named")
    batch_size: int = Field(16, ge=1, description="pairs of texts that are embedded together")
    device: DeviceName = Field("auto", description=DEVICE_HELP)


def start_all(call: Call) -> MeasureAll:
    """A text that is longer than the encoder can see is cut, and the details say so. A blank one has 0.

    Raises:
        InputError, MachineError: there is no such encoder or layer, or it cannot be loaded.
    """
    encoder = _encoder(call.params)
    batch_size: int = call.params.batch_size

    def bertscore(items: Sequence[Item]) -> list[Measurement]:
        found = [Measurement(0.0)] * len(items)
        order = [place for place, item in enumerate(items) if item.output.strip() and (item.reference or "").strip()]
        order.sort(key=lambda place: len(items[place].output))
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            outputs = encoder.embed([items[place].output for place in places])
            references = encoder.embed([items[place].reference or "" for place in places])
            for place, output, reference in zip(places, outputs, references, strict=True):
                lengths = {"output": output.tokens, "reference": reference.tokens}
                cut = {name: tokens for name, tokens in lengths.items() if tokens > encoder.most}
                found[place] = Measurement(f1(output, reference), details={"most": encoder.most, **cut} if cut else {})
        return found

    return bertscore


def signature(call: Call) -> str:
    """The hash of the encoder's files, and the layer."""
    encoder = _encoder(call.params)
    return f"encoder:{encoder.fingerprint}|layer:{encoder.layer}|idf:no|rescaled:no"


class Embedded(NamedTuple):
    """A text: unit vectors, [tokens, width], which of them count, [tokens], and how many tokens it has uncut.

    Special tokens do not count; they can be matched, as in the authors' implementation.
    """

    vectors: torch.Tensor
    counts: torch.Tensor
    tokens: int


def f1(output: Embedded, reference: Embedded) -> float:
    """BERTScore of two texts; 0 where one of them has no token that counts."""
    if not (output.counts.any() and reference.counts.any()):
        return 0.0
    cosines = (output.vectors @ reference.vectors.T).clamp(max=1)
    precision = float(cosines.amax(1)[output.counts].mean())
    recall = float(cosines.amax(0)[reference.counts].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@functools.cache
def _encoder(params: Params) -> Encoder:
    return Encoder(params)


class Encoder:
    """The first layers of an encoder, in fp32."""

    def __init__(self, params: Params) -> None:
        from llmops_cli.core.device import choose_device
        from llmops_cli.core.environment import quiet_libraries
        from llmops_cli.models.fingerprint import fingerprint
        from llmops_cli.models.resolve import resolve_model

        quiet_libraries()
        import torch
        from safetensors import SafetensorError
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        files = resolve_model(params.model)
        if files.adapter is not None:
            raise InputError("is an adapter; want an encoder", where=files.name)
        self._device = choose_device(params.device).name
        try:
            config = AutoConfig.from_pretrained(files.base, local_files_only=True, trust_remote_code=False)
            layers = config.num_hidden_layers
            self.layer = params.layer or layers
            if self.layer > layers:
                raise InputError(f"layer {self.layer} of an encoder that has {layers}", where=files.name)
            config.num_hidden_layers = self.layer
            self._tokenizer = AutoTokenizer.from_pretrained(files.base, local_files_only=True, trust_remote_code=False)
            model, report = AutoModel.from_pretrained(
                files.base, config=config, dtype=torch.float32, local_files_only=True, use_safetensors=True,
                trust_remote_code=False, output_loading_info=True,
            )  # fmt: skip
            self.most = min(self._tokenizer.model_max_length, config.max_position_embeddings)
            """Tokens that it can see, special tokens included."""
        except (SafetensorError, RuntimeError, ValueError, OSError, AttributeError) as error:
            raise InputError(f"no encoder: {str(error).partition(chr(10))[0]}", where=files.name) from error
        missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
        if missing:
            raise InputError(f"the weights lack {missing[0]} ({len(missing)} in all)", where=files.name)
        self._model = model.eval().to(self._device)
        self.fingerprint = fingerprint(files)

    def embed(self, texts: Sequence[str]) -> list[Embedded]:
        """The texts, computed together."""
        import torch

        tokenized = [self._tokenizer(text.strip(), return_special_tokens_mask=True) for text in texts]
        lengths = [len(each["input_ids"]) for each in tokenized]
        for place, text in enumerate(texts):
            if lengths[place] > self.most:
                tokenized[place] = self._tokenizer(
                    text.strip(), return_special_tokens_mask=True, truncation=True, max_length=self.most
                )
        ids = [torch.tensor(each["input_ids"], dtype=torch.long) for each in tokenized]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self._device)
        seen = torch.tensor([len(each) for each in ids])[:, None] > torch.arange(padded.shape[1])
        with torch.inference_mode():
            hidden = self._model(padded, attention_mask=seen.long().to(self._device)).last_hidden_state
        vectors = torch.nn.functional.normalize(hidden, dim=-1)
        return [
            Embedded(
                row[: len(each["input_ids"])],
                torch.tensor(each["special_tokens_mask"], device=self._device) == 0,
                length,
            )
            for row, each, length in zip(vectors, tokenized, lengths, strict=True)
        ]
