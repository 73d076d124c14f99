import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.problems import Problems


def test_no_problem_raises_nothing():
    Problems("labels.csv").raise_any("Mend it.")


def test_few_are_shown_in_full_and_many_are_counted():
    problems = Problems("labels.csv")
    problems.add("line 2: no file.")
    with pytest.raises(FormatError, match=r"^labels.csv: 1 problem:\n  line 2: no file\nMend it\.$"):
        problems.raise_any("Mend it.")
    problems.extend(["a", "b"])
    problems.add_rows(np.arange(1_000_000), lambda row: f"row {row}")
    with pytest.raises(FormatError, match=r"1,000,003 problems:\n(.*\n){20}  and 999,983 more\nMend it"):
        problems.raise_any("Mend it.")


def test_only_what_is_shown_is_put_into_words():
    asked = []
    Problems("x").add_rows(np.arange(100), lambda row: str(asked.append(row)))
    assert asked == list(range(20))
