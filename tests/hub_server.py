"""A hub in this process: what `huggingface_hub` asks of one, and how one can misbehave."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0" * 20
WEIGHTS = "model.safetensors"


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked."""

    url: str = ""
    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    lies: dict[str, str] = field(default_factory=dict)
    """SHA-256 that the list of files gives instead of the right one."""
    cuts: list[int] = field(default_factory=list)
    """Bytes of the weights after which the connection breaks, for one request each."""
    ranges: bool = True
    refusal: tuple[int, str] | None = None
    """Status and `X-Error-Code` of every answer."""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and `Range`."""
    tokens: set[str | None] = field(default_factory=set)

    @property
    def downloads(self) -> list[tuple[str, str | None]]:
        """Files that were asked for, with `Range`."""
        return [
            (path.rpartition("/")[2], asked)
            for verb, path, asked in self.asked
            if verb == "GET" and "/api/" not in path
        ]

    def siblings(self, files: dict[str, bytes]) -> Iterator[dict[str, Any]]:
        for name, content in files.items():
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git}
            if name.endswith((".safetensors", ".bin")):
                sha = self.lies.get(name) or hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"size": len(content), "sha256": sha, "pointerSize": 130}
            yield entry


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    """What answers for a hub."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path, self.headers["Range"]))
            hub.tokens.add(self.headers["Authorization"])
            if hub.refusal:
                status, code = hub.refusal
                return self.answer(status, X_Error_Code=code)
            found = re.fullmatch(
                r"(/api/models)?/(?P<name>[\w-]+/[\w-]+)(/(?P<verb>revision|tree|resolve)/(?P<revision>\w+)(/(?P<file>.+))?)?",
                path,
            )
            if found is None or found["name"] not in hub.models:
                return self.answer(404, X_Error_Code="RepoNotFound")
            if found["revision"] not in (None, "main", "v1", COMMIT):
                return self.answer(404, X_Error_Code="RevisionNotFound")
            siblings = list(hub.siblings(hub.models[found["name"]]))
            if found["verb"] == "tree":
                entries = [
                    {"type": "file", "path": entry["rfilename"], "oid": entry["blobId"], "size": entry["size"]}
                    | ({"lfs": entry["lfs"] | {"oid": entry["lfs"]["sha256"]}} if "lfs" in entry else {})
                    for entry in siblings
                ]
                return self.answer(200, json.dumps(entries).encode())
            if found["verb"] != "resolve":
                return self.answer(200, json.dumps({"id": found["name"], "sha": COMMIT, "siblings": siblings}).encode())
            (entry,) = (entry for entry in siblings if entry["rfilename"] == found["file"])
            return self.send_file(entry, hub.models[found["name"]][found["file"]])

        def send_file(self, entry: dict[str, Any], content: bytes) -> None:
            etag = entry["lfs"]["sha256"] if "lfs" in entry else entry["blobId"]
            known = {"ETag": f'"{etag}"', "X_Repo_Commit": COMMIT}
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
            begin = int(asked[1]) if asked and hub.ranges else 0
            rest, length = content[begin:], len(content)
            if asked and hub.ranges:
                known["Content_Range"] = f"bytes {begin}-{length - 1}/{length}"
            if self.command == "GET" and hub.cuts and entry["rfilename"] == WEIGHTS:
                self.send_response(206 if begin else 200)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest[: hub.cuts.pop(0)])
                self.close_connection = True
                return None
            return self.answer(206 if "Content_Range" in known else 200, rest, **known)

    return Handler
