"""A server with the OpenAI interface in this process, that answers what it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def chat_piece(text: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


class Server:
    """Answers requests by `replies`, one each and the last one for all that follow; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.replies: list[Callable[[BaseHTTPRequestHandler], None]] = [reply(b"")]
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                with lock:
                    self.asked.append({"path": handler.path, **json.loads(body or b"{}")})
                    self.headers.append(dict(handler.headers))
                    answer = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                answer(handler)

            do_GET = do_POST  # noqa: N815

            def log_message(handler, *arguments: Any) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def reply(
    body: bytes,
    status: int = 200,
    *,
    cuts: list[int] | None = None,
    wait: float = 0,
    headers: dict[str, str] | None = None,
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Send a body, in pieces that end at `cuts`, `wait` seconds before each; the connection then ends."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        edges = [0, *(cuts or []), len(body)]
        for start, end in pairwise(edges):
            time.sleep(wait)
            try:
                handler.wfile.write(body[start:end])
                handler.wfile.flush()
            except OSError:  # the client has gone
                return

    return answer
