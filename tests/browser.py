"""A real browser without a window, spoken to over a pipe: what a page asks for, complains of, and how wide it gets.

Chromium's own protocol on file descriptors 3 and 4, JSON with a zero byte after each message: no driver, no port.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Browser", "Seen", "browser_path", "open_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_WAIT_S = 120.0


@dataclass
class Seen:
    """What opening one page gave.

    Args:    requests: addresses asked for, the page's own among them.  complaints: of the console and of scripts.
             width: of the window.  full_width: of all that is laid out.  height: of the page.
    """

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    width: int = 0
    full_width: int = 0
    height: int = 0


class Browser:
    """One page of a running browser."""

    def __init__(self, to: int, fro: int) -> None:
        self._to, self._fro, self._rest, self._n, self._session = to, fro, b"", 0, ""
        self._events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{room}.enable")

    def open(self, path: Path, *, width: int, height: int = 900) -> Seen:
        """Open a file in a window of this width, wait for it, and say what was seen."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._events.clear()
        self._ask("Page.navigate", url=path.resolve().as_uri())
        deadline = time.monotonic() + _WAIT_S
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._read(deadline)
        size = self.run(
            "({width: innerWidth, full_width: document.documentElement.scrollWidth, "
            "height: document.documentElement.scrollHeight})"
        )
        seen = Seen(**size)
        for event in self._events:
            found = event["params"]
            if event["method"] == "Network.requestWillBeSent":
                seen.requests.append(found["request"]["url"])
            elif event["method"] == "Log.entryAdded":
                seen.complaints.append(f"{found['entry']['level']}: {found['entry']['text']}")
            elif event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                seen.complaints.append(json.dumps(found))
        return seen

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        return self._ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def picture(self, path: Path, *, height: int | None = None) -> None:
        """Save what the page looks like, all of it or its first points."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        shot = self._ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._n += 1
        message = {"id": self._n, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _WAIT_S
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self._n:
                assert "error" not in answer, f"{method}: {answer}"
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._fro], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self._fro, 1 << 20)
            assert data, "the browser ended"
            self._rest += data
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message


def browser_path() -> str:
    """Return the browser there is. In CI there must be one; elsewhere the test is left out, with the reason."""
    stated = os.environ.get("VICINAL_BROWSER")
    found = stated or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    words = "no Chromium on the path: install one (`apt-get install chromium`), or name it in VICINAL_BROWSER"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Yield a browser that keeps what it writes in `folder`, without a network to reach."""
    there, to = os.pipe()
    fro, back = os.pipe()
    command = [
        browser_path(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe",
    ]  # fmt: skip
    # The protocol wants these two numbers, which Python may have given to something else.
    script = f'exec "$@" 3<&{there} 4>&{back}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *command],
        pass_fds=(there, back), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    os.close(there)
    os.close(back)
    try:
        yield Browser(to, fro)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(to)
        os.close(fro)
