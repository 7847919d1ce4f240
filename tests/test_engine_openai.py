"""The openai engine against a server in this process that is slow, broken, rude, or cuts its stream anywhere."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from chat_server import Server, chat_piece, event, reply
from workbench import Cli, write_rows

from llmops_cli.core.errors import InputError, LlmopsError, MachineError
from llmops_cli.inference.config import GenerationConfig
from llmops_cli.inference.engine import Completion, Request, complete, complete_all
from llmops_cli.inference.engines.openai import OpenAIEngine
from llmops_cli.inference.upstream import Patience, event_data
from llmops_cli.models.source import Upstream, resolve_source

TEXT = "비가 와, 뷁🙂.\u2028다음 줄"
HURRY = Patience(connect=2, silence=0.3, retries=3, pause=0.01)
TURNS = [{"role": "user", "content": "비가 와?"}]
USAGE = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}
DONE = b"data: [DONE]\n\n"
STREAM = (
    b": hello\n\n"
    + b"".join(map(event, [chat_piece(None), *map(chat_piece, TEXT), chat_piece("", "stop"), USAGE]))
    + DONE
)


@pytest.fixture
def server(server: Server) -> Server:
    server.replies = [reply(STREAM)]
    return server


def opened(server: Server, patience: Patience = HURRY) -> OpenAIEngine:
    return OpenAIEngine(Upstream(server.url, server.url, "m"), patience)


def ask(server: Server, patience: Patience = HURRY, **settings: Any) -> Completion:
    return complete(opened(server, patience), Request(GenerationConfig(**settings), TURNS))


def fault(server: Server) -> LlmopsError:
    with pytest.raises((InputError, MachineError)) as raised:
        ask(server)
    (problem,) = raised.value.problems
    assert problem.where == server.url
    assert "\n" not in str(problem)
    return raised.value


def test_an_answer_is_that_of_the_upstream(server: Server) -> None:
    told: list[str] = []
    completion = complete(opened(server), Request(GenerationConfig(), TURNS), told.append)
    assert completion == Completion(TEXT, [], "stop", prompt_tokens=11, completion_tokens=7)
    assert told == list(TEXT)
    assert server.asked[0] == {
        "path": "/v1/chat/completions", "model": "m", "stream": True, "stream_options": {"include_usage": True},
        "messages": TURNS, "temperature": 0.8, "top_p": 0.95, "max_tokens": 512, "seed": 7,
    }  # fmt: skip
    assert "Authorization" not in server.headers[0]


def test_settings_that_only_some_servers_know_are_sent_when_they_are_used(server: Server) -> None:
    ask(server, top_k=5, min_p=0.1, repetition_penalty=1.2, dry_multiplier=0.8, stop=["끝"], temperature=0.0)
    sent = server.asked[0]
    assert (sent["top_k"], sent["min_p"], sent["dry_multiplier"], sent["stop"]) == (5, 0.1, 0.8, ["끝"])
    assert sent["repetition_penalty"] == sent["repeat_penalty"] == 1.2  # vLLM's name and llama.cpp's
    assert "dry_base" not in sent


def test_a_text_is_continued(server: Server) -> None:
    pieces = [{"choices": [{"text": "겨울 "}]}, {"choices": [{"text": "바다", "finish_reason": "length"}]}]
    server.replies = [reply(b"".join(map(event, pieces)))]
    completion = complete(opened(server), Request(GenerationConfig(), text="제목: "))
    assert (completion.output, completion.finish_reason) == ("겨울 바다", "length")
    assert (completion.prompt_tokens, completion.completion_tokens) == (None, None)
    assert (server.asked[0]["path"], server.asked[0]["prompt"]) == ("/v1/completions", "제목: ")


@pytest.mark.parametrize("end", [{}, {"finish_reason": "stop"}, {"finish_reason": "length"}])
def test_a_server_that_does_not_stream_answers_at_once(server: Server, end: dict[str, str]) -> None:
    whole = {"choices": [{"message": {"role": "assistant", "content": TEXT}, **end}], "usage": USAGE["usage"]}
    server.replies = [reply(json.dumps(whole, indent=1).encode())]
    completion = ask(server)
    assert completion == Completion(TEXT, [], end.get("finish_reason", "stop"), prompt_tokens=11, completion_tokens=7)


def test_a_stream_may_be_cut_between_any_two_bytes() -> None:
    want = list(event_data([STREAM]))
    assert [json.loads(data) for data in want[:-1]][1:-2] == list(map(chat_piece, TEXT))
    for cut in range(len(STREAM)):
        assert list(event_data([STREAM[:cut], STREAM[cut:]])) == want
    assert list(event_data(STREAM[at : at + 1] for at in range(len(STREAM)))) == want
    assert list(event_data([STREAM.replace(b"\n", b"\r\n")])) == want


def test_a_slowly_cut_stream_shows_whole_characters(server: Server) -> None:
    middle = STREAM.index("뷁".encode())
    server.replies = [reply(STREAM, cuts=[middle + 1, middle + 2, middle + 40], wait=0.01)]
    told: list[str] = []
    complete(opened(server), Request(GenerationConfig(), TURNS), told.append)
    assert told == list(TEXT)


def test_halves_of_a_character_are_put_together(server: Server) -> None:
    pieces = [b'"a\\ud83d"', b'"\\ude42b"', b'"\\ud83d"']
    template = b'data: {"choices": [{"delta": {"content": %s}}]}\n\n'
    server.replies = [reply(b"".join(template % piece for piece in pieces) + event(chat_piece(None, "stop")))]
    assert ask(server).output == "a🙂b"


def test_a_busy_server_is_asked_again(server: Server) -> None:
    busy = [reply(b"{}", status, headers={"Retry-After": "0"}) for status in (429, 500, 503)]
    server.replies = [*busy, reply(STREAM)]
    assert ask(server).output == TEXT
    assert len(server.asked) == 4
    server.replies = [reply(json.dumps({"error": {"message": "too\nmany"}}).encode(), 429)]
    server.asked.clear()
    assert str(fault(server)) == f"{server.url}: answers 429: too many"
    assert len(server.asked) == 4


def test_it_waits_longer_each_time_or_as_long_as_it_is_told(server: Server) -> None:
    server.replies = [reply(b"", 429, headers={"Retry-After": "1"}), reply(STREAM)]
    start = time.monotonic()
    ask(server, Patience(silence=0.2, retries=1, pause=9))
    assert 0.2 <= time.monotonic() - start < 1  # never longer than silence is borne
    server.replies = [reply(b"", 500)]
    start = time.monotonic()
    with pytest.raises(MachineError):
        ask(server, Patience(retries=3, pause=0.03))
    assert time.monotonic() - start >= 0.03 + 0.06 + 0.12


@pytest.mark.parametrize("end", range(0, len(STREAM) - len(DONE) - len(event(USAGE)) - 8, 37))
def test_a_stream_that_breaks_off_is_no_answer(server: Server, end: int) -> None:
    server.replies = [reply(STREAM[:end])]
    assert "broke off before the end of an answer" in str(fault(server))


@pytest.mark.parametrize(
    "said",
    [b"<html>It works!</html>\n\n", b"data: {\n\n", b"data: 7\n\n", b"data: {}\n\n", b'data: {"choices": 1}\n\n',
     b'data: {"choices": [{"delta": {"content": 5}}]}\n\n', b"data: \xff\xfe\n\n", b""],
)  # fmt: skip
def test_nonsense_is_no_answer(server: Server, said: bytes) -> None:
    server.replies = [reply(said)]
    error = fault(server)
    assert error.exit_code == 3
    assert "talks nonsense" in str(error) or "broke off before the end" in str(error)


def test_an_error_in_the_middle_of_a_stream_is_told(server: Server) -> None:
    server.replies = [reply(event(chat_piece("비")) + event({"error": {"message": "out of memory"}}))]
    assert str(fault(server)) == f"{server.url}: gave up: out of memory"


def test_a_server_that_says_nothing_is_not_waited_for(server: Server) -> None:
    server.replies = [reply(STREAM, wait=5)]
    start = time.monotonic()
    assert "silent for 0.3 s" in str(fault(server))
    assert time.monotonic() - start < 2
    assert len(server.asked) == 1  # it may still be working at it


def test_a_server_that_is_gone_is_told(server: Server) -> None:
    server.close()
    error = fault(server)
    assert (error.exit_code, "cannot be reached" in str(error)) == (3, True)


def test_a_refused_request_is_the_users_matter(server: Server) -> None:
    server.replies = [reply(json.dumps({"error": {"message": "context is 4096 tokens"}}).encode(), 400)]
    error = fault(server)
    assert (error.exit_code, str(error)) == (2, f"{server.url}: refuses the request: context is 4096 tokens")


def test_the_key_comes_from_the_environment_and_is_never_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1")
    ask(server)
    monkeypatch.setenv("LLMOPS_API_KEY", "sk-secret-2")
    ask(server)
    assert [sent["Authorization"] for sent in server.headers] == ["Bearer sk-secret-1", "Bearer sk-secret-2"]
    for status in (400, 401, 418):
        server.replies = [reply(b'{"error": {"message": "bad key sk-secret-2"}}', status)]
        assert "secret" not in str(fault(server))
    assert fault(server).exit_code == 3


def test_requests_run_at_once_and_can_be_dropped(server: Server) -> None:
    server.replies = [reply(STREAM, cuts=[200, 400, 600], wait=0.1)]
    requests = [Request(GenerationConfig(), TURNS) for _ in range(6)]
    start = time.monotonic()
    found = dict(complete_all(opened(server), requests, at_once=6))
    assert time.monotonic() - start < 1.5  # one after another takes 2.4 s
    assert [found[place].output for place in range(6)] == [TEXT] * 6
    batch = opened(server).open()
    first, second = batch.add(requests[0]), batch.add(requests[1])
    batch.drop(first)
    while events := batch.step():
        assert {event.number for event in events} == {second}


def test_what_was_answered_comes_before_the_error_of_another(server: Server) -> None:
    server.replies = [reply(STREAM), reply(b"", 404, wait=0.1)]
    requests = [Request(GenerationConfig(), TURNS) for _ in range(2)]
    answers = complete_all(opened(server), requests, at_once=2)
    assert next(answers)[1].output == TEXT
    with pytest.raises(MachineError, match="answers 404"):
        next(answers)


def test_the_only_model_of_a_server_needs_no_name(server: Server) -> None:
    server.replies = [reply(b'{"data": [{"id": "qwen"}]}'), reply(STREAM)]
    engine = OpenAIEngine(Upstream(server.url, server.url, ""), HURRY)
    complete(engine, Request(GenerationConfig(), TURNS))
    assert [sent["path"] for sent in server.asked] == ["/v1/models", "/v1/chat/completions"]
    assert server.asked[1]["model"] == "qwen"
    server.replies = [reply(b'{"data": [{"id": "a"}, {"id": "b"}]}')]
    with pytest.raises(InputError, match=f"has 2 models: a, b -> --set model={server.url}#a"):
        OpenAIEngine(Upstream(server.url, server.url, ""), HURRY)
    server.replies = [reply(b"[]")]
    with pytest.raises(MachineError, match="talks nonsense"):
        OpenAIEngine(Upstream(server.url, server.url, ""), HURRY)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("http://user:secret@host/v1#m", "a URL with a password in it"),
        ("http:///v1#m", "a URL without a host"),
        ("http://host:99999/v1#m", "no URL"),
        ("http://[host/v1#m", "no URL"),
    ],
)
def test_urls_that_cannot_be_used(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        resolve_source(name)
    assert "secret" not in str(raised.value)


def test_commands_ask_an_upstream(server: Server, cli: Cli) -> None:
    name = f"{server.url}#m"
    assert cli("chat", name, "--once", "비가 와?").out == TEXT + "\n"
    write_rows("p.jsonl", [{"id": 1, "messages": TURNS}, {"id": 2, "messages": TURNS}])
    result = cli("generate", "p.jsonl", "-o", "o.jsonl", "--model", name, "--json").json()
    assert (result["engine"], result["answers"], result["tokens"]) == ("openai", 2, 14)
    rows = [json.loads(line) for line in Path("o.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [(row["id"], row["output"], row["finish_reason"]) for row in rows] == [(1, TEXT, "stop"), (2, TEXT, "stop")]
    answer = cli("chat", name, "--once", "비?", "--set", "precision=int8")
    assert (answer.code, len(answer.errors)) == (2, 1)
