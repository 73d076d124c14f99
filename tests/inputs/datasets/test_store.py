import io
import tarfile
from pathlib import Path

import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets import store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VICINAL_DATA", raising=False)
    return tmp_path / "cache" / "vicinal"


def unpacked(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "100.hea").write_text("100 2 360 650000\n")
    return folder


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def test_an_unpacked_set_is_used_where_it_lies(tmp_path: Path, cache: Path) -> None:
    folder = unpacked(tmp_path / "data" / "mitdb")
    assert store.find("mitdb", folder) == folder
    assert store.find("mitdb", tmp_path / "data") == folder
    assert not cache.exists()


def test_the_order_is_data_then_environment_then_what_was_fetched(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = unpacked(cache / "mitdb")
    assert store.find("mitdb", None) == fetched
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VICINAL_DATA", str(tmp_path / "empty"))
    assert store.find("mitdb", None) == fetched
    here = unpacked(tmp_path / "env" / "mitdb")
    monkeypatch.setenv("VICINAL_DATA", str(tmp_path / "env"))
    assert store.find("mitdb", None) == here
    given = unpacked(tmp_path / "given")
    assert store.find("mitdb", given) == given


def test_a_folder_that_the_user_names_is_not_silently_replaced(tmp_path: Path, cache: Path) -> None:
    unpacked(cache / "mitdb")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PathError, match=r"'mitdb' is not in .*empty\. Fetch it with: vicinal get mitdb"):
        store.find("mitdb", tmp_path / "empty")


def test_an_archive_is_unpacked_once(tmp_path: Path, cache: Path) -> None:
    path = archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": b"one", "mitdb/x/101.hea": b"two"})
    for place in (tmp_path, path):
        folder = store.find("mitdb", place)
        assert folder.parent == cache
        assert (folder / "100.hea").read_bytes() == b"one"
        assert (folder / "x/101.hea").read_bytes() == b"two"
    (folder / "100.hea").write_bytes(b"kept")
    assert (store.find("mitdb", tmp_path) / "100.hea").read_bytes() == b"kept"
    assert list(cache.iterdir()) == [folder]


def test_another_archive_of_the_same_name_is_another_folder(tmp_path: Path, cache: Path) -> None:
    first = store.find("mitdb", archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": b"one"}))
    second = store.find("mitdb", archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": b"two"}))
    assert first != second
    assert (second / "100.hea").read_bytes() == b"two"
    assert sorted(cache.iterdir()) == sorted([first, second])


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path, cache: Path) -> None:
    path = archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": b"one", "../../escaped": b"no"})
    with pytest.raises(FormatError, match="cannot be unpacked"):
        store.find("mitdb", path)
    assert list(cache.iterdir()) == []
    assert not list(tmp_path.rglob("escaped"))


def test_broken_or_foreign_archives_leave_nothing(tmp_path: Path, cache: Path) -> None:
    path = archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": bytes(range(256)) * 400})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cannot be unpacked"):
        store.find("mitdb", path)
    path.write_bytes(b"no archive")
    with pytest.raises(FormatError, match="cannot be unpacked"):
        store.find("mitdb", path)
    with pytest.raises(FormatError, match=r"does not hold mitdb: no 100\.hea"):
        store.find("mitdb", archive(path, {"mitdb/readme": b""}))
    assert list(cache.iterdir()) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MAX_BYTES", 1000)
    path = archive(tmp_path / "mitdb.tar.xz", {"mitdb/100.hea": bytes(600), "mitdb/100.dat": bytes(600)})
    with pytest.raises(FormatError, match="unpacks to more than"):
        store.find("mitdb", path)
    assert list(cache.iterdir()) == []


def test_an_archive_of_a_part_of_a_set_is_found_by_its_own_name(tmp_path: Path) -> None:
    archive(tmp_path / "ptbxl-500.tar.xz", {"ptbxl/ptbxl_database.csv": b"one"})
    assert (store.find("ptbxl", tmp_path) / "ptbxl_database.csv").read_bytes() == b"one"
    archive(tmp_path / "ptbxl.tar.xz", {"ptbxl/ptbxl_database.csv": b"whole"})
    assert (store.find("ptbxl", tmp_path) / "ptbxl_database.csv").read_bytes() == b"whole"


@pytest.mark.parametrize(
    ("name", "file"), [("ucr", "ECG200/ECG200_TRAIN.tsv"), ("fsdd", "recordings/0_jackson_0.wav")]
)
def test_a_set_is_known_by_the_pattern_of_its_names(tmp_path: Path, name: str, file: str) -> None:
    archive(tmp_path / f"{name}.tar.xz", {f"{name}/{file}": b"one"})
    assert (store.find(name, tmp_path) / file).read_bytes() == b"one"


def test_a_set_that_is_not_fetched_says_where_it_is_published(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"'ucr' is not in .*Get it from https://www\.cs\.ucr\.edu"):
        store.find("ucr", tmp_path)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(PathError, match="'nope' is no data set with files"):
        store.find("nope", None)
