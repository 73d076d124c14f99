import functools
import hashlib
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets import download, store

FILES = {
    "training/A00/A00001.hea": b"A00001 1 300 9000\n",
    "training/A00/A00001.mat": bytes(range(256)) * 40,
    "training/A01/A01000.mat": b"\1" * 5000,
    "REFERENCE-v3.csv": b"A00001,N\n",
}
UNWANTED = {"training2017.zip": b"zip", "sample2017/validation/A00001.mat": b"other"}


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; drops the first connection for one file, and sends wrong bytes for another once."""

    seen: ClassVar[Counter[str]] = Counter()
    faults: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        Server.seen[self.path] += 1
        fault = Server.faults.pop(self.path, None)
        if fault is None:
            super().do_GET()
        elif fault == "drop":
            self.close_connection = True
        elif fault == "busy":
            self.send_error(503)
        else:
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b"\2" * (5000 if fault == "wrong" else 2000))
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "published"
    lines = []
    for name, data in {**FILES, **UNWANTED}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        lines.append(f"{hashlib.sha256(data).hexdigest()} {name}\n")
    (root / "SHA256SUMS.txt").write_text("".join(lines))
    return root


@pytest.fixture
def url(tree: Path) -> Iterator[str]:
    Server.seen, Server.faults = Counter(), {}
    handler = functools.partial(Server, directory=str(tree))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("VICINAL_DATA", raising=False)
    return tmp_path / "cache" / "vicinal"


get = functools.partial(download.get, pause_s=0.0)


def assert_whole(folder: Path) -> None:
    expected = {Path(name).name: data for name, data in FILES.items()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == expected


def test_the_wanted_files_come_side_by_side_and_are_found(url: str, cache: Path) -> None:
    done: list[tuple[int, int]] = []
    folder = get("cinc2017", source=url, progress=lambda k, n: done.append((k, n)))
    assert folder == cache / "cinc2017" == store.find("cinc2017", None)
    assert_whole(folder)
    assert done[-1] == (4, 4)
    assert "/training2017.zip" not in Server.seen
    assert [path.name for path in cache.iterdir()] == ["cinc2017"]


@pytest.mark.parametrize("fault", ["drop", "wrong", "short", "busy"])
def test_one_fault_is_met_with_another_attempt(url: str, fault: str) -> None:
    path = "/training/A01/A01000.mat"
    Server.faults = {path: fault, "/SHA256SUMS.txt": "drop"}
    assert_whole(get("cinc2017", source=url))
    assert Server.seen[path] == 2
    assert Server.seen["/training/A00/A00001.mat"] == 1


def test_bytes_that_stay_wrong_fail_keep_the_rest_and_the_next_call_goes_on(
    url: str, tree: Path, cache: Path
) -> None:
    path = tree / "training/A01/A01000.mat"
    path.write_bytes(b"\3" * 5000)
    with pytest.raises(PathError, match=r"A01000\.mat: its bytes do not have the published SHA-256"):
        get("cinc2017", source=url)
    assert not (cache / "cinc2017").exists()
    with pytest.raises(PathError, match="vicinal get cinc2017"):
        store.find("cinc2017", None)
    path.write_bytes(FILES["training/A01/A01000.mat"])
    Server.seen.clear()
    assert_whole(get("cinc2017", source=url))
    assert Server.seen == {"/SHA256SUMS.txt": 1, "/training/A01/A01000.mat": 1}


def test_a_spoilt_file_in_a_fetched_set_is_fetched_again(url: str) -> None:
    folder = get("cinc2017", source=url)
    (folder / "A00001.mat").write_bytes(b"spoilt")
    Server.seen.clear()
    assert_whole(get("cinc2017", source=url))
    assert Server.seen == {"/SHA256SUMS.txt": 1, "/training/A00/A00001.mat": 1}


def test_a_file_that_is_not_there_is_asked_for_once(url: str, tree: Path) -> None:
    (tree / "training/A00/A00001.hea").unlink()
    with pytest.raises(PathError, match=r"A00001\.hea: .*404"):
        get("cinc2017", source=url)
    assert Server.seen["/training/A00/A00001.hea"] == 1


def test_a_local_folder_serves_too(tree: Path) -> None:
    assert_whole(get("cinc2017", source=str(tree)))


def test_a_source_that_is_not_there_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(PathError, match=r"cannot fetch SHA256SUMS\.txt from .*nowhere"):
        get("cinc2017", source=str(tmp_path / "nowhere"))
    with pytest.raises(PathError, match=r"cannot fetch SHA256SUMS\.txt.*404"):
        get("cinc2017", source=url + "nowhere/")
    with pytest.raises(PathError, match="no public data set 'nope'"):
        get("nope")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "lists no file of cinc2017"),
        ("0" * 64 + " training/../../A00001.mat", "leads out of its folder"),
        ("0" * 64 + " training/A00001.mat\n" + "1" * 64 + " training/A00/A00001.mat", "listed twice"),
        ("<html>404</html>", "lists no file"),
    ],
)
def test_a_listing_is_not_trusted(tree: Path, line: str, message: str) -> None:
    (tree / "SHA256SUMS.txt").write_text(line)
    with pytest.raises(FormatError, match=message):
        get("cinc2017", source=str(tree))


def test_a_set_without_its_table_is_not_finished(tree: Path, cache: Path) -> None:
    listing = tree / "SHA256SUMS.txt"
    kept = [line for line in listing.read_text().splitlines() if "REFERENCE" not in line]
    listing.write_text("\n".join(kept))
    with pytest.raises(FormatError, match="does not hold cinc2017"):
        get("cinc2017", source=str(tree))
    assert not (cache / "cinc2017").exists()


def test_every_published_set_can_be_found_again() -> None:
    for name, published in download.PUBLISHED.items():
        assert name in store.MARKERS
        assert published.url.startswith("https://")
        assert published.url.endswith("/")
