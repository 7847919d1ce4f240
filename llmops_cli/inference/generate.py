"""`llmops generate`: a JSONL of prompts in, a JSONL of answers out."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Progress, Reporter
from llmops_cli.core.errors import Collector, InputError, Problem, raise_problems
from llmops_cli.core.files import atomic_writer
from llmops_cli.core.interrupt import Interrupted
from llmops_cli.data.decoding import lines_of
from llmops_cli.data.documents import parse_line
from llmops_cli.data.records import ROLES
from llmops_cli.data.sources import Source as DataFile
from llmops_cli.inference.answers import KeptAnswers
from llmops_cli.inference.config import GenerateConfig, GenerationConfig
from llmops_cli.inference.engine import Engine, Event, Request, complete_all
from llmops_cli.inference.open import EngineChoice, choose_engine, load_engine
from llmops_cli.models.gguf import GgufFile
from llmops_cli.models.resolve import ModelFiles
from llmops_cli.models.source import Source


@dataclass
class GeneratePlan:
    """Prompts that can be answered."""

    config: GenerateConfig
    choice: EngineChoice
    prompts: list[dict[str, Any]]


@dataclass(frozen=True)
class GenerateResult:
    """What was written: `answers`, `kept` of them from the run before; `tokens` are those of the others."""

    output: str
    answers: int
    kept: int
    tokens: int
    tokens_per_second: float
    engine: str
    engine_reason: str


def plan(config: GenerateConfig) -> GeneratePlan:
    """Read every prompt and choose the engine.

    Raises:
        InputError: every prompt that is wrong, with its line; the output is the input; no engine can run the model.
        MachineError: no such model here.
    """
    collect = Collector()
    prompts = collect.attempt(read_prompts, Path(config.input))
    if Path(config.output).resolve() == Path(config.input).resolve():
        collect.problems.append(Problem("would overwrite the prompts", config.output, "-o another file"))
    choice = collect.attempt(choose_engine, config)
    raise_problems(collect.problems)
    assert prompts is not None
    assert choice is not None
    return GeneratePlan(config, choice, prompts)


def read_prompts(path: Path) -> list[dict[str, Any]]:
    """The prompts of a JSONL file, text in NFC.

    Raises:
        InputError: every line that is no prompt.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    prompts: list[dict[str, Any]] = []
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(lines_of(DataFile(path), "utf-8"), 1):
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
        row |= {"id": row.get("id", f"{path.stem}:{number}")}
        first = lines.setdefault(json.dumps(row["id"]), number)
        if first != number and row["id"] is not None:
            problems.append(Problem(f"id {row['id']!r} is that of line {first}", where, "give every prompt its own"))
        prompts.append(row)
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

    Every record is written with all its fields, and `output`, `token_ids` and `finish_reason`. Answers that a stopped
    run of the same prompts, model and settings has kept are not computed again.

    Raises:
        InputError: every prompt that leaves no room in the model's context, before the first is answered.
        Interrupted: Ctrl-C; what was answered is kept.
    """
    config = plan.config
    kept = KeptAnswers(Path(config.output), _fingerprint(plan))
    if kept.found:
        reporter.info(f"{len(kept.found)} of {len(plan.prompts)} answers are there from the run before")
    elif kept.of_something_else:
        reporter.info("the run before answered other prompts, or with another model or settings; starting anew")
    engine = load_engine(plan.choice, config)
    requests = [_request(prompt, config.generation) for prompt in plan.prompts]
    _check_room(plan, engine, requests)
    answers = dict(kept.found)
    started = time.monotonic()
    try:
        with reporter.progress("generating", len(requests)) as bar:
            tokens = _answer(engine, requests, config.at_once, answers, kept, bar)
    except KeyboardInterrupt:
        what = f"interrupted: {len(answers)} of {len(requests)} answers are kept"
        hint = "the same command goes on from there"
        raise Interrupted(signal.SIGINT, what, where=config.output, hint=hint) from None
    seconds = time.monotonic() - started
    with atomic_writer(Path(config.output)) as stream:
        for place, prompt in enumerate(plan.prompts):
            stream.write(json.dumps(prompt | answers[place], ensure_ascii=False) + "\n")
    kept.discard()
    return GenerateResult(
        config.output,
        len(requests),
        len(kept.found),
        tokens,
        round(tokens / seconds, 1),
        plan.choice.engine,
        plan.choice.reason,
    )


def _answer(
    engine: Engine,
    requests: list[Request],
    at_once: int,
    answers: dict[int, dict[str, Any]],
    kept: KeptAnswers,
    bar: Progress,
) -> int:
    """Add the answers that are missing; the number of their tokens."""
    missing = [place for place in range(len(requests)) if place not in answers]
    tokens = streamed = 0
    started = time.monotonic()

    def show(event: Event) -> None:
        nonlocal streamed
        streamed += len(event.token_ids)
        bar.update(len(answers), f"{streamed / (time.monotonic() - started):.0f} tokens/s")

    for index, completion in complete_all(
        engine, [requests[place] for place in missing], at_once=at_once, on_event=show
    ):
        answer = {
            "output": completion.output,
            "token_ids": completion.token_ids,
            "finish_reason": completion.finish_reason,
        }
        kept.keep(missing[index], answer)
        answers[missing[index]] = answer
        tokens += completion.completion_tokens or 0
        bar.update(len(answers))
    return tokens


def _request(prompt: dict[str, Any], settings: GenerationConfig) -> Request:
    return Request(settings, prompt["messages"]) if "messages" in prompt else Request(settings, text=prompt["text"])


def _check_room(plan: GeneratePlan, engine: Engine, requests: list[Request]) -> None:
    problems = []
    for prompt, request in zip(plan.prompts, requests, strict=True):
        tokens = engine.prompt_tokens(request) or 0
        if tokens >= engine.context_length:
            what = f"the prompt has {tokens} tokens, the model's context {engine.context_length}"
            problems.append(Problem(f"prompt {prompt['id']!r}: {what}", plan.config.input, "shorten it"))
    raise_problems(problems)


def _fingerprint(plan: GeneratePlan) -> str:
    """What the answers depend on: prompts, model files, engine and settings; not how many are answered together."""
    depends = plan.config.model_dump(exclude={"input", "output", "at_once"})
    described = [plan.prompts, depends, plan.choice.engine, _state(plan.choice.source)]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _state(source: Source) -> list[str]:
    """The files of a model, so that one that was trained again is seen to be another."""
    folders = [source.base, source.adapter or source.base] if isinstance(source, ModelFiles) else []
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    paths += [source.path] if isinstance(source, GgufFile) else []
    return [f"{path}|{path.stat().st_size}|{path.stat().st_mtime_ns}" for path in paths]
