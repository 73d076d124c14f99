from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.files import sha256_bytes
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.row import Job, Row, make_rows, stored_shape
from vicinal.inputs.storage import Storage
from vicinal.signal import Events, Signal

CONTRACT = Contract(channels=("ECG",), rate_hz=10, duration_s=0.4, units="mV")


def recording(name: str, path: Path | None = None) -> Recording:
    return Recording(id=name, path=path, subject=None, group=name, labels=())


def read(one: Recording) -> Signal:
    if one.path is not None:
        raise PathError(f"{one.path} does not exist.")
    samples = np.array([[1, 2] if one.id == "short" else [3, 3, 3, 3, 3, 3]], dtype=np.float32)
    events = Events(np.array([0, 1]), ("N", "V")) if one.id == "short" else None
    return Signal(samples=samples, channels=("ECG",), units=("mV",), rate_hz=10.0, id=one.id, events=events)


def test_a_chunk_holds_the_rows_and_the_reasons_in_order() -> None:
    recordings = (recording("short"), recording("gone", Path("/home/me/data/gone.hea")), recording("long"))
    chunk = make_rows(Job(recordings, read, CONTRACT, Storage()))
    first, second = (np.array(row, dtype="<f4").tobytes() for row in ([1, 2], [3, 3, 3, 3]))
    assert chunk.data == first + second
    short, reason, long = chunk.outcomes
    assert reason == "gone.hea does not exist."
    assert isinstance(short, Row)
    assert short.events is not None
    assert (short.length, short.n_flat, short.sha256) == (2, 0, sha256_bytes(first))
    assert (short.events.positions.tolist(), short.events.symbols) == ([0, 1], ("N", "V"))
    assert long == Row(4, 1, sha256_bytes(second), None)


def test_what_does_not_fit_the_storage_is_no_reason_to_leave_it_out() -> None:
    job = Job((recording("long"),), read, CONTRACT, Storage(dtype="int16", max_error=1e-5))
    with pytest.raises(FormatError, match="recording 'long': expected values within"):
        make_rows(job)


def test_only_along_time_a_row_is_stored_in_part() -> None:
    assert stored_shape(30, (2, 100)) == (2, 30)
    assert stored_shape(100, (2, 100)) == (2, 100)
    assert stored_shape(30, (3, 8, 6)) == (3, 48)
