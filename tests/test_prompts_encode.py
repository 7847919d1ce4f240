"""Token ids are those of transformers; what is learned is the assistant's words and the end of the turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workbench import QWEN2_TEMPLATE, make_tokenizer

from llmops_cli.core.errors import InputError
from llmops_cli.models.tokenizer import ModelTokenizer, load_tokenizer
from llmops_cli.prompts.encode import IGNORED, Encoded, encode_conversation, encode_prompt, encode_text
from llmops_cli.training.scratch import CHATML

TRIMMING = (
    "{% for message in messages %}[{{ message['role'] }}]\n{{ message['content'] | trim }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
TEMPLATES = {"chatml": CHATML, "qwen2": QWEN2_TEMPLATE, "trimming": TRIMMING}
END = "<|im_end|>"


def said(*contents: str, system: str = "") -> list[dict[str, str]]:
    """A conversation, the user first."""
    roles = ("user", "assistant") * len(contents)
    turns = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]
    return [{"role": "system", "content": system}, *turns] if system else turns


CONVERSATIONS = {
    "one turn": said("비가 와?", "우산을 챙겨."),
    "two turns": said("비가 와?", "우산을 챙겨.", "고마워!", "천만에, 조심히 가."),
    "system": said("뭐 먹지?", "김치찌개!", system="너는 요리사야."),
    "lines": said("시를 써 줘.", "겨울 바다\n\n파도가 운다.\n"),
    "spaces": said("  들여쓰기  ", " 응 "),
    "rare letters": said("뷁 🙂 漢字?", "쀍 👩‍👩‍👧 語 ㅋㅋ é"),
    "echo": said("user", "user", "assistant", "assistant"),
    "a word of the header": said("s", "as", "You", "er"),
}


@pytest.fixture(scope="module", params=TEMPLATES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    make_tokenizer(path, template=TEMPLATES[request.param])
    return path


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> ModelTokenizer:
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)


def learned_text(tokenizer: ModelTokenizer, encoded: Encoded) -> str:
    labels = [label for label in encoded.labels if label != IGNORED]
    return tokenizer.backend.decode(labels, skip_special_tokens=False)


def shown(tokenizer: ModelTokenizer, text: str) -> str:
    """A turn's content as the template writes it."""
    return text.strip() if tokenizer.template == TRIMMING else text


each_conversation = pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)


@each_conversation
def test_ids_are_those_of_transformers(tokenizer: ModelTokenizer, reference: Any, turns: Any) -> None:
    assert encode_conversation(tokenizer, turns).ids == reference.apply_chat_template(turns)["input_ids"]
    opened = reference.apply_chat_template(turns[:-1], add_generation_prompt=True)["input_ids"]
    assert encode_prompt(tokenizer, turns[:-1]) == opened


@each_conversation
def test_the_prompt_is_how_the_training_sequence_begins(tokenizer: ModelTokenizer, turns: Any) -> None:
    prompt = encode_prompt(tokenizer, turns[:-1])
    encoded = encode_conversation(tokenizer, turns)
    assert encoded.ids[: len(prompt)] == prompt
    assert encoded.labels[len(prompt)] == encoded.ids[len(prompt)]  # the first word of the answer is learned


@each_conversation
def test_the_answers_and_their_ends_are_learned_and_nothing_else(tokenizer: ModelTokenizer, turns: Any) -> None:
    encoded = encode_conversation(tokenizer, turns)
    answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    assert learned_text(tokenizer, encoded) == "".join(shown(tokenizer, text) + END for text in answers)
    assert all(label in (IGNORED, token) for token, label in zip(encoded.ids, encoded.labels, strict=True))
    assert encoded.characters == sum(len(text.strip()) for text in answers)
    assert not encoded.truncated


@each_conversation
def test_every_turn_is_learned_when_asked_for(tokenizer: ModelTokenizer, turns: Any) -> None:
    encoded = encode_conversation(tokenizer, turns, every_turn=True)
    contents = [turn["content"] for turn in turns]
    assert learned_text(tokenizer, encoded) == "".join(shown(tokenizer, text) + END for text in contents)
    assert encoded.characters == sum(len(text.strip()) for text in contents)


@each_conversation
def test_a_long_record_loses_its_end(tokenizer: ModelTokenizer, turns: Any) -> None:
    whole = encode_conversation(tokenizer, turns)
    for length in range(1, len(whole.ids) + 1):
        cut = encode_conversation(tokenizer, turns, length)
        assert (cut.ids, cut.labels) == (whole.ids[:length], whole.labels[:length])
        assert cut.truncated == (length < len(whole.ids))
        kept = [label for label in cut.labels if label != IGNORED]
        spelled = len(tokenizer.decode(kept).replace("\ufffd", ""))
        spaces = sum(len(turn["content"]) - len(turn["content"].strip()) for turn in turns)
        assert spelled - spaces <= cut.characters <= spelled + 1  # the character that is cut in two counts


def test_a_template_that_rewrites_earlier_turns_is_refused(tmp_path: Path) -> None:
    last_only = (
        "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
    )
    tokenizer = make_tokenizer(tmp_path, template=last_only)
    with pytest.raises(InputError, match="rewrites earlier turns"):
        encode_conversation(tokenizer, CONVERSATIONS["two turns"])


@pytest.mark.parametrize("template", ["{% for", "{{ raise_exception('no system turn') }}", "{{ messages.x.y }}"])
def test_a_template_that_fails_is_an_error_of_the_input(tmp_path: Path, template: str) -> None:
    tokenizer = make_tokenizer(tmp_path, template=template)
    with pytest.raises(InputError, match="chat template"):
        encode_prompt(tokenizer, said("안녕?"))


def test_plain_text_is_learned_whole_and_ends(tokenizer: ModelTokenizer) -> None:
    encoded = encode_text(tokenizer, "겨울 바다는 조용했다.")
    assert encoded.ids == encoded.labels
    assert learned_text(tokenizer, encoded) == "겨울 바다는 조용했다." + END
    assert encoded.labelled == len(encoded.ids) - 1  # nothing predicts the first
    assert encoded.characters == 12
    cut = encode_text(tokenizer, "겨울 바다는 조용했다.", 4)
    assert cut.ids == encoded.ids[:4]
    assert cut.truncated


def test_turns_may_stand_in_the_tokens_they_were_given_in(tokenizer: ModelTokenizer) -> None:
    turns = said("a", "비가 와?", "비가 와?", "as", "응?")
    letters = [token for letter in "비가 와?" for token in tokenizer.encode(letter)]
    assert letters != tokenizer.encode("비가 와?")
    ids, plain = encode_prompt(tokenizer, turns, {1: letters}), encode_prompt(tokenizer, turns)
    start = next(start for start in range(len(ids)) if ids[start : start + len(letters)] == letters)
    before = encode_prompt(tokenizer, turns[:1])
    assert ids[:start] == before
    assert ids[start + len(letters) :] == plain[start + len(tokenizer.encode("비가 와?")) :]


def test_a_template_that_changes_contents_has_its_own_tokens(tmp_path: Path) -> None:
    tokenizer = make_tokenizer(tmp_path, template=TRIMMING)
    turns = said("비가 와?", " 응 ", "정말?")
    assert encode_prompt(tokenizer, turns, {1: tokenizer.encode(" 응 ")}) == encode_prompt(tokenizer, turns)
