"""Annotation files are written by hand: 16-bit words, the code in the upper 6 bits, the step in the lower 10."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError
from vicinal.inputs.formats.wfdb_annotations import check_annotations, read_annotations


def word(code, value):
    return (code << 10 | value).to_bytes(2, "little")


END = b"\0\0"
NORMAL, PVC, SKIP, NUMBER, SUBTYPE, CHANNEL, AUX = 1, 5, 59, 60, 61, 62, 63


def events(folder, marks):
    path = folder / "r.atr"
    path.write_bytes(marks)
    return read_annotations(path, n_samples=4)


@pytest.mark.parametrize(
    ("marks", "positions", "symbols"),
    [
        pytest.param(word(NORMAL, 1) + word(PVC, 2) + END, [1, 3], ("N", "V"), id="steps-add-up"),
        pytest.param(
            word(NORMAL, 1) + word(SKIP, 0) + b"\0\0\1\0" + word(PVC, 1) + END, [1, 3], ("N", "V"), id="skip"
        ),
        pytest.param(
            word(NORMAL, 1) + word(AUX, 3) + b"(AF\0" + word(PVC, 2) + END,
            [1, 3],
            ("N", "V"),
            id="a-text-of-odd-length-fills-whole-words",
        ),
        pytest.param(
            word(NORMAL, 1) + word(SUBTYPE, 9) + word(CHANNEL, 9) + word(NUMBER, 9) + word(PVC, 2) + END,
            [1, 3],
            ("N", "V"),
            id="modifiers-take-no-time",
        ),
        pytest.param(word(32, 1) + word(14, 1) + END, [1, 2], ("[", "~"), id="63-64-open-bracket"),
        pytest.param(word(NORMAL, 3) + END + bytes(4), [3], ("N",), id="zeros-after-the-end"),
    ],
)
def test_events_have_the_position_where_their_steps_lead(tmp_path, marks, positions, symbols):
    found = events(tmp_path, marks)
    assert (found.positions.tolist(), found.symbols) == (positions, symbols)


LONG_SKIP = word(SKIP, 0) + b"\x02\x00\x00\x00"
BACK = word(SKIP, 0) + b"\xff\xff\xfe\xff"


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        pytest.param(word(NORMAL, 1)[:1], "cut short", id="56-truncated"),
        pytest.param(word(NORMAL, 3) + BACK + word(NORMAL, 0) + END, "do not decrease", id="57-59-back"),
        pytest.param(word(NORMAL, 1) + word(AUX, 200) + b"hi" + END, "cut short", id="58-aux"),
        pytest.param(word(NORMAL, 4) + END, "within 4 samples, got one at 4", id="60-beyond"),
        pytest.param(word(NORMAL, 1) + LONG_SKIP + word(NORMAL, 0) + END, "within 4 samples", id="60-skip"),
        pytest.param(word(NORMAL, 1) + word(SKIP, 0) + b"\0\0", "cut short", id="60-half-a-skip"),
        pytest.param(word(49, 1) + END, "the event at sample 1 has no known symbol", id="61-unknown"),
        pytest.param(word(55, 1) + END, "byte 2: unknown annotation code 55", id="61-reserved"),
        pytest.param(word(NORMAL, 1), "expected an end mark, the file ends at byte 2", id="62-no-end"),
        pytest.param(word(NORMAL, 1) + END + b"\1\0", "2 bytes follow the end mark", id="trailing"),
        pytest.param(b"", "expected an end mark", id="empty"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, marks, message):
    with pytest.raises(FormatError, match=f"r.atr: .*{message}"):
        events(tmp_path, marks)


@given(st.lists(st.tuples(st.integers(1, 41), st.integers(0, 1023)), max_size=20))
def test_the_last_event_decides_how_long_the_record_must_be(steps):
    data = b"".join(word(code, step) for code, step in steps) + END
    last = sum(step for _, step in steps)
    check_annotations(data, where="r", n_samples=last + 1)
    if steps:
        with pytest.raises(FormatError, match=f"got one at {last}"):
            check_annotations(data, where="r", n_samples=last)


def test_random_bytes_are_accepted_or_refused_but_never_crash():
    rng = np.random.default_rng(0)
    for length in range(200):
        with contextlib.suppress(FormatError):
            check_annotations(rng.bytes(length) + END, where="r", n_samples=1 << 40)
