"""From Enter to the first token in a conversation of 20 turns, on the shape of Qwen2-0.5B with random weights."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.decode import _model

TURNS, WORDS, ANSWER = 20, 25, 8
"""Questions of so many words, and tokens of an answer."""


def run() -> None:
    """Seconds, beside those of the second turn; `LLMOPS_BENCH_MODEL` names a folder to use instead of writing 1 GB."""
    from llmops_cli.chat.config import ChatConfig
    from llmops_cli.chat.opening import open_session
    from llmops_cli.chat.store import Store
    from llmops_cli.core.console import SilentReporter
    from llmops_cli.inference.config import GenerationConfig

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), Store() as store:
        model = os.environ.get("LLMOPS_BENCH_MODEL") or str(_model(Path("model")))
        settings = GenerationConfig(max_tokens=ANSWER)
        config = ChatConfig(model=model, device="cpu", generation=settings)
        session = open_session(config, store, None, SilentReporter())
        dice = random.Random(7)

        def question() -> str:
            return " ".join(dice.choices(("바다가", "밤새", "울었다.", "지우는", "창을", "열고", "오래"), k=WORDS))

        seconds = [_measured(lambda said: session.ask(question(), said)) for _ in range(TURNS)]
        first = seconds[1]  # the one before also warms the machine up
        print(f"{session.prepare('').tokens:,} tokens after {TURNS} turns of {ANSWER} tokens")
        _show(f"turn {TURNS}", seconds[-1], first)
        _show("/regen", _measured(session.regen), first)
        session.edit(session.conversation.tree.path()[-2].id, question())
        _show("/edit of the last turn, then /regen", _measured(session.regen), first)
        session.note("비가 그친 뒤의 냄새를 넣는다.")
        _show("/note, then a turn", _measured(lambda said: session.ask(question(), said)), first)
        _show("/continue", _measured(session.go_on), first)
        session.memory("지우는 바다를 무서워한다.")
        _show("/memory, then a turn: everything anew", _measured(lambda said: session.ask(question(), said)), first)


def _measured(act: Callable[[Callable[[str], None]], Any]) -> float:
    """Seconds to the first token, as the engine's caller has it."""
    started = time.perf_counter()
    reply = act(lambda piece: None)
    total = time.perf_counter() - started
    completion = reply.completion
    return total - (completion.seconds - completion.first_token)


def _show(what: str, seconds: float, first: float) -> None:
    print(f"{what:40} {seconds:6.2f} s, {seconds / first:5.2f} of the second turn's")
