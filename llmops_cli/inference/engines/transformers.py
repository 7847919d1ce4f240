"""Tokens computed by transformers' own modelling code: any architecture it knows, an adapter through peft."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_cli.core.device import choose_device
from llmops_cli.core.errors import GateFailed
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.models.contract import check_contract
from llmops_cli.models.load import add_adapter, load_base
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer


class TransformersEngine:
    """One stream at a time with a key/value cache."""

    tokenizer: ModelTokenizer
    context_length: int

    def __init__(self, files: ModelFiles, device: str = "auto") -> None:
        self.tokenizer = load_tokenizer(files.tokenizer)
        self.contract = check_contract(files, self.tokenizer)
        self.device = choose_device(device)
        self.context_length = files.context_length
        self._name = files.name
        self._model = add_adapter(load_base(files.base, self.device), files).eval()

    def stream(self, prompt: Sequence[int], settings: GenerationConfig) -> Iterator[int]:
        """See :class:`llmops_cli.inference.engine.Engine`.

        Raises:
            GateFailed: the model gives no numbers.
        """
        import torch

        from llmops_cli.inference.sampling import choose

        generator = torch.Generator().manual_seed(settings.seed)
        room = min(settings.max_tokens, self.context_length - len(prompt))
        ids = torch.tensor([list(prompt)], device=self.device.name)
        past = None
        for _ in range(room):
            with torch.inference_mode():
                result = self._model(input_ids=ids, past_key_values=past, use_cache=True, logits_to_keep=1)
                logits = result.logits[0, -1].float().cpu()
                if logits.isnan().any():
                    raise GateFailed("the model gives nan: its weights are broken", where=self._name)
                token = choose(logits, settings, generator)
            past = result.past_key_values
            yield token
            if token in self.tokenizer.stop_ids:
                return
            ids = torch.tensor([[token]], device=self.device.name)
