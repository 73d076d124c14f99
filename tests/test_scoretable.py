from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError, PathError, RoleError
from vicinal.scoretable import ScoreTable


def make(n: int = 4, k: int = 1, **changes: object) -> ScoreTable:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, k))
    settings: dict[str, object] = {
        "task": "binary" if k == 1 else "labels",
        "classes": tuple("ABCDEF"[:k]),
        "role": "test",
        "ids": [f"r{i}" for i in range(n)],
        "truth": (rng.random((n, k)) < 0.5).astype(float),
        "logits": logits,
        "probabilities": 1 / (1 + np.exp(-logits)),
    }
    return ScoreTable(**{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "tset"}, "role 'tset'"),
        ({"task": "regression"}, "task 'regression'"),
        ({"ids": ["a", "a", "b", "c"]}, "ids repeat"),
        ({"classes": ("A", "B")}, "positive class only"),
        ({"truth": np.full((4, 1), 0.5)}, "truth must be 0, 1 or empty"),
        ({"truth": np.zeros((3, 1))}, r"truth must be \(4, 1\)"),
        ({"logits": np.full((4, 1), np.nan)}, "logits must be finite"),
        ({"probabilities": np.full((4, 1), 1.5)}, "probabilities must lie"),
        ({"probabilities": np.full((4, 1), np.nan)}, "probabilities must lie"),
        ({"subjects": ["s"]}, "subjects must have 4 rows"),
        ({"columns": {"logit:x": np.zeros(4)}}, "reserved names"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        make(**changes)


def test_test_rows_may_not_fit_anything() -> None:
    with pytest.raises(
        RoleError, match="a threshold needs rows of role validation or calibration, got 'test'"
    ):
        make().require_role("validation", "calibration", purpose="a threshold")
    make(role="calibration").require_role("calibration", purpose="a guarantee")


def test_arrays_are_frozen() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make().logits[0, 0] = 1.0


def test_the_caller_keeps_a_writable_array() -> None:
    logits = np.zeros((4, 1))
    make(logits=logits)
    logits[0, 0] = 1.0
    assert logits[0, 0] == 1.0


@given(st.integers(1, 20), st.integers(1, 3), st.booleans(), st.booleans())
def test_a_written_table_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, n: int, k: int,
                                          subjects: bool, folds: bool) -> None:  # fmt: skip
    truth = np.random.default_rng(n).choice([0.0, 1.0, np.nan], size=(n, k))
    table = make(
        n, k, truth=truth,
        subjects=[f"00{i // 2}" for i in range(n)] if subjects else None,
        folds=np.arange(n) % 5 if folds else None,
        columns={"age": np.arange(n) + 0.5, "site": np.array([f"s{i}" for i in range(n)])},
        model_hash="m", split_hash="s", precision="float32",
    )  # fmt: skip
    path = tmp_path_factory.mktemp("table") / "a.parquet"
    path.write_bytes(table.to_parquet())
    read = ScoreTable.read(path)

    for name in ("task", "classes", "role", "model_hash", "split_hash", "precision"):
        assert getattr(read, name) == getattr(table, name)
    for name in ("ids", "truth", "logits", "probabilities", "subjects", "folds"):
        expected = getattr(table, name)
        if expected is None:
            assert getattr(read, name) is None
        else:
            np.testing.assert_array_equal(getattr(read, name), expected)
    for name, column in table.columns.items():
        np.testing.assert_array_equal(read.columns[name], column)


def test_columns_have_their_public_names() -> None:
    table = pq.read_table(pa.BufferReader(make(subjects=list("aabb")).to_parquet()))
    assert table.column_names == ["id", "subject", "truth:A", "logit:A", "probability:A"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    with pytest.raises(FormatError, match="is not a score table"):
        ScoreTable.read(tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "b.parquet")
    with pytest.raises(FormatError, match="is not a score table"):
        ScoreTable.read(tmp_path / "b.parquet")
    with pytest.raises(PathError, match="does not exist"):
        ScoreTable.read(tmp_path / "c.parquet")


def test_select_keeps_rows_together() -> None:
    table = make(subjects=list("aabb"), columns={"age": np.arange(4.0)})
    part = table.select(table.columns["age"] >= 2)
    assert part.ids.tolist() == ["r2", "r3"]
    assert part.clusters.tolist() == ["b", "b"]
    assert part.n_subjects == 1
    assert make().clusters.tolist() == make().ids.tolist()
    assert make().n_subjects is None
