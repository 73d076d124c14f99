"""Download: fetch a public data set from PhysioNet or a mirror, checked against its published checksums.

In parallel. A file gets its name when its bytes have the published SHA-256, and what came of it before is kept
beside it: after a dropped connection, or when the process was killed, no byte is fetched twice. Knows files and
checksums; must not know recordings.
"""

import errno
import fcntl
import http.client
import os
import time
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.files import sha256_file
from vicinal.inputs.datasets.published import PUBLISHED, SUMS, PublishedFile, wanted_files
from vicinal.inputs.datasets.source import Answer, Source, StaleError
from vicinal.inputs.datasets.store import cache_folder, holds

__all__ = ["get"]

_ATTEMPTS = 4
"""In a row and without a further byte; what brings bytes may go on for ever."""

_MOST_WAIT_S = 120.0
"""A server may ask for a pause, but not for an afternoon."""

_BLOCK = 2**18
_MAX_BYTES = 4 * 2**30
_MAX_LISTING = 2**28
_MAX_FAILED = 10
_LOCAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def get(
    name: str,
    *,
    source: str | None = None,
    rate_hz: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    n_threads: int = 8,
    pause_s: float = 0.5,
    timeout_s: float = 30.0,
) -> Path:
    """Fetch the data set `name` into the cache and return its folder; nothing is fetched twice.

    The folder gets its name when every file is there and has its published SHA-256.

    Args:    source: another base URL (http, https), or a local folder, with the same tree; None: PhysioNet.
             rate_hz: which files of a set that is published at several rates; None: the usual ones.
             progress: called with files done and in all.  n_threads: files fetched at a time.
             pause_s: before the second attempt at a file; doubled before each further one.
             timeout_s: how long a server may send nothing.
    Raises:  PathError: when the data set is unknown, the source or a file in it cannot be reached, or another
             process is fetching the same data set.
             ExperimentError: when the data set is not published at that rate.
             FormatError: when the list of checksums is not one.
    """
    if name not in PUBLISHED:
        raise PathError(f"no public data set {name!r} to fetch; there are {', '.join(PUBLISHED)}.")
    base, target = source or PUBLISHED[name].url, cache_folder() / name
    origin = Source(base, timeout_s)
    files = wanted_files(_listing(origin, pause_s), name, rate_hz=rate_hz, where=f"{base.rstrip('/')}/{SUMS}")
    folder = target if target.is_dir() else target.with_name(f".{name}.part")
    with _alone_in(folder, name):
        _make_folders(folder, files)
        failed = _fetch_all(origin, files, folder, progress, n_threads, pause_s)
        if failed:
            shown = "\n".join(f"  {reason}" for reason in failed[:_MAX_FAILED])
            again = f"vicinal get {name}" + (f" --rate-hz {rate_hz}" if rate_hz is not None else "")
            raise PathError(
                f"{name} from {base}: files that cannot be fetched:\n{shown}\n"
                f"What came is kept; go on with: {again}"
            )
        if not holds(name, folder):
            raise FormatError(
                f"{base} does not hold {name}: {SUMS} lists {len(files)} files, but no label table."
            )
        if folder != target:
            try:
                folder.rename(target)
            except OSError as error:
                raise PathError(f"cannot rename {folder} to {target}: {error.strerror}.") from error
    return target


def _listing(source: Source, pause_s: float) -> bytes:
    for attempt in range(_ATTEMPTS):
        try:
            return source.read(SUMS, max_bytes=_MAX_LISTING)
        except (OSError, http.client.HTTPException) as error:
            asked_s = _asked_s(error)
            if _is_final(error) or attempt == _ATTEMPTS - 1:
                raise PathError(
                    f"cannot fetch {SUMS} from {source.base}: {error or type(error).__name__}. Check the "
                    "connection, or name a mirror or a folder with --source."
                ) from error
        time.sleep(max(pause_s * 2**attempt, asked_s))
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _alone_in(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock on the folder, which ends with the process, however that ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise PathError(f"cannot make {folder}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PathError(f"another process is fetching {name} into {folder}. Wait for it.") from error
        yield
    finally:
        os.close(handle)


def _make_folders(folder: Path, files: list[PublishedFile]) -> None:
    try:
        for below in sorted({(folder / file.target).parent for file in files}):
            below.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PathError(f"cannot make the folders of {folder}: {error.strerror}.") from error


def _fetch_all(
    source: Source,
    files: list[PublishedFile],
    folder: Path,
    progress: Callable[[int, int], None] | None,
    n_threads: int,
    pause_s: float,
) -> list[str]:
    """Fetch what is not there yet and return why files failed; gives up after some failures."""
    failed: list[str] = []
    pool = ThreadPoolExecutor(max_workers=n_threads)
    try:
        coming = [pool.submit(_keep_or_fetch, source, file, folder, pause_s) for file in files]
        for done, future in enumerate(as_completed(coming), start=1):
            failed += [reason for reason in [future.result()] if reason]
            if progress is not None:
                progress(done, len(files))
            if len(failed) >= _MAX_FAILED:
                break
    finally:
        # Ctrl-C and a dead source must not wait for thousands of files that are still to come.
        pool.shutdown(wait=True, cancel_futures=True)
    return failed


def _keep_or_fetch(source: Source, file: PublishedFile, folder: Path, pause_s: float) -> str:
    """Bring one file into the folder; return "" or the reason why it did not come."""
    path = folder / file.target
    try:
        if path.is_file() and sha256_file(path) == file.sha256:
            return ""
        _fetch(source, file, path, pause_s)
    except (OSError, http.client.HTTPException) as error:
        return f"{file.path}: {error or type(error).__name__}"
    return ""


class _Part:
    """What has come of a file so far, on disk, and the version it is of, where this process has asked for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tag: str | None = None

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def take(self, answer: Answer) -> None:
        """Write what comes, each block at once, so that a killed process has lost none of it."""
        self.tag = answer.tag
        with self.path.open("r+b" if answer.start else "wb") as out:
            at = out.seek(answer.start)
            out.truncate()
            while block := answer.stream.read1(_BLOCK):
                at += out.write(block)
                out.flush()
                if at > _MAX_BYTES:
                    raise PathError(f"it has more than {_MAX_BYTES // 2**30} GiB")
            os.fsync(out.fileno())
        if answer.total is not None and at < answer.total:
            raise ConnectionError(f"the connection ended after {at} of {answer.total} bytes")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.tag = None


class _WrongBytesError(OSError):
    """The bytes that came are not those that were published; the next attempt may bring them."""


def _fetch(source: Source, file: PublishedFile, path: Path, pause_s: float) -> None:
    """Fetch one file, as often as it takes while bytes come, and a few times when none do."""
    part = _Part(path.with_name(f".{path.name}.part"))
    furthest, failures = part.size, 0
    if furthest and sha256_file(part.path) == file.sha256:  # killed after the last byte
        part.path.replace(path)
        return
    while True:
        asked_s = 0.0
        try:
            _attempt(source, file, part)
        except (OSError, http.client.HTTPException) as error:
            asked_s = _asked_s(error)
            failures = 1 if part.size > furthest else failures + 1
            furthest = max(furthest, part.size)
            if failures >= _ATTEMPTS or _is_final(error):
                raise
        else:
            part.path.replace(path)
            return
        time.sleep(max(pause_s * 2 ** (failures - 1), asked_s))


def _attempt(source: Source, file: PublishedFile, part: _Part) -> None:
    """Fetch what is missing of a part; when it then is not the published file, begin anew next time."""
    try:
        with source.open(file.path, start=part.size, tag=part.tag) as answer:
            part.take(answer)
    except StaleError:
        part.discard()
        raise
    if sha256_file(part.path) != file.sha256:
        part.discard()
        raise _WrongBytesError("its bytes do not have the published SHA-256")


def _asked_s(error: Exception) -> float:
    """Return how long the server asks to be left alone, in seconds (`Retry-After`); 0 when it does not."""
    asked = error.headers.get("Retry-After", "") if isinstance(error, urllib.error.HTTPError) else ""
    return min(float(asked), _MOST_WAIT_S) if asked.isascii() and asked.isdecimal() else 0.0


def _is_final(error: Exception) -> bool:
    """Whether asking again cannot help: the file is elsewhere, may not be had, or cannot be stored."""
    if isinstance(error, urllib.error.HTTPError):
        return 300 <= error.code < 500 and error.code not in (408, 429)
    return isinstance(error, PathError) or (isinstance(error, OSError) and error.errno in _LOCAL)
