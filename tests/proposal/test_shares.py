import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.proposal.shares import ProposedShares, propose_shares


def proposed(n_subjects: int, n_ill: int, *, known: bool = True) -> ProposedShares:
    rows = tuple(
        Recording(f"r{k}", None, f"s{k}" if known else None, f"s{k}", ("ill",) if k < n_ill else ("well",))
        for k in range(n_subjects)
    )
    truth = np.array([[float("ill" in row.labels)] for row in rows])
    return propose_shares(Catalogue("made", ("ill", "well"), rows, known), truth, classes=("ill",))


def test_many_subjects_are_shared_as_usual() -> None:
    found = proposed(1000, 400)
    assert found.shares == {"test": 0.2, "validation": 0.1, "calibration": 0.1}
    assert found.n_train == 600
    assert found.why == "by subject"


def test_few_ill_subjects_ask_for_larger_parts_and_it_is_said() -> None:
    found = proposed(60, 20, known=False)
    assert found.shares == {"test": 0.25, "validation": 0.2, "calibration": 0.2}
    assert found.fewest == 4
    assert found.why.startswith("by recording, since the data name no subjects; only 4 in the ")
    assert "part are ill, so intervals will be wide" in found.why


def test_too_few_subjects_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"expected enough subjects .*, got 3. Add recordings"):
        proposed(3, 1)
