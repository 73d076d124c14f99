import json
import os
from pathlib import Path

import pytest

from vicinal.errors import FormatError, PathError
from vicinal.files import atomic_path, inside, read_json, sha256_bytes, sha256_file, write_bytes, write_json


def test_a_finished_block_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as part:
        part.write_text("new")

    assert (tmp_path / "a.txt").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt("stop")])
def test_a_broken_block_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    write_bytes(tmp_path / "a.txt", b"old")

    def write_half() -> None:
        with atomic_path(tmp_path / "a.txt") as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error), match="stop"):
        write_half()

    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"nowhere does not exist"):
        write_bytes(tmp_path / "nowhere" / "a.txt", b"")


def test_a_target_that_is_a_folder_is_refused_cleanly(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(PathError, match="cannot write"):
        write_bytes(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_result_is_as_readable_as_any_file(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": float("nan"), "a": [1.0, float("inf")]})

    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1.0, None], "b": None}
    assert read_json(tmp_path / "a.json") == {"a": [1.0, None], "b": None}


def test_bad_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(FormatError, match=r"a\.json is not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(PathError, match=r"b\.json does not exist"):
        read_json(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../secret", "outside"),
        ("sub/../../secret", "outside"),
        ("/etc/passwd", "only names relative"),
        ("~/x", "only names relative"),
        ("http://host/x", "only names relative"),
        ("a\0b", "only names relative"),
        ("missing", "is not in"),
        ("sub", "not a regular file"),
        ("pipe", "not a regular file"),
        ("link", "outside"),
    ],
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str, why: str) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(PathError, match=why):
        inside(root, name)


def test_a_name_inside_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_text("x")
    assert inside(tmp_path, "sub/a") == (tmp_path / "sub" / "a").resolve()


def test_hashes_agree(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "a") == sha256_bytes(b"abc") == expected
