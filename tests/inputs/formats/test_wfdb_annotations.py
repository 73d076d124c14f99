"""Annotation files are written by hand: 16-bit words, the code in the upper 6 bits, the step in the lower 10."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError
from vicinal.inputs.formats.wfdb_annotations import SYMBOLS, parse_annotations, read_annotations


def word(code, value):
    return (code << 10 | value).to_bytes(2, "little")


END = b"\0\0"
NORMAL, PVC, SKIP, NUMBER, SUBTYPE, CHANNEL, AUX = 1, 5, 59, 60, 61, 62, 63
NOTE = 22


def note(text):
    """A note at the time of the event before it, which at the start of a file is 0."""
    return word(NOTE, 0) + word(AUX, len(text)) + text.encode() + bytes(len(text) % 2)


def events(folder, marks):
    path = folder / "r.atr"
    path.write_bytes(marks)
    return read_annotations(path, n_frames=4, rate_hz=250.0)


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
        pytest.param(word(55, 1) + END, "byte 0: unknown annotation code 55", id="61-reserved"),
        pytest.param(word(NORMAL, 1), "expected an end mark, the file ends at byte 2", id="62-no-end"),
        pytest.param(word(NORMAL, 1) + END + b"\1\0", "2 bytes follow the end mark", id="trailing"),
        pytest.param(b"", "expected an end mark", id="empty"),
        pytest.param(word(SUBTYPE, 1) + word(NORMAL, 1) + END, "an event before", id="orphan"),
        pytest.param(note("## time resolution: 0") + END, "resolution above 0, got 0", id="resolution"),
        pytest.param(
            note("## annotation type definitions") + note("x") + END, "a code, a symbol", id="definition"
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, marks, message):
    with pytest.raises(FormatError, match=f"r.atr: .*{message}"):
        events(tmp_path, marks)


@given(st.lists(st.tuples(st.integers(1, 14), st.integers(0, 1023)), max_size=20))
def test_the_last_event_decides_how_long_the_record_must_be(steps):
    data = b"".join(word(code, step) for code, step in steps) + END
    last = sum(step for _, step in steps)
    found = parse_annotations(data, where="r", n_frames=last + 1, rate_hz=250.0)
    assert found.symbols == tuple(SYMBOLS[code] for code, _ in steps)
    if steps:
        with pytest.raises(FormatError, match=f"got one at {last}"):
            parse_annotations(data, where="r", n_frames=last, rate_hz=250.0)


def test_times_count_frames_or_the_ticks_that_the_file_states():
    data = word(NORMAL, 10) + word(PVC, 1) + END
    found = parse_annotations(data, where="r", n_frames=20, rate_hz=250.0, per_frame=4)
    assert found.positions.tolist() == [40, 44]
    data = note("## time resolution: 1000") + data
    found = parse_annotations(data, where="r", n_frames=4, rate_hz=250.0)
    # 10 ms and 11 ms at 250 Hz: 2.5 and 2.75 samples; the note itself is no event.
    assert (found.positions.tolist(), found.symbols) == ([2, 3], ("N", "V"))


def test_a_long_jump_before_the_first_event_is_no_text():
    data = word(SKIP, 0) + b"\0\0\xff\xff" + word(NORMAL, 0) + END
    assert parse_annotations(data, where="r", n_frames=1 << 17, rate_hz=1.0).positions.tolist() == [65535]


def test_a_file_may_define_further_codes():
    data = (
        note("## annotation type definitions")
        + note("42 q Some thing")
        + note("1 M")
        + note("## end of definitions")
        + word(SKIP, 0)
        + b"\xff\xff\xff\xff"
        + word(0, 1)  # as the WFDB library ends them
        + note("about the patient")
        + word(42, 1)
        + word(NORMAL, 1)
        + END
    )
    found = parse_annotations(data, where="r", n_frames=4, rate_hz=250.0)
    assert (found.positions.tolist(), found.symbols) == ([0, 1, 2], ('"', "q", "M"))


def test_an_annotation_file_is_measured_before_it_is_read(tmp_path):
    (tmp_path / "r.atr").write_bytes(bytes((4 << 20) + 26))
    with pytest.raises(FormatError, match="at most 4194329 bytes for 100 samples, got more"):
        read_annotations(tmp_path / "r.atr", n_frames=100, rate_hz=250.0)
    assert read_annotations(tmp_path / "r.atr", n_frames=104, rate_hz=250.0).symbols == ()


def test_what_the_library_writes_is_read(tmp_path):
    import warnings

    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(0, 3000, 500))
    times[-1] += 1 << 20
    symbols = [SYMBOLS[code] for code in rng.choice([*SYMBOLS], 500)]
    notes = ["(AFIB\0" if k % 7 == 0 else "" for k in range(500)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        wfdb.wrann("r", "qrs", times, symbols, aux_note=notes, fs=250, write_dir=str(tmp_path))
    found = read_annotations(tmp_path / "r.qrs", n_frames=int(times[-1]) + 1, rate_hz=250.0)
    np.testing.assert_array_equal(found.positions, times)
    assert found.symbols == tuple(symbols)


def test_random_bytes_are_accepted_or_refused_but_never_crash():
    rng = np.random.default_rng(0)
    for length in range(200):
        with contextlib.suppress(FormatError):
            parse_annotations(rng.bytes(length) + END, where="r", n_frames=1 << 40, rate_hz=250.0)
