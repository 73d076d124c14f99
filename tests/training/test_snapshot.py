import numpy as np

from vicinal.training.snapshot import Snapshot


def test_later_changes_leave_a_snapshot_alone():
    weights = np.zeros(3)
    kept = Snapshot.of({"w": weights}, n_done=4, n_noted=1)
    weights += 1

    assert (kept.arrays["w"] == 0).all()
    assert (kept.n_done, kept.n_noted) == (4, 1)
