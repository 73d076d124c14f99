from pathlib import Path

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.stated import Stated
from vicinal.inputs.formats.wide import layout_of


def layout(names, samples=None):
    found = layout_of(names.split(), stated=Stated(Path(), samples=samples), where="r")
    return found.samples.tolist(), found.channels, found.others


@pytest.mark.parametrize(
    ("names", "samples", "channels", "others"),
    [
        ("0 1 2", [[0, 1, 2]], None, ()),
        ("label 0 1 2", [[1, 2, 3]], None, (0,)),
        ("t0 t1 label subject", [[0, 1]], None, (2, 3)),
        ("x_001 x_002 x_003 y", [[0, 1, 2]], None, (3,)),
        ("id x9 x10 x11 V5", [[1, 2, 3]], None, (0, 4)),
        ("I_0 I_1 II_0 II_1 label", [[0, 1], [2, 3]], ("I", "II"), (4,)),
        ("V1_0 V2_0 V1_1 V2_1", [[0, 2], [1, 3]], ("V1", "V2"), ()),
    ],
)
def test_names_with_running_numbers_are_samples(names, samples, channels, others):
    assert layout(names) == (samples, channels, others)


@pytest.mark.parametrize(
    ("names", "stated", "samples", "others"),
    [
        ("a b c d", "b:c", [[1, 2]], (0, 3)),
        ("x0 x1 x3 x4", "x0:x4", [[0, 1, 2, 3]], ()),
        ("0 1 2 3", "0:2", [[0, 1, 2]], (3,)),
        ("x0 x1 x2 fold1 fold2", "x0:x2", [[0, 1, 2]], (3, 4)),
    ],
)
def test_what_the_caller_states_decides(names, stated, samples, others):
    assert layout(names, stated) == (samples, None, others)


@pytest.mark.parametrize(
    ("names", "stated", "message"),
    [
        ("a b label", None, "no two of the 3 columns have names with running numbers"),
        ("x0 x1 x3", None, "the numbers of x0 to x3 do not run by ones"),
        ("x1 x0", None, "the numbers of x1 to x0 do not run by ones"),
        ("x0 x1 x2 fold1 fold2", None, "there are 3 named 'x' and a number, 2 named 'fold' and a number"),
        ("x_0 x_1 x0 x1", None, "channels that differ by name, got x, x"),
        ("a b", "a", "FIRST:LAST, two names of columns, got 'a'"),
        ("N 0.1 0.2", None, "no two of the 3 columns"),
        ("a -1 -2", None, "no two of the 3 columns"),
        ("time b", "tine:b", "no column is named 'tine', did you mean 'time'"),
        ("a b", "b:a", "samples in order"),
        ("a b", "a:a", "at least two columns"),
    ],
)
def test_what_is_not_clear_is_refused(names, stated, message):
    with pytest.raises(FormatError, match=f"^r: .*{message}"):
        layout(names, stated)
