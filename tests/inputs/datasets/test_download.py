import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.inputs.datasets.faulty import WAIT_S, Faulty

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import download, store

FILES = {
    "training/A00/A00001.hea": b"A00001 1 300 9000\n",
    "training/A00/A00001.mat": bytes(range(256)) * 40,
    "training/A01/A01000.mat": b"\1" * 5000,
    "REFERENCE-v3.csv": b"A00001,N\n",
}
LARGE = "/training/A00/A00001.mat"
UNWANTED = {"training2017.zip": b"zip", "sample2017/validation/A00001.mat": b"other"}


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
    Faulty.reset(tree)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        Faulty.go_on.set()
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
    assert "/training2017.zip" not in Faulty.seen
    assert [path.name for path in cache.iterdir()] == ["cinc2017"]


@pytest.mark.parametrize("fault", ["drop", "wrong", "busy", "half, no length", "half", "silent"])
def test_one_fault_is_met_with_another_attempt(url: str, fault: str) -> None:
    Faulty.faults = {LARGE: [fault], "/SHA256SUMS.txt": ["drop"]}
    assert_whole(get("cinc2017", source=url, timeout_s=0.3))
    assert Faulty.seen[LARGE] == 2
    assert Faulty.seen["/training/A01/A01000.mat"] == 1


def test_a_server_that_asks_for_a_pause_is_given_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    Faulty.faults = {LARGE: ["pause", "drop"], "/SHA256SUMS.txt": ["pause"]}
    assert_whole(get("cinc2017", source=url))
    # Other threads of this process may sleep, too.
    assert slept.count(7.0) == 2
    assert slept.count(0.0) >= 1


def test_a_dropped_file_goes_on_where_it_broke_as_often_as_it_takes(url: str) -> None:
    Faulty.faults = {LARGE: ["half"] * 8}
    assert_whole(get("cinc2017", source=url))
    assert Faulty.seen[LARGE] == 9
    assert Faulty.sent[LARGE] == len(FILES[LARGE[1:]])
    ranges, tags = zip(*Faulty.asked[LARGE], strict=True)
    assert ranges[:3] == (None, "bytes=5120-", "bytes=7680-")
    assert tags[0] is None
    assert len(set(tags[1:])) == 1
    assert tags[1].startswith('"')


def test_a_source_that_ignores_ranges_sends_the_whole_file(url: str) -> None:
    Faulty.faults = {LARGE: ["half", "no ranges"]}
    assert_whole(get("cinc2017", source=url))
    assert Faulty.sent[LARGE] == 1.5 * len(FILES[LARGE[1:]])


@pytest.mark.parametrize("fault", ["offset", "wrong"])
def test_a_continuation_that_is_not_one_is_thrown_away(url: str, fault: str) -> None:
    Faulty.faults = {LARGE: ["half", fault]}
    assert_whole(get("cinc2017", source=url))
    assert [asked for asked, _ in Faulty.asked[LARGE]] == [None, "bytes=5120-", None]


def test_a_file_that_changed_between_two_attempts_is_fetched_anew(url: str, tree: Path, cache: Path) -> None:
    part = cache / ".cinc2017.part"
    right, wrong = FILES[LARGE[1:]], b"x" * 10240
    (tree / LARGE[1:]).write_bytes(wrong)
    Faulty.faults = {LARGE: ["half", "drop", "drop", "drop"]}
    with pytest.raises(PathError, match=r"A00001\.mat: "):
        get("cinc2017", source=url)
    assert (part / ".A00001.mat.part").read_bytes() == wrong[:5120]
    (tree / LARGE[1:]).write_bytes(right)
    Faulty.seen.clear()
    # Another process knows no tag: only the published sum tells that beginning and end do not belong together.
    assert_whole(get("cinc2017", source=url))
    assert Faulty.seen[LARGE] == 2


@pytest.mark.parametrize("fault", ["drop", "busy", "wrong", "silent"])
def test_a_fault_that_stays_is_said_after_four_attempts(url: str, fault: str) -> None:
    Faulty.faults = {LARGE: [fault, "always"]}
    with pytest.raises(PathError, match=r"A00001\.mat: .*\n.*go on with: vicinal get cinc2017"):
        get("cinc2017", source=url, timeout_s=0.1)
    assert Faulty.seen[LARGE] == 4
    assert Faulty.seen["/SHA256SUMS.txt"] == 1


@pytest.mark.parametrize("kept", [5120, 10240, 20000])
def test_what_a_killed_process_left_is_used_only_when_it_fits(url: str, cache: Path, kept: int) -> None:
    right = FILES[LARGE[1:]]
    part = cache / ".cinc2017.part"
    part.mkdir(parents=True)
    (part / ".A00001.mat.part").write_bytes((right + b"too much" * 2000)[:kept])
    assert_whole(get("cinc2017", source=url))
    assert Faulty.sent[LARGE] == {5120: 5120, 10240: 0, 20000: 10240}[kept]


def test_a_killed_download_goes_on_within_the_file(url: str, cache: Path) -> None:
    size = len(FILES[LARGE[1:]])
    Faulty.faults = {LARGE: ["stall"]}
    code = f"from vicinal.inputs.datasets.download import get; get('cinc2017', source={url!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = cache / ".cinc2017.part/.A00001.mat.part"
    assert Faulty.stalled.wait(WAIT_S)
    deadline = time.monotonic() + WAIT_S
    while not (part.is_file() and part.stat().st_size == size // 2) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    with pytest.raises(PathError, match="another process is fetching cinc2017"):
        get("cinc2017", source=url)
    process.kill()
    process.wait(WAIT_S)
    Faulty.go_on.set()
    assert part.stat().st_size == size // 2
    assert_whole(get("cinc2017", source=url))
    assert Faulty.sent[LARGE] == size
    assert Faulty.asked[LARGE][-1] == (f"bytes={size // 2}-", None)


def test_a_redirection_is_followed_within_the_web_only(url: str, tree: Path) -> None:
    (tree / "moved/training/A00").mkdir(parents=True)
    (tree / ("moved" + LARGE)).write_bytes(FILES[LARGE[1:]])
    Faulty.faults = {LARGE: ["moved"]}
    assert_whole(get("cinc2017", source=url))
    assert Faulty.seen["/moved" + LARGE] == 1


@pytest.mark.parametrize("fault", ["to file", "to ftp"])
def test_a_redirection_out_of_the_web_is_refused_at_once(url: str, fault: str) -> None:
    Faulty.faults = {LARGE: [fault, "always"]}
    with pytest.raises(PathError, match=r"(file|ftp)://.*(is not followed|is not allowed)"):
        get("cinc2017", source=url)
    assert Faulty.seen[LARGE] == 1


def test_a_redirection_in_circles_ends(url: str) -> None:
    Faulty.faults = {LARGE: ["in circles", "always"]}
    with pytest.raises(PathError, match=r"A00001\.mat: "):
        get("cinc2017", source=url)


def test_a_list_of_checksums_that_is_cut_short_is_not_taken_for_the_whole(url: str) -> None:
    Faulty.faults = {"/SHA256SUMS.txt": ["half", "always"]}
    with pytest.raises(PathError, match=r"cannot fetch SHA256SUMS\.txt .* bytes came"):
        get("cinc2017", source=url)


def ptbxl_tree(root: Path, n: int) -> None:
    """Write a tree with `n` recordings at either rate, whose records at one rate are all alike."""
    lines = []
    names = ["ptbxl_database.csv", "scp_statements.csv", "LICENSE.txt", "example_physionet.py"]
    for k in range(1, n + 1):
        for rate, end in ((100, "lr"), (500, "hr")):
            stem = f"records{rate}/{k // 1000 * 1000:05d}/{k:05d}_{end}"
            names += [f"{stem}.hea", f"{stem}.dat"]
    for name in names:
        lines.append(f"{hashlib.sha256(name[:10].encode()).hexdigest()} {name}\n")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name[:10].encode())
    (root / "SHA256SUMS.txt").write_text("".join(lines))


def test_ptbxl_keeps_its_tree_and_brings_the_usual_rate_or_the_other(tmp_path: Path, cache: Path) -> None:
    ptbxl_tree(tmp_path / "tree", 2)
    folder = get("ptbxl", source=str(tmp_path / "tree"))
    low = [f"records100/00000/0000{k}_lr.{end}" for k in (1, 2) for end in ("dat", "hea")]
    high = [f"records500/00000/0000{k}_hr.{end}" for k in (1, 2) for end in ("dat", "hea")]
    tables = ["ptbxl_database.csv", "scp_statements.csv"]

    def there() -> list[str]:
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    assert there() == [*tables[:1], *low, *tables[1:]]
    assert get("ptbxl", source=str(tmp_path / "tree"), rate_hz=500) == folder == cache / "ptbxl"
    assert there() == [*tables[:1], *low, *high, *tables[1:]]
    assert store.find("ptbxl", None) == folder
    with pytest.raises(ExperimentError, match="not published at 250 Hz; there are 100 and 500"):
        get("ptbxl", source=str(tmp_path / "tree"), rate_hz=250)


@pytest.mark.slow
def test_thousands_of_files_are_fetched_and_then_only_checked(tmp_path: Path) -> None:
    ptbxl_tree(tmp_path / "tree", 1_000)
    for _ in range(2):
        done: list[tuple[int, int]] = []
        get("ptbxl", source=str(tmp_path / "tree"), progress=lambda k, n, done=done: done.append((k, n)))
        assert done == [(k, 2_002) for k in range(1, 2_003)]


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
    Faulty.seen.clear()
    assert_whole(get("cinc2017", source=url))
    assert Faulty.seen == {"/SHA256SUMS.txt": 1, "/training/A01/A01000.mat": 1}


def test_a_spoilt_file_in_a_fetched_set_is_fetched_again(url: str) -> None:
    folder = get("cinc2017", source=url)
    (folder / "A00001.mat").write_bytes(b"spoilt")
    Faulty.seen.clear()
    assert_whole(get("cinc2017", source=url))
    assert Faulty.seen == {"/SHA256SUMS.txt": 1, "/training/A00/A00001.mat": 1}


def test_a_file_that_is_not_there_is_asked_for_once(url: str, tree: Path) -> None:
    (tree / "training/A00/A00001.hea").unlink()
    with pytest.raises(PathError, match=r"A00001\.hea: .*404"):
        get("cinc2017", source=url)
    assert Faulty.seen["/training/A00/A00001.hea"] == 1


def test_a_local_folder_serves_too(tree: Path) -> None:
    assert_whole(get("cinc2017", source=str(tree)))


def test_a_source_that_is_not_there_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(PathError, match=r"cannot fetch SHA256SUMS\.txt from .*nowhere"):
        get("cinc2017", source=str(tmp_path / "nowhere"))
    with pytest.raises(PathError, match=r"cannot fetch SHA256SUMS\.txt.*404"):
        get("cinc2017", source=url + "nowhere/")
    with pytest.raises(PathError, match="no public data set 'nope'"):
        get("nope")


def test_a_set_without_its_table_is_not_finished(tree: Path, cache: Path) -> None:
    listing = tree / "SHA256SUMS.txt"
    kept = [line for line in listing.read_text().splitlines() if "REFERENCE" not in line]
    listing.write_text("\n".join(kept))
    with pytest.raises(FormatError, match="does not hold cinc2017"):
        get("cinc2017", source=str(tree))
    assert not (cache / "cinc2017").exists()
