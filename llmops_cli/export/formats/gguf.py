"""One GGUF file for llama.cpp and Ollama, with the tokenizer and the chat template inside, and an Ollama Modelfile.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import errno
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.core.console import Progress
from llmops_cli.export.format import FormatLimits
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer

if TYPE_CHECKING:
    import numpy as np
    import torch

    from llmops_cli.export.merging import MergedModel

FORMATS = {
    "gguf-f16": FormatLimits(kl_mean=0.002, kl_p99=0.02, top1_agreement=0.97, perplexity_rise=0.01),
    "gguf-q8_0": FormatLimits(kl_mean=0.01, kl_p99=0.1, top1_agreement=0.94, perplexity_rise=0.02),
    "gguf-q4_0": FormatLimits(kl_mean=0.2, kl_p99=2.0, top1_agreement=0.8, perplexity_rise=0.2),
}
KINDS = {"gguf-f16": "F16", "gguf-q8_0": "Q8_0", "gguf-q4_0": "Q4_0"}
FILE = "model.gguf"


def cannot_write(files: ModelFiles, tokenizer: ModelTokenizer) -> str | None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    from llmops_cli.export.gguf_metadata import split_name
    from llmops_cli.export.modelfile import turn_template

    if not importlib.util.find_spec("gguf"):
        return "the library gguf is missing -> pip install 'llmops-cli[gguf]'"
    if split_name(tokenizer) is None:
        return "llama.cpp has no tokenizer like this model's: it wants a byte-level BPE cut as Qwen2, Llama 3 or GPT-2"
    if turn_template(tokenizer) is None:
        return "its chat template is no row of turns: it cannot be written for Ollama"
    return None


def write(model: MergedModel, tokenizer: ModelTokenizer, to: str, folder: Path, progress: Progress) -> None:
    """See :class:`llmops_cli.export.format.FormatModule`."""
    import gguf

    from llmops_cli.export import gguf_metadata, gguf_tensors
    from llmops_cli.export.modelfile import modelfile, turn_template

    template = turn_template(tokenizer)
    assert template is not None
    config = model.files.architecture
    writer = gguf.GGUFWriter(folder / FILE, gguf_metadata.family(config))
    gguf_metadata.add_architecture(writer, model.architecture, config)
    gguf_metadata.add_tokenizer(writer, tokenizer, model.architecture.vocabulary)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{KINDS[to]}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for done, (name, tensor) in enumerate(model.tensors(), 1):
        stored, values = gguf_tensors.stored(name, tensor, model.architecture, config)
        data, kind = _quantized(stored, values, KINDS[to])
        writer.add_tensor(stored, data, raw_dtype=kind)
        progress.update(done)
    if (factors := gguf_tensors.rope_factors(model.architecture, config)) is not None:
        writer.add_tensor(gguf_tensors.ROPE_FACTORS, factors)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    except OSError as error:
        if error.errno is None:  # numpy says only how much was not written
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / FILE)) from error
        raise
    (folder / "Modelfile").write_text(modelfile(tokenizer, template, FILE), encoding="utf-8")


def _quantized(name: str, values: np.ndarray[Any, Any], kind: str) -> tuple[np.ndarray[Any, Any], Any]:
    """The numbers as they are stored, and their type.

    Vectors stay fp32. As llama.cpp's own `llama-quantize` does, the vocabulary's matrices keep more bits than the
    layers in a 4-bit file, and a matrix whose rows are no whole blocks is stored in fp16.
    """
    import gguf
    import numpy as np

    if values.ndim == 1:
        return values.astype(np.float32), gguf.GGMLQuantizationType.F32
    if kind == "Q4_0" and name in ("token_embd.weight", "output.weight"):
        kind = "Q8_0"
    block, _ = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    wanted = gguf.GGMLQuantizationType[kind if values.shape[1] % block == 0 else "F16"]
    return gguf.quants.quantize(values, wanted), wanted


def restore(folder: Path, config: Mapping[str, Any], target: Path) -> None:
    """Write the weights of a GGUF file as a plain folder in fp32, for a machine without llama.cpp.

    Args:
        folder: where the GGUF file lies.
        config: `config.json` of the original.
        target: an empty folder.
    """
    import gguf

    from llmops_cli.export import gguf_tensors
    from llmops_cli.export.writing import write_model

    tensors: dict[str, torch.Tensor] = {}
    for part in gguf.GGUFReader(folder / FILE).tensors:
        if part.name != gguf_tensors.ROPE_FACTORS:
            name, tensor = gguf_tensors.restored(part.name, gguf.quants.dequantize(part.data, part.tensor_type), config)
            tensors[name] = tensor
    write_model(target, tensors, config, "float32")
