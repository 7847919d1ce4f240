"""The schema of a training job."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from llmops_cli.config.base import DEVICE_HELP, MODEL_HELP, DeviceName, PathList, StrictModel
from llmops_cli.data.config import ReadOptions
from llmops_cli.tracking.config import TrackingSettings

ALL_LINEAR = "all-linear"


class TrainData(ReadOptions):
    """What is learned from, and what is held out."""

    train: PathList = Field(description="files or folders to train on, any supported format")
    eval: PathList = Field([], description="held-out files or folders; never trained on")
    max_eval_records: int | None = Field(
        None, ge=1, description="evaluate on this many held-out records, evenly spaced; default all of them"
    )
    max_length: int = Field(
        1024, ge=8, description="longest record in tokens; longer ones lose their end, which is reported"
    )


class LoraSettings(StrictModel):
    """Shape of the LoRA adapter (Hu et al. 2021)."""

    rank: int = Field(16, ge=1, description="rank of the update matrices")
    alpha: float = Field(32, gt=0, description="scale of the update; it is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the adapter, 0 to 1")
    targets: str | list[str] = Field(
        ALL_LINEAR, description="all-linear, or names of the linear layers, such as [q_proj, v_proj]"
    )


class TokenizerSettings(StrictModel):
    """A byte-level BPE tokenizer trained on the training text."""

    vocab_size: int = Field(
        4096, ge=300, le=200_000, description="tokens in all, the 256 bytes and special tokens included"
    )


class ArchitectureSettings(StrictModel):
    """Shape of a new Qwen2 model with random weights."""

    hidden_size: int = Field(ge=16, description="width, a multiple of heads")
    intermediate_size: int = Field(ge=16, description="width of the feed-forward layers")
    layers: int = Field(ge=1, description="number of layers")
    heads: int = Field(ge=1, description="attention heads")
    kv_heads: int = Field(ge=1, description="key/value heads, a divisor of heads")
    context_length: int = Field(2048, ge=16, description="longest context in tokens")

    @model_validator(mode="after")
    def _heads_divide(self) -> ArchitectureSettings:
        if self.hidden_size % self.heads or self.heads % self.kv_heads:
            raise ValueError("hidden_size must be a multiple of heads, and heads of kv_heads")
        return self


class TrainSettings(StrictModel):
    """The optimisation."""

    method: Literal["lora", "full"] = Field("lora", description="lora: train an adapter; full: train every weight")
    epochs: float = Field(3, gt=0, description="passes over the training data")
    max_steps: int | None = Field(None, ge=1, description="stop after this many optimizer steps, whatever epochs says")
    batch_size: int = Field(16, ge=1, description="records per optimizer step, packed into as many passes as they need")
    pack_length: int | None = Field(None, ge=8, description="most tokens of one forward pass; default data.max_length")
    learning_rate: float = Field(2e-4, gt=0, description="peak learning rate")
    warmup: float = Field(
        0.03, ge=0, lt=1, description="share of the steps in which the learning rate rises to its peak"
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="how the learning rate falls after warm-up"
    )
    weight_decay: float = Field(0.0, ge=0, description="AdamW weight decay")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    dropout: float = Field(0.0, ge=0, lt=1, description="attention dropout of the model, 0 to 1; for method full")
    train_on_prompt: bool = Field(False, description="learn every turn, not the assistant's alone")
    seed: int = Field(7, ge=0, le=2**32 - 1, description="seed of initial weights, dropout and data order")
    checkpoint_every: int = Field(100, ge=1, description="steps between checkpoints")
    eval_every: int | None = Field(
        None, ge=1, description="steps between evaluations on data.eval; default checkpoint_every"
    )
    keep: Literal["best", "last"] = Field(
        "best", description="which step becomes the result: lowest held-out loss, or the last"
    )
    keep_checkpoints: int = Field(2, ge=1, description="newest checkpoints kept, besides the best")
    patience: int | None = Field(
        None, ge=1, description="stop after this many evaluations without a lower held-out loss"
    )
    save_dtype: Literal["float32", "float16", "bfloat16"] | None = Field(
        None, description="dtype of a fully trained model's weights on disk; default as trained"
    )
    architecture: ArchitectureSettings | None = Field(
        None, description="method full: start from random weights of this shape"
    )
    tokenizer: TokenizerSettings | None = Field(
        None, description="method full with architecture: train the tokenizer too"
    )


class TrainConfig(StrictModel):
    """`llmops train`: base model + dataset -> adapter, run record and MLflow run."""

    model: str | None = Field(
        "Qwen/Qwen2-0.5B-Instruct", min_length=1, description=MODEL_HELP + "; a run: go on with its adapter"
    )
    device: DeviceName = Field("auto", description=DEVICE_HELP)
    data: TrainData = Field(description="training and held-out data")
    lora: LoraSettings = Field(LoraSettings(), description="the adapter, for method lora")
    train: TrainSettings = Field(TrainSettings(), description="the optimisation")
    tracking: TrackingSettings = Field(TrackingSettings(), description="experiment tracking")

    @model_validator(mode="after")
    def _start_is_clear(self) -> TrainConfig:
        settings = self.train
        if settings.method == "lora" and (settings.architecture or settings.tokenizer):
            raise ValueError("train.architecture and train.tokenizer need train.method: full")
        if settings.method == "lora" and settings.dropout:
            raise ValueError("train.dropout is for train.method: full; an adapter has lora.dropout")
        if settings.tokenizer and not settings.architecture:
            raise ValueError("train.tokenizer needs train.architecture: old weights fit old tokens only")
        if settings.architecture and not settings.tokenizer and self.model is None:
            raise ValueError("want train.tokenizer, or a model whose tokenizer is used")
        if self.model is None and not settings.architecture:
            raise ValueError("want model, or train.architecture for a new one")
        if settings.pack_length is not None and settings.pack_length < self.data.max_length:
            raise ValueError("train.pack_length must hold one record: at least data.max_length")
        return self
