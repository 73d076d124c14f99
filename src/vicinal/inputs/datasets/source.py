"""Source: a folder of files behind a URL, or on this machine, that answers with a file from any byte on.

What a server says about its answer is checked before a byte of it is taken. Knows HTTP; must not know data sets,
nor where the bytes go.
"""

import http.client
import io
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from vicinal.errors import PathError
from vicinal.files import inside

__all__ = ["Answer", "Source", "StaleError"]

_WEB = ("http://", "https://")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII)


class StaleError(OSError):
    """The source cannot go on where a part ends: what was fetched so far does not belong to its file."""


@dataclass(frozen=True)
class Answer:
    """What a source sends of a file.

    Args:    stream: the bytes.  start: the position of its first byte in the file: as asked for, or 0.
             total: bytes in the whole file, where the source says so.  tag: the version of the file, likewise.
    """

    stream: io.BufferedIOBase
    start: int
    total: int | None
    tag: str | None


@dataclass(frozen=True)
class Source:
    """Where files are fetched from.

    Args:    base: a URL (http, https) or a local folder.  timeout_s: without a byte, for this long at most.
    """

    base: str
    timeout_s: float = 30.0

    @contextmanager
    def open(self, path: str, *, start: int = 0, tag: str | None = None) -> Iterator[Answer]:
        """Open a file below the base, from byte `start` on.

        Args:    tag: the version that the first `start` bytes are of; another version is sent from its beginning.
        Raises:  OSError, http.client.HTTPException: when it cannot be had; worth another attempt or not.
                 StaleError: when there is nothing at `start`, or something else came.
                 PathError: when it leads elsewhere than to the web, or out of the local folder.
        """
        if not self.base.startswith(_WEB):
            with inside(Path(self.base), path).open("rb") as stream:
                total = stream.seek(0, io.SEEK_END)
                if start >= total > 0:
                    raise StaleError(f"it has {total} bytes, and {start} were fetched before")
                stream.seek(start)
                yield Answer(stream, start, total, None)
            return
        address = self.base.rstrip("/") + "/" + urllib.parse.quote(path)
        with _ask(address, start=start, tag=tag, timeout_s=self.timeout_s) as response:
            yield _answer(response, start)

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return a whole small file.

        Raises:  as `open`; OSError when it was cut short or is too large.
        """
        with self.open(path) as answer:
            data = answer.stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise PathError(f"{path} has more than {max_bytes:,} bytes")
        if answer.total is not None and len(data) != answer.total:
            raise OSError(f"{len(data)} of {answer.total} bytes came")
        return data


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows a redirection within the web only, and never from an encrypted address to an open one."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        kind = urllib.parse.urlsplit(newurl).scheme.lower()
        if kind != "https" and (kind != "http" or req.type == "https"):
            raise PathError(f"{req.full_url} leads to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_WebOnly)


def _ask(address: str, *, start: int, tag: str | None, timeout_s: float) -> http.client.HTTPResponse:
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and tag is not None:
        headers["If-Range"] = tag
    request = urllib.request.Request(address, headers=headers)
    try:
        return cast(http.client.HTTPResponse, _OPENER.open(request, timeout=timeout_s))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise StaleError(f"it has no byte {start}, where the part ends") from error
        raise


def _answer(response: http.client.HTTPResponse, start: int) -> Answer:
    tag = response.headers.get("ETag", "")
    tag = tag if tag.startswith('"') else ""  # a weak tag does not promise equal bytes
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        stated = response.headers.get("Content-Range", "")
        match = _RANGE.fullmatch(stated.strip())
        if match is None or int(match[1]) != start:
            raise StaleError(f"asked for the bytes from {start} on, it sends {stated!r}")
        return Answer(response, start, None if match[3] == "*" else int(match[3]), tag or None)
    if response.status != http.HTTPStatus.OK:
        raise OSError(f"unexpected answer {response.status}")
    length = response.headers.get("Content-Length", "")
    return Answer(response, 0, int(length) if length.isdecimal() and length.isascii() else None, tag or None)
