"""The llamacpp engine and the reading of GGUF files, on a GGUF copy of a model that transformers runs too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from workbench import HELD_OUT, Cli, log_probabilities, write_rows

from llmops_cli.core.errors import InputError
from llmops_cli.inference.config import EngineConfig, GenerationConfig
from llmops_cli.inference.engine import Engine, Request, complete
from llmops_cli.inference.open import open_engine
from llmops_cli.models.gguf import GgufFile, read_metadata
from llmops_cli.models.resolve import BUILTIN_DIRECTORY
from llmops_cli.models.tokenizer import load_tokenizer

pytest.importorskip("gguf")

TINY_KO = BUILTIN_DIRECTORY / "tiny-ko"
QUESTIONS = ["비가 와?", "겨울 바다 이야기를 써 줘.", "오늘 저녁에 뭐 먹을까?", "제목: 눈"]
GREEDY = GenerationConfig(temperature=0, max_tokens=24)


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gguf_writing import write_gguf

    return write_gguf(TINY_KO, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="module")
def engine(gguf_file: Path) -> Engine:
    pytest.importorskip("llama_cpp")
    return open_engine(EngineConfig(model=str(gguf_file), device="cpu"))


@pytest.fixture(scope="module")
def original() -> Engine:
    return open_engine(EngineConfig(model=str(TINY_KO), engine="transformers", device="cpu"))


def asked(text: str, settings: GenerationConfig = GREEDY, session: str = "", *earlier: str) -> Request:
    roles = ("user", "assistant")
    turns = [{"role": roles[place % 2], "content": content} for place, content in enumerate([*earlier, text])]
    return Request(settings, turns, session=session)


def test_the_tokenizer_inside_is_that_of_the_model(gguf_file: Path) -> None:
    want, found = load_tokenizer(TINY_KO), GgufFile("a", gguf_file).load_tokenizer()
    for text in ["비가 온다.", " 앞뒤 빈칸 \n\n", "It's 12,345 ㅋㅋ 뷁🙂漢", "<|im_start|>user\n안녕<|im_end|>\n"]:
        assert found.encode(text) == want.encode(text)
        assert found.decode(found.encode(text)) == want.decode(want.encode(text))
    assert (found.template, found.eos_token) == (want.template, want.eos_token)
    assert found.special_tokens == want.special_tokens
    assert set(found.stop_ids) == set(want.stop_ids)
    assert GgufFile("a", gguf_file).context_length == 2048


def test_the_tokenizer_beside_it_is_taken_if_it_is_the_models(gguf_file: Path, tiny_model: Path) -> None:
    shutil.copy(gguf_file, "a.gguf")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY_KO / name, name)
    Path("chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    file = GgufFile("a.gguf", Path("a.gguf"))
    assert file.load_tokenizer().template == "{{ messages[0]['content'] }}"
    text = Path("tokenizer.json").read_text(encoding="utf-8")
    Path("tokenizer.json").write_text(text.replace("<|im_start|>", "<|turn|>"), encoding="utf-8")
    with pytest.raises(InputError, match=r"the tokenizer beside it is of another model: <\|turn\|>"):
        file.load_tokenizer()


@pytest.mark.parametrize("length", [0, 3, 4, 20, 500, 5000, 40_000])
def test_a_cut_file_is_no_bug(gguf_file: Path, length: int) -> None:
    Path("cut.gguf").write_bytes(gguf_file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"not a GGUF file|cut or broken"):
        read_metadata(Path("cut.gguf"))


def test_a_file_without_weights_says_so(gguf_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("llama_cpp")
    Path("cut.gguf").write_bytes(gguf_file.read_bytes()[:1_000_000])
    with pytest.raises(InputError, match=r"cut\.gguf: llama\.cpp cannot load it: ") as raised:
        open_engine(EngineConfig(model="cut.gguf", device="cpu"))
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_greedy_answers_are_those_of_the_original(engine: Engine, original: Engine) -> None:
    answers = [complete(engine, asked(text)) for text in QUESTIONS]
    assert answers == [complete(original, asked(text)) for text in QUESTIONS]
    assert len({token for answer in answers for token in answer.token_ids}) > 15


def test_text_is_scored_as_by_the_original(engine: Engine, original: Engine) -> None:
    ids = load_tokenizer(TINY_KO).encode("겨울 바다는 조용했다. " * 40)
    assert len(ids) > 256  # more than one chunk
    assert log_probabilities(engine, ids) == pytest.approx(log_probabilities(original, ids), abs=0.02)
    assert sum(len(chunk) for chunk in engine.logits(ids)) == len(ids) - 1


def test_the_seed_decides_what_is_sampled(engine: Engine) -> None:
    def ids(seed: int, **settings: Any) -> list[int]:
        return complete(engine, asked(QUESTIONS[1], GenerationConfig(seed=seed, max_tokens=20, **settings))).token_ids

    first = ids(1, temperature=1.5)
    assert ids(1, temperature=1.5) == first
    assert any(ids(seed, temperature=1.5) != first for seed in (2, 3))
    assert ids(1, temperature=1.5, top_k=1) == complete(engine, asked(QUESTIONS[1])).token_ids[:20]


def test_a_session_goes_on_from_what_it_computed(engine: Engine) -> None:
    model = engine._tokens._model  # type: ignore[attr-defined]
    processed, forward = [], model.forward

    def counting(ids: list[int], *, keep: int) -> Any:
        processed.append(len(ids))
        return forward(ids, keep=keep)

    model.forward = counting
    try:
        first = complete(engine, asked(QUESTIONS[0], GREEDY, "s"))
        second = asked("왜?", GREEDY, "s", QUESTIONS[0], first.output)
        processed.clear()
        with_cache = complete(engine, second)
        assert processed[0] < 15 < with_cache.prompt_tokens  # type: ignore[operator]
        processed.clear()
        assert complete(engine, asked("왜?", GREEDY, "", QUESTIONS[0], first.output)) == with_cache
        assert processed[0] == with_cache.prompt_tokens
        assert complete(engine, asked(QUESTIONS[2], GREEDY, "other")) == complete(engine, asked(QUESTIONS[2]))
    finally:
        model.forward = forward


def test_the_cache_grows_and_the_context_is_never_left(engine: Engine) -> None:
    prompt = "비가 온다. " * 300
    tokens = engine.prompt_tokens(asked(prompt))
    assert tokens is not None
    assert 1024 < tokens < 2048
    answer = complete(engine, asked(prompt, GenerationConfig(temperature=0, max_tokens=5000)))
    assert len(answer.token_ids) <= 2048 - tokens
    with pytest.raises(InputError, match="the model's context 2048"):
        complete(engine, asked(prompt * 3))


def test_commands_take_a_gguf_file(engine: Engine, gguf_file: Path, cli: Cli) -> None:
    command = ("chat", gguf_file, "--once", QUESTIONS[0], "--set", "generation.temperature=0")
    answer = cli(*command)
    assert (answer.code, answer.out) == (0, complete(engine, asked(QUESTIONS[0])).output + "\n")
    write_rows("h.jsonl", HELD_OUT)
    Path("e.yaml").write_text(f"model: {gguf_file}\ndata: {{eval: h.jsonl, max_length: 64}}")
    result = cli("eval", "e.yaml", "--name", "e", "--json").json()
    assert result["suites"]["held-out"]["summary"]["perplexity"] > 1
    assert result["contract"] == "unverifiable"
    refused = cli("train", "e.yaml", "--name", "t", "--set", "data.train=h.jsonl")
    assert (refused.code, len(refused.errors)) == (2, 1)
    assert "a GGUF model can only answer and be scored" in refused.errors[0]
