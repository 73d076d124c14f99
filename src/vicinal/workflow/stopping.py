"""SIGTERM: what a scheduler sends before it takes the machine away.

While weights are trained it is heeded after the step under way, with a checkpoint; at any other moment, and the second
time, the process ends at once. Knows signals; must not know what is being stopped.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self

__all__ = ["EXIT_CODE", "Stop"]

EXIT_CODE = 128 + signal.SIGTERM


class Stop:
    """Whether this process was asked to stop; a context within which it listens.

    Only the main thread of a process can listen; elsewhere SIGTERM does what it did before.
    """

    def __init__(self) -> None:
        self._is_asked = self._is_heeded = False

    def __call__(self) -> bool:
        """Return whether it was asked to stop."""
        return self._is_asked

    def __enter__(self) -> Self:
        self._listens = threading.current_thread() is threading.main_thread()
        if self._listens:
            self._before = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listens:
            signal.signal(signal.SIGTERM, self._before)

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """Within it the caller asks again and again, and ends by itself."""
        self._is_heeded = True
        try:
            yield
        finally:
            self._is_heeded = False
        if self._is_asked:
            raise SystemExit(EXIT_CODE)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_asked or not self._is_heeded:
            raise SystemExit(EXIT_CODE)
        self._is_asked = True
