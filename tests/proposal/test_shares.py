from collections.abc import Callable

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.proposal.shares import ProposedShares, propose_shares


def proposed(
    n_subjects: int, n_ill: int, *, known: bool = True, part_of: Callable[[int], str] | None = None
) -> ProposedShares:
    rows = tuple(
        Recording(f"r{k}", None, f"s{k}" if known else None, f"s{k}", ("ill",) if k < n_ill else ("well",))
        for k in range(n_subjects)
    )
    truth = np.array([[float("ill" in row.labels)] for row in rows])
    officials = {} if part_of is None else {"set": tuple(map(part_of, range(n_subjects)))}
    made = Catalogue("made", ("ill", "well"), rows, known, officials=officials)
    return propose_shares(made, truth, classes=("ill",))


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


def test_a_split_that_comes_with_the_data_is_kept_and_completed() -> None:
    found = proposed(1000, 400, part_of=lambda k: "test" if k % 5 == 0 else "train")
    assert found.lines == ['official = "set"', "validation = 0.1", "calibration = 0.1"]
    assert found.n_train == 640
    assert found.why == "'set', which comes with the data; validation and calibration drawn"


def test_a_whole_split_that_comes_with_the_data_is_kept_as_it_is() -> None:
    parts = ("train", "validation", "calibration", "test")
    found = proposed(1000, 400, part_of=lambda k: parts[k % 4])
    assert found.lines == ['official = "set"']
    assert (found.n_train, found.why) == (250, "'set', which comes with the data")


def test_a_split_that_separates_a_subjects_rows_is_not_kept() -> None:
    rows = tuple(
        Recording(f"r{k}", None, f"s{k // 2}", f"s{k // 2}", ("ill",) if k % 4 < 2 else ("well",))
        for k in range(400)
    )
    official = {"set": tuple("test" if k in (1, 5, 8, 9) else "train" for k in range(400))}
    truth = np.array([[float("ill" in row.labels)] for row in rows])
    found = propose_shares(
        Catalogue("made", ("ill", "well"), rows, True, officials=official), truth, classes=("ill",)
    )
    assert found.official is None
    assert found.why == (
        "by subject; not 'set', which comes with the data but has 2 subjects in more than one part"
    )


def test_a_split_without_test_rows_is_not_kept() -> None:
    assert proposed(1000, 400, part_of=lambda _: "train").official is None
