"""Published data sets: where each lies, which of its files are wanted, and what their bytes must be.

The names in a published list of checksums are not trusted. Must not know connections or folders.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from vicinal.errors import ExperimentError, FormatError, PathError

__all__ = ["PUBLISHED", "SUMS", "Published", "PublishedFile", "wanted_files"]

SUMS = "SHA256SUMS.txt"

_LINE = re.compile(r"([0-9a-f]{64})[ *]+(\S.*)")


@dataclass(frozen=True)
class Published:
    """Where a data set is published, and which of its files are wanted.

    Args:    url: the folder that holds SHA256SUMS.txt.  wanted: regular expression of whole paths in it.
             at_rate: further files by rate in Hz, for a set that is published at several; the first is usual.
             is_tree: whether the files keep their folders; otherwise they are stored side by side.
    """

    url: str
    wanted: str
    at_rate: Mapping[int, str] = field(default_factory=dict)
    is_tree: bool = False


PUBLISHED: dict[str, Published] = {
    "cinc2017": Published(
        url="https://physionet.org/files/challenge-2017/1.0.0/",
        wanted=r"training/(.*/)?A\d{5}\.(hea|mat)|REFERENCE-v3\.csv",
    ),
    "mitdb": Published(
        url="https://physionet.org/files/mitdb/1.0.0/",
        wanted=r"\d{3}\.(hea|dat|atr)",
    ),
    "ptbxl": Published(
        url="https://physionet.org/files/ptb-xl/1.0.3/",
        wanted=r"ptbxl_database\.csv|scp_statements\.csv",
        at_rate={
            100: r"records100/\d{5}/\d{5}_lr\.(hea|dat)",
            500: r"records500/\d{5}/\d{5}_hr\.(hea|dat)",
        },
        is_tree=True,
    ),
}


@dataclass(frozen=True)
class PublishedFile:
    """One file: its path where it is published, its path in the data set's folder, and its SHA-256."""

    path: str
    target: str
    sha256: str


def wanted_files(listing: bytes, name: str, *, rate_hz: int | None, where: str) -> list[PublishedFile]:
    """Return the wanted files of the data set `name` in a list of checksums.

    Args:    rate_hz: which rate of a set that is published at several; None: the usual one.
             where: the list came from, for messages.
    Raises:  PathError: when there is no such data set.  ExperimentError: when it is not published at that rate.
             FormatError: when the list names no wanted file, one twice, or one outside its folder.
    """
    if name not in PUBLISHED:
        raise PathError(f"no public data set {name!r} to fetch; there are {', '.join(PUBLISHED)}.")
    published = PUBLISHED[name]
    pattern = re.compile(_pattern(name, rate_hz), re.ASCII)
    files: dict[str, PublishedFile] = {}
    for line in listing.decode("utf-8", errors="replace").splitlines():
        match = _LINE.fullmatch(line.strip())
        path = match[2].removeprefix("./") if match is not None else ""
        if match is None or not pattern.fullmatch(path):
            continue
        file = PublishedFile(path, path if published.is_tree else PurePosixPath(path).name, match[1])
        first = files.setdefault(file.target, file)
        if ".." in PurePosixPath(path).parts or first.sha256 != file.sha256:
            raise FormatError(f"{where}: {path!r} leads out of its folder or is listed twice.")
    if not files:
        raise FormatError(f"{where} lists no file of {name}. Is it the folder of that data set?")
    return list(files.values())


def _pattern(name: str, rate_hz: int | None) -> str:
    published = PUBLISHED[name]
    rates = published.at_rate
    if rate_hz is not None and rate_hz not in rates:
        there = f"there are {' and '.join(map(str, rates))}" if rates else "it has one rate; leave it out"
        raise ExperimentError(f"{name} is not published at {rate_hz} Hz; {there}.")
    if not rates:
        return published.wanted
    return f"{published.wanted}|{rates[next(iter(rates)) if rate_hz is None else rate_hz]}"
