import email.message
import io
import urllib.request
from pathlib import Path

import pytest

from vicinal.errors import PathError
from vicinal.inputs.datasets import source
from vicinal.inputs.datasets.source import Source, StaleError


class Response(io.BytesIO):
    """What urllib returns, as far as it is looked at."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(b"bytes")
        self.status = status
        self.headers = email.message.Message()
        for name, value in headers.items():
            self.headers[name.replace("_", "-")] = value


def answered(monkeypatch: pytest.MonkeyPatch, response: Response) -> None:
    monkeypatch.setattr(source, "_ask", lambda *_, **__: response)


def test_a_folder_answers_from_any_byte_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with Source(str(tmp_path)).open("file", start=4) as answer:
        assert (answer.stream.read(), answer.start, answer.total, answer.tag) == (b"456789", 4, 10, None)
    with (
        pytest.raises(StaleError, match="it has 10 bytes, and 11 were fetched before"),
        Source(str(tmp_path)).open("file", start=11),
    ):
        pass
    with pytest.raises(PathError, match="leads outside"), Source(str(tmp_path)).open("../file"):
        pass


@pytest.mark.parametrize(
    ("headers", "total", "tag"),
    [
        ({"Content_Range": "bytes 4-9/10", "ETag": '"a"'}, 10, '"a"'),
        ({"Content_Range": "bytes 4-9/*", "ETag": 'W/"a"'}, None, None),
    ],
)
def test_a_part_is_taken_as_stated(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], total: int | None, tag: str | None
) -> None:
    answered(monkeypatch, Response(206, **headers))
    with Source("http://host").open("file", start=4) as answer:
        assert (answer.start, answer.total, answer.tag) == (4, total, tag)


@pytest.mark.parametrize("stated", ["bytes 3-9/10", "bytes 0-9/10", "bytes */10", "4-9/10", ""])
def test_a_part_from_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, stated: str) -> None:
    answered(monkeypatch, Response(206, Content_Range=stated))
    with pytest.raises(StaleError, match="from 4 on"), Source("http://host").open("file", start=4):
        pass


def test_a_whole_file_starts_at_its_beginning_whatever_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, Response(200, Content_Length="5"))
    with Source("http://host").open("file", start=4) as answer:
        assert (answer.start, answer.total, answer.tag) == (0, 5, None)
    answered(monkeypatch, Response(200, Content_Length="five"))
    with Source("http://host").open("file") as answer:
        assert answer.total is None
    answered(monkeypatch, Response(204))
    with pytest.raises(OSError, match="unexpected answer 204"), Source("http://host").open("file"):
        pass


def test_a_small_file_is_read_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert Source(str(tmp_path)).read("file", max_bytes=10) == b"0123456789"
    with pytest.raises(PathError, match="more than 9 bytes"):
        Source(str(tmp_path)).read("file", max_bytes=9)
    answered(monkeypatch, Response(200, Content_Length="6"))
    with pytest.raises(OSError, match="5 of 6 bytes came"):
        Source("http://host").read("file", max_bytes=9)


@pytest.mark.parametrize(
    ("old", "new", "followed"),
    [
        ("http://a/x", "https://b/x", True),
        ("http://a/x", "http://b/x", True),
        ("https://a/x", "https://b/x", True),
        ("https://a/x", "http://b/x", False),
        ("http://a/x", "file:///x", False),
        ("http://a/x", "data:,x", False),
        ("https://a/x", "ftp://b/x", False),
    ],
)
def test_a_redirection_stays_in_the_web_and_encrypted(old: str, new: str, followed: bool) -> None:
    request, handler = urllib.request.Request(old, headers={"Range": "bytes=4-"}), source._WebOnly()
    arguments = (request, io.BytesIO(), 302, "Found", email.message.Message(), new)
    if followed:
        further = handler.redirect_request(*arguments)
        assert further is not None
        assert (further.full_url, further.get_header("Range")) == (new, "bytes=4-")
    else:
        with pytest.raises(PathError, match="which is not followed"):
            handler.redirect_request(*arguments)
