import numpy as np

from vicinal.scores.trace_signal import _extremes


def test_a_long_recording_is_drawn_by_its_extremes():
    values = np.zeros(10_000)
    values[4321] = 9.0
    x, y = _extremes(values, n_columns=100)
    assert len(x) <= 200
    assert y.max() == 9.0
    assert x[y.argmax()] == 4321
