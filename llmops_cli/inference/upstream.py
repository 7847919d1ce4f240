"""Talking to a server: asking again while it has said nothing, server-sent events, and one line for every fault."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from llmops_cli.core.errors import InputError, LlmopsError, MachineError

if TYPE_CHECKING:
    import httpx

KEYS = ("LLMOPS_API_KEY", "OPENAI_API_KEY")
"""Variables of the environment that a server's key is read from; the first that is set."""
BUSY = frozenset({408, 409, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""
REFUSED = frozenset({400, 413, 422})
"""Statuses that find fault with the request itself."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for, in seconds, and how often it is asked again before it has said anything."""

    connect: float = 10.0
    silence: float = 120.0
    retries: int = 4
    pause: float = 0.5
    """Before the first retry; it doubles with each."""


class Server:
    """A server by its URL, which is what every error names. It may be used by several threads."""

    def __init__(self, url: str, patience: Patience) -> None:
        import httpx

        self.url, self._patience = url, patience
        self._key = next((key for name in KEYS if (key := os.environ.get(name))), "")
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(patience.silence, connect=patience.connect),
            limits=httpx.Limits(max_connections=None),
        )

    def get(self, path: str) -> Any:
        """The JSON at a path.

        Raises:
            MachineError: as :meth:`events`, or it is no JSON.
        """
        answer = b"".join(self._ask("GET", path, None, threading.Event()))
        try:
            return json.loads(answer)
        except ValueError:
            raise self.nonsense(answer.decode("utf-8", "replace")) from None

    def events(self, path: str, body: Any, dropped: threading.Event) -> Iterator[str]:
        """Post `body` as JSON; the data of the events that answer it, until `dropped` is set.

        A server that does not stream answers with one JSON object, which is then all there is.

        Raises:
            InputError: the server finds fault with the request.
            MachineError: it cannot be reached, refuses the key, is silent for too long or breaks off.
        """
        chunks = self._ask("POST", path, body, dropped)
        first = next(chunks, b"")
        if first.lstrip().startswith(b"{"):
            yield b"".join([first, *chunks]).decode("utf-8", "replace")
        else:
            yield from event_data(chain([first], chunks))

    def nonsense(self, said: str) -> MachineError:
        """The error of a server that says what makes no sense here."""
        return MachineError(f"talks nonsense: {said[:80]!r}", where=self.url)

    def _ask(self, method: str, path: str, body: Any, dropped: threading.Event) -> Iterator[bytes]:
        import httpx

        for attempt in range(self._patience.retries + 1):
            said = False
            try:
                with self._http.stream(method, self.url + path, json=body) as response:
                    if response.is_success:
                        for chunk in response.iter_bytes():
                            said = True
                            if dropped.is_set():
                                return
                            yield chunk
                        return
                    response.read()
                fault, pause = self._fault(response), _retry_after(response)
                again = response.status_code in BUSY
            except (httpx.TransportError, httpx.DecodingError) as error:
                fault, pause = self._broken(error), None
                again = not said and not isinstance(error, httpx.ReadTimeout)
            if not again or attempt == self._patience.retries:
                raise fault
            pause = self._patience.pause * 2**attempt if pause is None else min(pause, self._patience.silence)
            if dropped.wait(pause):
                return

    def _broken(self, error: Exception) -> LlmopsError:
        import httpx

        if isinstance(error, httpx.ReadTimeout):
            what = f"silent for {self._patience.silence:g} s"
        elif isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            what = "cannot be reached"
        else:
            what = f"broke off: {error or type(error).__name__}"
        return MachineError(what, where=self.url, hint="is it running?")

    def _fault(self, response: httpx.Response) -> LlmopsError:
        status = response.status_code
        try:
            said = error_message(response.json())
        except ValueError:
            said = response.reason_phrase
        said = said.replace(self._key, "…") if self._key else said
        if status in REFUSED:
            return InputError(f"refuses the request: {said}", where=self.url)
        if status in (401, 403):
            return MachineError(f"refuses the key ({status})", where=self.url, hint=f"export {KEYS[0]}=…")
        return MachineError(f"answers {status}: {said}", where=self.url)


def event_data(chunks: Iterable[bytes]) -> Iterator[str]:
    """The data of server-sent events, however the stream is cut into chunks (WHATWG HTML, section 9.2.6).

    An event that is not ended by an empty line is dropped, as the standard says.
    """
    data: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data).decode("utf-8", "replace")
            data = []


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines ended by LF or CRLF; `str.splitlines` would also cut at U+2028, which a text may hold."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)


def error_message(answer: Any) -> str:
    """The message in a server's JSON of an error, in one line."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    message = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(message).split())[:200]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait; a date is not read."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
