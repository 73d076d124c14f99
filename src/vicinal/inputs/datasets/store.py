"""Store: where the files of a public data set lie on this machine.

In a folder that the user names, in `$VICINAL_DATA`, or in the cache, where archives are unpacked once and
`vicinal get` puts what it fetches. Knows folders and archives; must not know recordings.
"""

import lzma
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from vicinal.errors import FormatError, PathError
from vicinal.files import sha256_bytes

__all__ = ["MARKERS", "cache_folder", "find", "holds"]

MARKERS: dict[str, tuple[str, ...]] = {
    "cinc2017": ("REFERENCE-v3.plain.csv", "REFERENCE-v3.csv"),
    "fsdd": ("recordings/0_*_0.wav",),
    "mitdb": ("100.hea",),
    "ptbxl": ("ptbxl_database.csv",),
    "ucr": ("*/*_TRAIN.tsv",),
}
"""A folder holds a data set when it holds a file of one of these names. Only these data sets have files."""

_ELSEWHERE: dict[str, str] = {
    "fsdd": "https://github.com/Jakobovski/free-spoken-digit-dataset",
    "ucr": "https://www.cs.ucr.edu/~eamonn/time_series_data_2018/",
}
"""Where sets are published that `vicinal get` does not fetch: without checksums, or behind a form."""

_ARCHIVES: dict[str, tuple[str, ...]] = {"ptbxl": ("ptbxl", "ptbxl-500")}
"""Names that an archive of a data set may have besides the set's own."""

_MAX_BYTES = 16 * 2**30
_MAX_MEMBERS = 2_000_000
_SUFFIXES = (".tar.xz", ".tar.gz", ".tar")
_SAMPLE = 2**20


def find(name: str, data: Path | None) -> Path:
    """Return the folder that holds the data set `name`, unpacking its archive into the cache if need be.

    Args:    data: where the user says it is: a folder that holds the set itself, a folder `name` with it, or
             `name`.tar.xz; None looks in `$VICINAL_DATA`, then in what was fetched.
    Raises:  PathError: when it is not there; says how to get it.
             FormatError: when its archive cannot be unpacked safely.
    """
    if name not in MARKERS:
        raise PathError(f"{name!r} is no data set with files; there are {', '.join(MARKERS)}.")
    given = os.environ.get("VICINAL_DATA")
    places = [data] if data is not None else [Path(given)] if given else []
    for place in places:
        found = _look(name, place)
        if found is not None:
            return found
    fetched = cache_folder() / name
    if data is None and holds(name, fetched):
        return fetched
    looked = ", ".join(str(place) for place in (*places, *([fetched] if data is None else [])))
    how = f"Get it from {_ELSEWHERE[name]}" if name in _ELSEWHERE else f"Fetch it with: vicinal get {name}"
    raise PathError(
        f"the data set {name!r} is not in {looked}. {how} ; or name a folder "
        f"that holds it, or its archive {name}.tar.xz, with --data or $VICINAL_DATA."
    )


def holds(name: str, folder: Path) -> bool:
    """Whether `folder` itself holds the data set `name`."""
    return any(path.is_file() for marker in MARKERS[name] for path in folder.glob(marker))


def cache_folder() -> Path:
    """Return where fetched and unpacked data sets go: `$XDG_CACHE_HOME/vicinal`, or `~/.cache/vicinal`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vicinal"


def _look(name: str, place: Path) -> Path | None:
    for folder in (place, place / name):
        if holds(name, folder):
            return folder
    names = [f"{stem}{suffix}" for stem in _ARCHIVES.get(name, (name,)) for suffix in _SUFFIXES]
    for archive in [place] if place.is_file() else [place / one for one in names]:
        if archive.is_file():
            return _unpacked(name, archive)
    return None


def _unpacked(name: str, archive: Path) -> Path:
    """Return the cached folder with the content of `archive`; it appears whole or not at all."""
    target = cache_folder() / f"{name}-{_identity(archive)}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=target.parent))
    try:
        _extract(archive, part)
        content = next((folder for folder in (part, part / name) if holds(name, folder)), None)
        if content is None:
            raise FormatError(f"{archive} does not hold {name}: no {' or '.join(MARKERS[name])} in it.")
        content.chmod(0o755)
        try:
            content.rename(target)
        except OSError:
            # Another process may have unpacked the same archive meanwhile; its copy is as good.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _extract(archive: Path, folder: Path) -> None:
    n_bytes = 0
    if not hasattr(tarfile, "data_filter"):
        raise PathError(
            f"{archive}: this Python cannot unpack archives safely (3.11.4 and later can). Unpack it yourself and "
            "name the folder with --data."
        )
    try:
        with tarfile.open(archive, "r:*") as tar:
            for n_members, member in enumerate(tar, start=1):
                n_bytes += member.size
                if n_bytes > _MAX_BYTES or n_members > _MAX_MEMBERS:
                    raise FormatError(
                        f"{archive} unpacks to more than {_MAX_BYTES // 2**30} GiB or {_MAX_MEMBERS} files; "
                        "it is not unpacked. Unpack it yourself and name the folder."
                    )
                tar.extract(member, folder, filter="data")
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise FormatError(f"{archive} cannot be unpacked: {error}. Get the archive again.") from error


def _identity(archive: Path) -> str:
    """Return a short name for the content, from its size and both ends: the end holds the checksums."""
    size = archive.stat().st_size
    with archive.open("rb") as stream:
        head = stream.read(_SAMPLE)
        stream.seek(max(size - _SAMPLE, 0))
        tail = stream.read(_SAMPLE)
    return sha256_bytes(str(size).encode() + head + tail)[:12]
