"""A new model: its tokenizer trained on the training text, its weights random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from llmops_cli.core.files import write_json
from llmops_cli.data.records import Record
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.training.config import ArchitectureSettings, TokenizerSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2 cuts text before BPE (its tokenizer.json)."""


def train_tokenizer(records: Sequence[Record], settings: TokenizerSettings) -> ModelTokenizer:
    """Train a byte-level BPE tokenizer with Qwen2's normaliser, split and special tokens, and ChatML."""
    backend = Tokenizer(models.BPE())
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    special = [AddedToken(text, special=True, normalized=False) for text in (END_OF_TEXT, TURN_START, TURN_END)]
    backend.train_from_iterator(
        _texts(records),
        trainers.BpeTrainer(
            vocab_size=settings.vocab_size,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    ids = {token: backend.encode(token).ids[0] for token in (END_OF_TEXT, TURN_START, TURN_END)}
    return ModelTokenizer(backend, CHATML, TURN_END, (ids[TURN_END], ids[END_OF_TEXT]), ids)


def _texts(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        if record.text is not None:
            yield record.text
        yield from (message.content for message in record.messages)
        yield from (f"{message.role}\n" for message in record.messages)


def save_tokenizer(tokenizer: ModelTokenizer, folder: Path) -> ModelTokenizer:
    """Write a new tokenizer as transformers reads it; returns it as read back."""
    tokenizer.backend.save(str(folder / "tokenizer.json"))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokenizer.eos_token,
        "pad_token": END_OF_TEXT,
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "chat_template": tokenizer.template,
    }
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "generation_config.json", {"eos_token_id": list(tokenizer.stop_ids)})
    return load_tokenizer(folder)


def new_model(architecture: ArchitectureSettings, tokenizer: ModelTokenizer, dropout: float) -> PreTrainedModel:
    """A Qwen2 model of the given shape with random fp32 weights from torch's current seed, its head tied."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=tokenizer.size,
            hidden_size=architecture.hidden_size,
            intermediate_size=architecture.intermediate_size,
            num_hidden_layers=architecture.layers,
            num_attention_heads=architecture.heads,
            num_key_value_heads=architecture.kv_heads,
            max_position_embeddings=architecture.context_length,
            tie_word_embeddings=True,
            attention_dropout=dropout,
            eos_token_id=tokenizer.eos_id,
            bos_token_id=None,
            pad_token_id=None,
        )
    )
