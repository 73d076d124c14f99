"""A web server on 127.0.0.1 that serves a folder and fails in every way a test asks for."""

import hashlib
import http.server
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

WAIT_S = 20.0
"""How long anything waits for anything before a test fails."""


class Faulty(http.server.BaseHTTPRequestHandler):
    """Knows ranges and tags. `faults[path]` holds what goes wrong, one item for each request to come.

    `"always"` at the end of a list repeats the item before it.
    """

    tree: ClassVar[Path]
    seen: ClassVar[Counter[str]]
    sent: ClassVar[Counter[str]]
    asked: ClassVar[dict[str, list[tuple[str | None, str | None]]]]
    faults: ClassVar[dict[str, list[str]]]
    stalled: ClassVar[threading.Event]
    go_on: ClassVar[threading.Event]

    @classmethod
    def reset(cls, tree: Path) -> None:
        cls.tree, cls.faults = tree, {}
        cls.seen, cls.sent, cls.asked = Counter(), Counter(), defaultdict(list)
        cls.stalled, cls.go_on = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        path = unquote(self.path)
        Faulty.seen[path] += 1
        Faulty.asked[path].append((self.headers["Range"], self.headers["If-Range"]))
        self.close_connection = True
        fault = self._next_fault(path)
        if fault in _PLAIN:
            _PLAIN[fault](self)
        elif not (Faulty.tree / path[1:]).is_file():
            self.send_error(404)
        else:
            self._serve(path, (Faulty.tree / path[1:]).read_bytes(), fault)

    def _next_fault(self, path: str) -> str:
        waiting = Faulty.faults.get(path, [])
        if waiting[1:] == ["always"]:
            return waiting[0]
        return waiting.pop(0) if waiting else ""

    def _serve(self, path: str, data: bytes, fault: str) -> None:
        tag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        start = self._start(tag) if fault != "no ranges" else 0
        if start and start >= len(data):
            self.send_error(416)
            return
        body = data[start:]
        stated = len(data) - start
        if fault == "wrong":
            body = bytes(255 - byte for byte in body)
        if fault in ("half", "stall", "half, no length"):
            body = body[: len(body) // 2]
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        if start:
            first = start + (fault == "offset")
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if fault != "half, no length":
            self.send_header("Content-Length", str(stated))
        self.end_headers()
        self.wfile.write(body)
        Faulty.sent[path] += len(body)
        if fault == "stall":
            self.wfile.flush()
            Faulty.stalled.set()
            Faulty.go_on.wait(WAIT_S)

    def _start(self, tag: str) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if match is None or self.headers["If-Range"] not in (None, tag):
            return 0
        return int(match[1])

    def stay_silent(self) -> None:
        Faulty.go_on.wait(WAIT_S)

    def redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.end_headers()

    def ask_for_a_pause(self) -> None:
        self.send_response(429)
        self.send_header("Retry-After", "7")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


_PLAIN: dict[str, Callable[[Faulty], None]] = {
    "drop": lambda _: None,
    "busy": lambda server: server.send_error(503),
    "pause": Faulty.ask_for_a_pause,
    "gone": lambda server: server.send_error(404),
    "silent": Faulty.stay_silent,
    "to file": lambda server: server.redirect("file:///etc/hostname"),
    "to ftp": lambda server: server.redirect("ftp://127.0.0.1/file"),
    "moved": lambda server: server.redirect("/moved" + server.path),
    "in circles": lambda server: server.redirect(server.path),
}
