from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.manifest import Manifest, manifest_bytes
from vicinal.inputs.row import Row
from vicinal.signal import Events


def written(folder: Path, events: list[Events | None]) -> Manifest:
    n = len(events)
    recordings = [
        Recording(
            id=f"r{k}", path=None, subject=None, group=f"g{k}", labels=("N",), columns={"a": k, "a.b": "x"}
        )
        for k in range(n)
    ]
    data = manifest_bytes(
        recordings,
        [Row(10, 0, "0" * 64, one) for one in events],
        offsets=np.arange(n) * 10,
        sources=[""] * n,
        classes=["N", "N.1"],
        truth=np.array([[1.0, np.nan]] * n),
        officials={},
        has_subjects=False,
    )
    (folder / "manifest.parquet").write_bytes(data)
    return Manifest(folder / "manifest.parquet")


def test_columns_are_read_one_by_one(tmp_path: Path) -> None:
    found = written(tmp_path, [None, None])
    assert found.texts("id").tolist() == ["r0", "r1"]
    assert found.whole_numbers("offset").tolist() == [0, 10]
    np.testing.assert_array_equal(found.numbers("truth:N.1"), [np.nan, np.nan])
    # A dot in a name is not a way into a nested column.
    assert found.further("a").tolist() == [0, 1]
    assert found.further("a.b").tolist() == ["x", "x"]
    assert found.under("column:") == ["a", "a.b"]
    assert "subject" not in found.names
    assert found.events() is None


def test_events_are_lists_of_each_row(tmp_path: Path) -> None:
    first, second = Events(np.array([3, 9]), ("N", "V")), Events(np.array([0]), ("A",))
    found = written(tmp_path, [None, first, Events(np.array([], np.int64), ()), None, second]).events()
    assert found is not None
    rows = [found.of(k) for k in range(5)]
    assert [None if row is None else row.symbols for row in rows] == [None, ("N", "V"), (), None, ("A",)]
    assert [[] if row is None else row.positions.tolist() for row in rows] == [[], [3, 9], [], [], [0]]


def test_what_is_not_a_manifest_is_one_error(tmp_path: Path) -> None:
    found = written(tmp_path, [None])
    with pytest.raises(FormatError, match="has no column 'subject'"):
        found.texts("subject")
    found.path.write_bytes(b"PAR1 and no more")
    with pytest.raises(FormatError, match="is not the manifest of a pack"):
        found.texts("id")
    found.path.unlink()
    with pytest.raises(FormatError, match="is not the manifest of a pack"):
        _ = Manifest(found.path).names
