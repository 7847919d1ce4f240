"""Asking a model, and keeping what it answers from the first piece on."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llmops_cli.chat.conversation import Conversation
from llmops_cli.chat.degenerating import defects
from llmops_cli.chat.naming import NamedStream
from llmops_cli.chat.prompting import Asked
from llmops_cli.chat.tree import Made, Turn
from llmops_cli.core.interrupt import Interrupted, deferred_interrupts
from llmops_cli.inference.engine import Completion, Engine, Event, FinishReason, stream_all
from llmops_cli.text.josa import substitute

OnText = Callable[[str], None]


@dataclass(frozen=True)
class Reply:
    """What came of a question: `turn` is the answer, or where it was stopped before any text what it was to follow.

    `completion` is what was generated just now; `dropped` are the turns that did not fit; `degenerate` says what is
    broken in the answer, see :func:`llmops_cli.chat.degenerating.defects`.
    """

    turn: Turn
    completion: Completion
    dropped: Sequence[Turn]
    degenerate: Sequence[str]
    interrupted: bool


class Answer:
    """An answer on its way: every piece is written before it is shown.

    Args:
        conversation: where it is kept.
        question: what it answers.
        asked: the request, and what is known of the answer before.
        on_text: receives it piece by piece, names in the place of codes.
        begun: the answer that it goes on from.
    """

    def __init__(
        self,
        conversation: Conversation,
        question: Turn,
        asked: Asked,
        on_text: OnText,
        begun: Turn | None = None,
    ) -> None:
        self.prepared = asked.prepared
        self._conversation, self._question, self._made, self._begun = conversation, question, asked.made, begun
        self._before = begun.text if begun else ""
        self._shown = NamedStream(conversation.state.names, on_text)
        self._completion = Completion()
        self._turn: Turn | None = None
        self._is_done = False

    def take(self, completion: Completion, event: Event) -> None:
        """Keep the answer so far, and show what the event adds."""
        self._completion, self._is_done = completion, event.finish is not None
        if event.text:
            self._write(self._made)
            self._shown.push(event.text)

    def end(self, otherwise: FinishReason) -> Reply:
        """Keep how it ended, which is `otherwise` if not by itself."""
        if not self._is_done:
            self._completion.finish_reason = otherwise
        completion = self._completion
        if completion.output or (self._is_done and not self._begun):
            made = replace(
                self._made,
                prompt_tokens=completion.prompt_tokens or self.prepared.tokens,
                token_ids=(*self.prepared.begun, *completion.token_ids),
                finish_reason=completion.finish_reason,
                first_token=round(completion.first_token, 4),
                seconds=round(completion.seconds, 4),
            )
            self._write(made)
        self._shown.finish()
        turn = self._turn or self._begun or self._question
        text = substitute(turn.text, self._conversation.state.names)
        broken = defects(text) if self._turn else []
        return Reply(turn, completion, self.prepared.dropped, broken, not self._is_done)

    def _write(self, made: Made) -> None:
        text = self._before + self._completion.output
        if self._turn is None:
            self._turn = self._conversation.add("assistant", text, self._question.id, made)
        else:
            self._turn = self._conversation.write(self._turn.id, text, made)


def answer_all(engine: Engine, answers: Sequence[Answer]) -> list[Reply]:
    """Have the answers generated, together where the engine can; Ctrl-C ends them where they are.

    Raises:
        Interrupted: SIGTERM; what came is kept.
        LlmopsError: from the engine; what came before is kept.
    """
    with deferred_interrupts() as interruption:
        try:
            requests = [answer.prepared.request for answer in answers]
            with contextlib.closing(stream_all(engine, requests, at_once=len(answers))) as stream:
                for place, completion, event in stream:
                    answers[place].take(completion, event)
                    if interruption.signal is not None:
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        except BaseException:
            for answer in answers:
                answer.end("error")
            raise
        replies = [answer.end("interrupted") for answer in answers]
    if interruption.signal == signal.SIGTERM:
        raise Interrupted(signal.SIGTERM, "stopped; the answer is kept as far as it came")
    return replies
