"""`llmops generate`: a JSONL of prompts in, a JSONL of answers out."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import InputError, Problem, raise_problems
from llmops_cli.core.files import atomic_writer
from llmops_cli.data.decoding import lines_of
from llmops_cli.data.documents import parse_line
from llmops_cli.data.records import ROLES
from llmops_cli.data.sources import Source
from llmops_cli.inference.config import GenerateConfig
from llmops_cli.inference.engine import Engine, complete, no_room
from llmops_cli.inference.open import open_engine
from llmops_cli.models.resolve import ModelFiles, resolve_model
from llmops_cli.prompts.encode import encode_prompt
from llmops_cli.text.normalize import nfc


@dataclass
class GeneratePlan:
    """Prompts that can be answered."""

    config: GenerateConfig
    files: ModelFiles
    prompts: list[dict[str, Any]]


@dataclass(frozen=True)
class GenerateResult:
    """What was written."""

    output: str
    answers: int
    tokens: int
    tokens_per_second: float


def plan(config: GenerateConfig) -> GeneratePlan:
    """Read every prompt and find the model.

    Raises:
        InputError: every prompt that is wrong, with its line.
        MachineError: no such model here.
    """
    prompts = read_prompts(Path(config.input))
    if Path(config.output).resolve() == Path(config.input).resolve():
        raise InputError("would overwrite the prompts", where=config.output, hint="-o another file")
    return GeneratePlan(config, resolve_model(config.model), prompts)


def read_prompts(path: Path) -> list[dict[str, Any]]:
    """The prompts of a JSONL file, text in NFC.

    Raises:
        InputError: every line that is no prompt.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    prompts: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines_of(Source(path), "utf-8"), 1):
        if isinstance(line, Problem):
            problems.append(line)
            continue
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = parse_line(line, where)
        except InputError as error:
            problems += error.problems
            continue
        fault = _fault(row)
        if fault:
            problems.append(Problem(fault, where))
            continue
        prompts.append(row | {"id": row.get("id", f"{path.stem}:{number}")})
    if problems:
        raise InputError(problems)
    if not prompts:
        raise InputError("the file is empty", where=str(path))
    return prompts


def _fault(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "want one JSON object a line"
    if isinstance(row.get("text"), str) and "messages" not in row:
        return None if row["text"] else "text is empty: there is nothing to go on from"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return "want messages (a list of turns) or text"
    for turn in messages:
        if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
            return f"want turns of {{role: {' | '.join(ROLES)}, content: text}}"
    return None


def run(plan: GeneratePlan, reporter: Reporter) -> GenerateResult:
    """Answer every prompt; the output appears whole, in the order of the prompts.

    Every record is written with all its fields, and `output`, `token_ids` and `finish_reason`.

    Raises:
        InputError: every prompt that leaves no room in the model's context, before the first is answered.
    """
    settings = plan.config.generation
    engine = open_engine(plan.config.model, plan.config.device)
    encoded = [_encode(engine, prompt) for prompt in plan.prompts]
    raise_problems(
        [
            Problem(f"prompt {prompt['id']!r}: {fault}", plan.config.input, "shorten it")
            for prompt, ids in zip(plan.prompts, encoded, strict=True)
            if (fault := no_room(engine, ids))
        ]
    )
    tokens = 0
    started = time.monotonic()
    with (
        atomic_writer(Path(plan.config.output)) as stream,
        reporter.progress("generating", len(plan.prompts)) as bar,
    ):
        for done, (prompt, ids) in enumerate(zip(plan.prompts, encoded, strict=True), 1):
            completion = complete(engine, ids, settings)
            tokens += len(completion.token_ids)
            row = prompt | {
                "output": completion.output,
                "token_ids": completion.token_ids,
                "finish_reason": completion.finish_reason,
            }
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            bar.update(done, f"{tokens / (time.monotonic() - started):.0f} tokens/s")
    seconds = time.monotonic() - started
    return GenerateResult(plan.config.output, len(plan.prompts), tokens, round(tokens / seconds, 1))


def _encode(engine: Engine, prompt: dict[str, Any]) -> list[int]:
    if "messages" not in prompt:
        return engine.tokenizer.encode(nfc(prompt["text"]))
    turns = [{"role": turn["role"], "content": nfc(turn["content"])} for turn in prompt["messages"]]
    return encode_prompt(engine.tokenizer, turns)
