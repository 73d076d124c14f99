import contextlib
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import PathError
from vicinal.files import sha256_bytes
from vicinal.inputs.part import Part, claimed, is_free
from vicinal.inputs.row import Chunk, Row
from vicinal.inputs.storage import Storage
from vicinal.signal import Events

SHAPE, STORAGE = (1, 4), Storage()
DATA = [np.array(row, dtype="<f4").tobytes() for row in ([1, 2, 3, 4], [5, 6])]
ROWS = [
    Row(4, 0, sha256_bytes(DATA[0]), None),
    Row(2, 0, sha256_bytes(DATA[1]), Events(np.array([1]), ("V",))),
]
CHUNKS = (Chunk((ROWS[0], "it is damaged"), DATA[0]), Chunk((ROWS[1],), DATA[1]))


def opened(folder: Path, inputs: str = "i") -> Part:
    return Part(folder, inputs=inputs, input_shape=SHAPE, storage=STORAGE)


def n_outcomes(folder: Path) -> int:
    with contextlib.closing(opened(folder)) as part:
        return len(part.outcomes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A part with two chunks, and a few bytes of a third."""
    folder = tmp_path / "part"
    folder.mkdir()
    part = opened(folder)
    for chunk in CHUNKS:
        part.add(chunk)
    part.close()
    with (folder / "samples.bin").open("ab") as stream:
        stream.write(b"123")
    return folder


def test_what_was_added_is_there_again(folder: Path) -> None:
    part = opened(folder)
    first, reason, second = part.outcomes
    assert (first, reason, part.n_rows) == (ROWS[0], "it is damaged", 2)
    assert isinstance(second, Row)
    assert second.events is not None
    assert (second.events.positions.tolist(), second.events.symbols) == ([1], ("V",))
    assert (folder / "samples.bin").read_bytes() == DATA[0] + DATA[1]
    part.close()


def test_a_part_of_other_inputs_begins_anew(folder: Path) -> None:
    part = opened(folder, "j")
    assert part.outcomes == []
    assert (folder / "samples.bin").read_bytes() == b""
    part.close()
    assert n_outcomes(folder) == 0


@pytest.mark.parametrize(
    ("name", "at", "n_left"),
    [
        ("samples.bin", 0, 0), ("samples.bin", 17, 2), ("journal.jsonl", 3, 0), ("journal.jsonl", 100, 0),
        ("journal.jsonl", -5, 2),
    ],
)  # fmt: skip
def test_all_after_a_byte_that_is_not_as_written_is_dropped(
    folder: Path, name: str, at: int, n_left: int
) -> None:
    data = bytearray((folder / name).read_bytes())
    data[at] ^= 4
    (folder / name).write_bytes(data)
    part = opened(folder)
    assert len(part.outcomes) == n_left
    for chunk in CHUNKS[n_left // 2 :]:
        part.add(chunk)
    part.close()
    assert (folder / "samples.bin").read_bytes() == DATA[0] + DATA[1]
    assert n_outcomes(folder) == 3


@pytest.mark.parametrize("name", ["samples.bin", "journal.jsonl"])
@pytest.mark.parametrize("n_cut", [1, 4, 8])
def test_a_file_that_is_cut_short_loses_its_last_chunk(folder: Path, name: str, n_cut: int) -> None:
    part = opened(folder)
    part.close()
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-n_cut])
    assert n_outcomes(folder) == 2


def test_finished_it_has_its_name_and_nothing_of_its_own(folder: Path, tmp_path: Path) -> None:
    part = opened(folder)
    part.finish(tmp_path / "pack")
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["samples.bin"]
    assert not folder.exists()


def test_what_cannot_be_written_is_one_error(folder: Path, tmp_path: Path) -> None:
    part = opened(folder)
    (tmp_path / "pack").write_text("a file is in the way")
    with pytest.raises(
        PathError, match=r"cannot write .*part: Not a directory[.] What is packed so far is kept"
    ):
        part.finish(tmp_path / "pack")


def test_a_claimed_folder_is_hidden_beside_its_name(tmp_path: Path) -> None:
    with claimed(tmp_path / "p") as part:
        assert part == tmp_path / ".p.part"
        assert part.is_dir()
        part.rename(tmp_path / "p")
    (tmp_path / "p/pack.json").write_text("{}")
    # Made by another process between the look and the claim: there is nothing to do, and nothing is left.
    with claimed(tmp_path / "p") as part:
        assert part is None
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".p.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PathError, match="cannot write"), claimed(tmp_path / "p"):
        pass


def test_a_folder_is_free_when_there_is_nothing_in_it(tmp_path: Path) -> None:
    assert is_free(tmp_path / "x")
    assert is_free(tmp_path)
    (tmp_path / "x").write_text("")
    assert not is_free(tmp_path / "x")
    assert not is_free(tmp_path)
