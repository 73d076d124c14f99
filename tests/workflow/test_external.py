import types
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.workflow.external import External, Fitness, _columns, _ready, _Seen, _several

CONTRACT = Contract(channels=("ECG",), rate_hz=100, duration_s=1, units="mV")


def catalogue(labels: list[tuple[str, ...]]) -> Catalogue:
    recordings = tuple(Recording(str(k), None, None, str(k), one) for k, one in enumerate(labels))
    return Catalogue("x", tuple(sorted({name for one in labels for name in one})), recordings, False)


def test_a_class_the_data_do_not_know_is_absent_or_not_known() -> None:
    data = catalogue([("A",), ("B",), ("Z",), ("A", "B")])
    exclusive = _several(data, "classes", ("A", "B", "C"))
    np.testing.assert_array_equal(exclusive, [[1, 0, 0], [0, 1, 0], [np.nan] * 3, [np.nan] * 3])
    together = _several(data, "labels", ("A", "B", "C"))
    np.testing.assert_array_equal(together, [[1, 0, np.nan], [0, 1, np.nan], [0, 0, np.nan], [1, 1, np.nan]])
    with pytest.raises(
        ExperimentError, match=r"none of the model's classes C, D is a label of x, which has A"
    ):
        _several(data, "classes", ("C", "D"))


def test_columns_keep_what_is_missing() -> None:
    facts = [{"age": 40.0, "sex": "f"}, {"sex": "m"}, {"age": 41.0}]
    rows = [types.SimpleNamespace(columns=one) for one in facts]
    found = dict(_columns(rows))  # type: ignore[arg-type]
    np.testing.assert_array_equal(found["age"], [40, np.nan, 41])
    assert found["sex"].tolist() == ["f", "m", ""]


def test_findings_tell_what_was_refused_first() -> None:
    fitness = Fitness(9, 5, {"units": (3, "uV for mV (a)")}, (("b", "too short"),))
    kinds = [(severity, message.split(":")[0]) for _, severity, message in fitness.findings()]
    assert kinds[0][0] == "warning"
    assert kinds[1] == ("note", "units")
    assert fitness.to_dict()["converted"] == {"units": {"n": 3, "example": "uV for mV (a)"}}


def test_a_file_that_cannot_be_read_is_refused_without_its_folder(tmp_path: Path) -> None:
    recording = Recording("a", tmp_path / "a.csv", None, "a", ("A",))

    def read(one: Recording) -> None:
        raise FormatError(f"{one.path} is broken.")

    data = External("x", (), types.SimpleNamespace(read=read), (recording,), False, np.ones((1, 1)), 0)  # type: ignore[arg-type]
    seen = _Seen(CONTRACT)
    assert _ready(data, 0, [seen]) is None
    assert seen.refused == [("a", "a.csv is broken.")]
