from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.rowfile import RowFile, only_signal
from vicinal.signal import Signal


def test_a_single_row_needs_no_number_and_several_do():
    signal = Signal(np.zeros((1, 2), np.float32), ("a",), ("mV",), 1.0)
    assert only_signal(RowFile(1, [signal].__getitem__), path=Path("r.npy")) is signal
    with pytest.raises(
        FormatError, match=r"^r\.npy: expected one signal, the file holds 5\. Give row, 0 to 4"
    ):
        only_signal(RowFile(5, [signal].__getitem__), path=Path("r.npy"))
