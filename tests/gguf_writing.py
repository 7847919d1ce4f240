"""A GGUF file out of a Qwen2 model on disk, as the converter of llama.cpp writes it."""

from __future__ import annotations

import json
from pathlib import Path

from llmops_cli.models.tokenizer import load_tokenizer

LAYER = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
TOP = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def write_gguf(folder: Path, target: Path, kind: str = "F16") -> Path:
    """Write the weights of `folder` in fp16, or quantized as `Q8_0` and its like, and its tokenizer."""
    import gguf
    import numpy as np
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text())
    tokenizer = load_tokenizer(folder)
    writer = gguf.GGUFWriter(target, "qwen2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base((config.get("rope_parameters") or config)["rope_theta"])
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    vocabulary = tokenizer.backend.get_vocab()
    tokens = [f"[PAD{index}]" for index in range(config["vocab_size"])]
    for token, index in vocabulary.items():
        tokens[index] = token
    writer.add_token_list(tokens)
    special = tokenizer.special_tokens
    writer.add_token_types([3 if token in special else 1 if token in vocabulary else 5 for token in tokens])
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]])
    writer.add_eos_token_id(tokenizer.eos_id)
    writer.add_chat_template(tokenizer.template)
    for name, tensor in load_file(folder / "model.safetensors").items():
        stem, _, part = name.rpartition(".")
        if stem.startswith("model.layers."):
            number, _, rest = stem.removeprefix("model.layers.").partition(".")
            stem = f"blk.{number}.{LAYER[rest]}"
        else:
            stem = TOP[stem]
        values = tensor.float().numpy()
        if values.ndim == 1:
            writer.add_tensor(f"{stem}.{part}", values)
        elif kind == "F16":
            writer.add_tensor(f"{stem}.{part}", values.astype(np.float16))
        else:
            quantized = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
            writer.add_tensor(f"{stem}.{part}", quantized, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
