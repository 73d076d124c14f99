"""Seeded mutants of a good file, and what every reader owes to each of them.

A reader answers a mutant with a signal or with one typed error that names the file: no other exception, no
more than a second of processor time, no memory beyond a bound.
"""

import re
import resource
import signal as signals
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vicinal.errors import FormatError, PathError
from vicinal.signal import Signal

_HOSTILE = (
    b"0",
    b"-1",
    b"nan",
    b"inf",
    b"1e308",
    b"1e-300",
    b"99999999999999",
    b"4294967295",
    b"-32768",
    b"1.5",
    b"",
)
_WORDS = (
    b"\0",
    b"\xff",
    b"../x",
    b"/etc/passwd",
    b"http://h/x",
    b"\r\n",
    b"~",
    b" ",
    b"#",
    b"=",
    b"\xef\xbb\xbf",
)


def mutants(good: bytes, *, n: int, seed: int, header: int | None = None) -> Iterator[bytes]:
    """Yield `n` mutants of `good`, each with one to three faults; most lie in its first `header` bytes."""
    for k in range(n):
        rng = np.random.default_rng([seed, k])
        data = bytearray(good)
        for _ in range(int(rng.integers(1, 4))):
            _fault(data, rng, header)
        yield bytes(data)


def _fault(data: bytearray, rng: np.random.Generator, header: int | None) -> None:
    limit = len(data) if header is None or rng.random() < 0.2 else min(header, len(data))
    at = int(rng.integers(0, max(limit, 1)))
    size = int(rng.integers(1, 9))
    kind = int(rng.integers(0, 9))
    if kind == 0 and data:
        at = min(at, len(data) - 1)
        data[at] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1 and data:
        data[min(at, len(data) - 1)] = int(rng.choice([0, 1, 32, 45, 48, 127, 128, 255]))
    elif kind == 2:
        del data[at : at + size]
    elif kind == 3:
        data[at:at] = data[at : at + size]
    elif kind == 4:
        data[at:at] = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    elif kind == 5:
        del data[at:]
    elif kind == 6:
        data[at : at + size] = bytes(min(size, len(data) - at))
    elif kind == 7:
        numbers = list(re.finditer(rb"-?\d+\.?\d*", bytes(data[:limit])))
        if numbers:
            found = numbers[int(rng.integers(0, len(numbers)))]
            data[found.start() : found.end()] = _HOSTILE[int(rng.integers(0, len(_HOSTILE)))]
    else:
        data[at:at] = _WORDS[int(rng.integers(0, len(_WORDS)))]


class TooSlowError(AssertionError):
    """A reader took more than its second of processor time."""


@contextmanager
def bounded(*, seconds: float = 1.0, extra_bytes: int = 256 << 20) -> Iterator[None]:
    """Stop the block after `seconds` of processor time, and let it map at most `extra_bytes` more memory."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"took more than {seconds} s of processor time")

    with Path("/proc/self/statm").open() as statm:
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signals.signal(signals.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + extra_bytes, hard))
    signals.setitimer(signals.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signals.setitimer(signals.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signals.signal(signals.SIGPROF, before)


def answers(
    read: Callable[[], Signal],
    *,
    names: str,
    misread: Callable[[Signal], str | None] = lambda _: None,
    extra_bytes: int = 256 << 20,
) -> Signal | None:
    """Check what a reader answers: a signal that `misread` finds nothing wrong with, or one typed error.

    Args:    names: what the message must name (the file).  misread: says what a size, a checksum or a count in
             the file would have exposed.
    Returns: the signal, or None when it was refused.
    """
    started, refusal = time.process_time(), None
    try:
        with bounded(extra_bytes=extra_bytes):
            signal = read()
    except (FormatError, PathError) as error:
        refusal = str(error)
    if refusal is not None:
        assert names in refusal, f"the message does not name {names}: {refusal}"
        return None
    assert time.process_time() - started < 1
    assert signal.samples.dtype == np.float32
    assert not np.isinf(signal.samples).any(), "infinity came through"
    problem = misread(signal)
    assert problem is None, f"misread in silence: {problem}"
    return signal
