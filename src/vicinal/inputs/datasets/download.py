"""Download: fetch a public data set from PhysioNet or a mirror, checked against its published checksums.

In parallel; what was fetched before and has the right checksum is kept, so a second call goes on where the
first one stopped. Knows files and checksums; must not know recordings.
"""

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from vicinal.errors import FormatError, PathError
from vicinal.files import atomic_path, inside, sha256_file
from vicinal.inputs.datasets.store import cache_folder, holds

__all__ = ["PUBLISHED", "Published", "get"]

Result = TypeVar("Result")

_SUMS = "SHA256SUMS.txt"
_ATTEMPTS = 4
_TIMEOUT_S = 30.0
_BLOCK = 2**18
_MAX_BYTES = 4 * 2**30
_MAX_LISTING = 2**28
_MAX_FAILED = 10
_LINE = re.compile(r"([0-9a-f]{64})[ *]+(\S.*)")


@dataclass(frozen=True)
class Published:
    """Where a data set is published, and which of its files are wanted; they are stored side by side.

    Args:    url: the folder that holds SHA256SUMS.txt.  wanted: regular expression of whole paths in it.
    """

    url: str
    wanted: str


PUBLISHED: dict[str, Published] = {
    "cinc2017": Published(
        url="https://physionet.org/files/challenge-2017/1.0.0/",
        wanted=r"training/(.*/)?A\d{5}\.(hea|mat)|REFERENCE-v3\.csv",
    ),
    "mitdb": Published(
        url="https://physionet.org/files/mitdb/1.0.0/",
        wanted=r"\d{3}\.(hea|dat|atr)",
    ),
}


@dataclass(frozen=True)
class _File:
    path: str
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


def get(
    name: str,
    *,
    source: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    n_threads: int = 8,
    pause_s: float = 0.5,
) -> Path:
    """Fetch the data set `name` into the cache and return its folder; nothing is fetched twice.

    The folder gets its name when every file is there and has its published SHA-256.

    Args:    source: another base URL (http, https), or a local folder, with the same tree; None: PhysioNet.
             progress: called with files done and in all.  n_threads: files fetched at a time.
             pause_s: before the second attempt at a file; doubled before each further one.
    Raises:  PathError: when the data set is unknown, or the source or a file in it cannot be reached.
             FormatError: when the list of checksums is not one.
    """
    if name not in PUBLISHED:
        raise PathError(f"no public data set {name!r} to fetch; there are {', '.join(PUBLISHED)}.")
    base, target = source or PUBLISHED[name].url, cache_folder() / name
    files = _wanted(_listing(base, pause_s), name, base)
    folder = target if target.is_dir() else target.with_name(f".{name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PathError(f"cannot make {folder}: {error.strerror}.") from error
    failed = _fetch_all(base, files, folder, progress, n_threads, pause_s)
    if failed:
        shown = "\n".join(f"  {reason}" for reason in failed[:_MAX_FAILED])
        raise PathError(
            f"{name} from {base}: files that cannot be fetched:\n{shown}\n"
            f"What came is kept; go on with: vicinal get {name}"
        )
    if not holds(name, folder):
        raise FormatError(
            f"{base} does not hold {name}: {_SUMS} lists {len(files)} files, but no label table."
        )
    if folder != target:
        try:
            folder.rename(target)
        except OSError as error:
            raise PathError(f"cannot rename {folder} to {target}: {error.strerror}.") from error
    return target


def _wanted(listing: bytes, name: str, base: str) -> list[_File]:
    """Return the wanted files of a SHA256SUMS listing, whose names are not trusted."""
    pattern = re.compile(PUBLISHED[name].wanted)
    files: dict[str, _File] = {}
    for line in listing.decode("utf-8", errors="replace").splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or not pattern.fullmatch(match[2].removeprefix("./")):
            continue
        file = _File(match[2].removeprefix("./"), match[1])
        if ".." in PurePosixPath(file.path).parts or files.setdefault(file.name, file).sha256 != file.sha256:
            raise FormatError(f"{base}{_SUMS}: {file.path!r} leads out of its folder or is listed twice.")
    if not files:
        raise FormatError(f"{base}: its {_SUMS} lists no file of {name}. Is it the folder of that data set?")
    return list(files.values())


def _fetch_all(
    base: str,
    files: list[_File],
    folder: Path,
    progress: Callable[[int, int], None] | None,
    n_threads: int,
    pause_s: float,
) -> list[str]:
    """Fetch what is not there yet and return why files failed; gives up after some failures."""
    failed: list[str] = []
    pool = ThreadPoolExecutor(max_workers=n_threads)
    try:
        waiting: set[Future[str]] = {
            pool.submit(_keep_or_fetch, base, file, folder, pause_s) for file in files
        }
        while waiting and len(failed) < _MAX_FAILED:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            failed += [reason for future in done if (reason := future.result())]
            if progress is not None:
                progress(len(files) - len(waiting), len(files))
    finally:
        # Ctrl-C and a dead source must not wait for thousands of files that are still to come.
        pool.shutdown(wait=True, cancel_futures=True)
    return failed


def _keep_or_fetch(base: str, file: _File, folder: Path, pause_s: float) -> str:
    """Bring one file into the folder; return "" or the reason why it did not come."""
    path = folder / file.name
    if path.is_file() and sha256_file(path) == file.sha256:
        return ""
    try:
        _retried(lambda: _fetch(base, file, path), pause_s=pause_s)
    except (OSError, http.client.HTTPException) as error:
        return f"{file.path}: {error or type(error).__name__}"
    return ""


def _fetch(base: str, file: _File, path: Path) -> None:
    with atomic_path(path) as part:
        if _copy(base, file.path, part) != file.sha256:
            raise _WrongBytesError("its bytes do not have the published SHA-256")


class _WrongBytesError(OSError):
    """The bytes that came are not those that were published; the next attempt may bring them."""


def _retried(action: Callable[[], Result], *, pause_s: float) -> Result:
    """Return what `action` returns, after a few more attempts when the connection fails."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return action()
        except (OSError, http.client.HTTPException) as error:
            if _is_final(error):
                raise
        time.sleep(pause_s * 2**attempt)
    return action()


def _copy(base: str, path: str, part: Path) -> str:
    """Write one file of the source to `part` and return its SHA-256."""
    digest, n_bytes = hashlib.sha256(), 0
    with _opened(base, path) as stream, part.open("wb") as out:
        while block := stream.read(_BLOCK):
            n_bytes += len(block)
            if n_bytes > _MAX_BYTES:
                raise PathError(f"{path} has more than {_MAX_BYTES // 2**30} GiB")
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def _listing(base: str, pause_s: float) -> bytes:
    def read() -> bytes:
        with _opened(base, _SUMS) as stream:
            return stream.read(_MAX_LISTING)

    try:
        return _retried(read, pause_s=pause_s)
    except (OSError, http.client.HTTPException) as error:
        raise PathError(
            f"cannot fetch {_SUMS} from {base}: {error or type(error).__name__}. Check the connection, or "
            "name a mirror or a folder with --source."
        ) from error


@contextmanager
def _opened(base: str, path: str) -> Iterator[IO[bytes]]:
    if base.startswith(("http://", "https://")):
        address = base.rstrip("/") + "/" + urllib.parse.quote(path)
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as stream:
            yield stream
    else:
        with inside(Path(base), path).open("rb") as stream:
            yield stream


def _is_final(error: Exception) -> bool:
    """Whether asking again cannot help: the file is not there, or may not be had."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code not in (408, 429)
    return isinstance(error, PathError)
