from dataclasses import replace

import numpy as np
import pytest
from tests.evidence.report.reports import small_report

from vicinal.errors import FormatError


@pytest.mark.parametrize("name", ["truth", "decisions"])
def test_arrays_of_a_report_hold_the_same_rows_and_classes(name: str) -> None:
    with pytest.raises(FormatError, match=rf"{name} must be \(rows, classes\)"):
        replace(small_report(), **{name: np.zeros((3, 2))})
