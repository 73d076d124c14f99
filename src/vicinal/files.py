"""Files, written whole or not at all, and opened only inside the folder that was given.

Knows paths and bytes; must not know what the bytes mean.
"""

import contextlib
import hashlib
import json
import math
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vicinal.errors import FormatError, PathError

__all__ = [
    "atomic_path",
    "inside",
    "read_json",
    "sha256_bytes",
    "sha256_file",
    "sync",
    "to_json",
    "write_bytes",
    "write_json",
]


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes its place when the block ends without an error.

    The file and its folder are synced to disk before and after the rename, so that a crash leaves either the
    old file or the new one, never a part. An error, Ctrl-C included, removes the temporary file.

    Raises:  PathError: when the folder does not exist or cannot be written.
    """
    if not path.parent.is_dir():
        raise PathError(f"cannot write {path}: the folder {path.parent} does not exist. Create it first.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise PathError(f"cannot write {path}: {error.strerror}.") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~_umask())
        sync(part)
        try:
            part.replace(path)
        except OSError as error:
            raise PathError(f"cannot write {path}: {error.strerror}.") from error
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as part:
        part.write_bytes(data)


def write_json(path: Path, value: Any, *, sort_keys: bool = True) -> None:
    """Write `value` as indented JSON; NaN and infinity become null, as JSON has neither.

    Args:    sort_keys: False where the order of keys says something, such as that of classes.
    """
    write_bytes(path, (to_json(value, sort_keys=sort_keys) + "\n").encode())


def to_json(value: Any, *, indent: int | None = 2, sort_keys: bool = True) -> str:
    """Return `value` as JSON; NaN and infinity become null, arrays lists.

    Args:    indent: None for one line.  sort_keys: as in `write_json`.
    """
    return json.dumps(_finite(value), indent=indent, sort_keys=sort_keys, allow_nan=False)


def read_json(path: Path) -> Any:
    """Read one JSON file.

    Raises:  PathError: when there is no such file.  FormatError: when it is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise PathError(f"{path} does not exist.") from error
    except ValueError as error:
        raise FormatError(f"{path} is not JSON: {error}.") from error


def inside(root: Path, name: str) -> Path:
    """Return the regular file `name` below `root`, refusing everything that would leave it.

    Args:    root: the folder given by the user.  name: a relative path found in data (a header, a table).
    Raises:  PathError: for an absolute, home-relative or network name, a path or link that leaves `root`, a
             special file, or a file that is not there.
    """
    if "\0" in name or "://" in name or name.startswith(("/", "~", "\\")) or Path(name).is_absolute():
        raise PathError(f"file name {name!r}: only names relative to {root} are opened.")
    folder = os.path.realpath(root)
    path = Path(os.path.realpath(f"{folder}/{name}"))
    if not path.is_relative_to(folder):
        raise PathError(f"file name {name!r} leads outside {root}; it is not opened.")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise PathError(f"{name!r} is not in {root}.") from error
    if not stat.S_ISREG(mode):
        raise PathError(f"{name!r} in {root} is not a regular file.")
    return path


def sha256_bytes(data: bytes) -> str:
    """Return the hex SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's content, read in bounded memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    # The umask can only be read by setting it; mkstemp made the file 0600 and a result should be as readable
    # as any file the user makes.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
