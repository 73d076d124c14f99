"""Every format against values packed by hand, and against what the `wfdb` library reads."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inputs.formats.wfdb_writer import RANGE, packed, record, sound

from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.wfdb_storage import FLAC_BITS, FORMATS, missing_value


@pytest.mark.parametrize(
    ("storage", "data", "expected"),
    [
        pytest.param("8", b"\x01\xff\x80", [1, -1, -128], id="8-steps"),
        pytest.param("16", b"\x01\x02\xff\xff", [513, -1], id="16"),
        pytest.param("24", b"\x01\0\0\xff\xff\xff", [1, -1], id="24"),
        pytest.param("32", b"\0\0\1\0\xff\xff\xff\xff", [65536, -1], id="32"),
        pytest.param("61", b"\x01\x02\xff\xfe", [258, -2], id="61-high-byte-first"),
        pytest.param("80", b"\x80\x81\x00", [0, 1, -128], id="80-offset-binary"),
        pytest.param("160", b"\0\x80\1\x80\0\0", [0, 1, -32768], id="160-offset-binary"),
        # Low byte of the first, both high nibbles (the second's above), low byte of the second.
        pytest.param("212", b"\x01\xf0\xff\x00\x18\x00", [1, -1, -2048, 256], id="212"),
        pytest.param("212", b"\x01\x00\x00\x02\x00", [1, 0, 2], id="212-ends-inside-a-block"),
        # Words 0x0802 and 0x0004: first 1, second 2, third's low five bits 1.
        pytest.param("310", b"\x02\x08\x04\x00", [1, 2, 1], id="310"),
        # 1 + 2 * 2**10 + 1023 * 2**20, and two bits that mean nothing.
        pytest.param("311", b"\x01\x08\xf0\xff", [1, 2, -1], id="311"),
    ],
)
def test_values_are_those_of_the_bytes(storage, data, expected):
    assert FORMATS[storage].values(np.frombuffer(data, np.uint8), len(expected)).tolist() == expected


@pytest.mark.parametrize("storage", FORMATS)
@given(data=st.data())
def test_values_survive_packing_whatever_their_number(storage, data):
    values = data.draw(st.lists(st.integers(*RANGE[storage]), max_size=20))
    content = packed(storage, values)
    form = FORMATS[storage]
    assert form.values(np.frombuffer(content, np.uint8), len(values)).tolist() == values
    assert form.n_bytes(len(values)) == len(content)
    # The last two values of 310 end in the same byte.
    assert form.n_values(len(content)) - len(values) in ((0, 1) if storage == "310" else (0,))


def rows(storage, rng, n):
    top = 1 << FLAC_BITS.get(storage, 1) - 1
    low, high = RANGE.get(storage, (-top, top - 1))
    values = rng.integers(low, high, (n, 3), endpoint=True)
    values[0], values[1] = low, high
    return values


@pytest.mark.parametrize("per_frame", [1, 2])
@pytest.mark.parametrize("storage", [*FORMATS, *FLAC_BITS])
def test_every_format_is_read_as_the_library_reads_it(tmp_path, storage, per_frame):
    values = rows(storage, np.random.default_rng(0), 101 * per_frame)
    frames = values.reshape(101, per_frame, 3).transpose(0, 2, 1).reshape(-1)
    if storage in FLAC_BITS:
        sound(tmp_path / "r.dat", values, bits=FLAC_BITS[storage])
    else:
        (tmp_path / "r.dat").write_bytes(packed(storage, frames))
    spread = f"{storage}x{per_frame}"
    header = record(
        tmp_path,
        [f"r.dat {spread} {gain} 0 7 5 0 0 {gain}" for gain in ("200(3)/mV", "-0.5/uV", "1e3/V")],
        n=101,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        expected = wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False).e_p_signal
    signal = read(header)
    np.testing.assert_array_equal(signal.samples, np.array(expected).astype(np.float32))
    assert signal.rate_hz == 250 * per_frame
    # The least value is a missing sample, in every format that has one.
    assert np.isnan(signal.samples).any() == (missing_value(storage) is not None)
