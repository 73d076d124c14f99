"""Elements are put together by hand, so that every length of a bad file is known."""

import struct

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.dicom_structure import check_structure

EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0"
OPEN = 0xFFFFFFFF


def element(tag, kind, value=b"", *, length=None):
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not kind:
        return head + struct.pack("<I", length) + value
    wide = kind in (b"SQ", b"OW", b"UN")
    return head + kind + (struct.pack("<xxI", length) if wide else struct.pack("<H", length)) + value


def item(value=b"", *, length=None):
    return element(0xFFFEE000, b"", value, length=length)


ITEM_END, SEQUENCE_END = element(0xFFFEE00D, b""), element(0xFFFEE0DD, b"")
NUMBER = element(0x003A0005, b"US", b"\1\0")
DATA = element(0x54001010, b"OW", bytes(12))
WAVEFORM = 0x54000100


def write(folder, *elements, syntax=EXPLICIT):
    path = folder / "r.dcm"
    path.write_bytes(bytes(128) + b"DICM" + element(0x00020010, b"UI", syntax) + b"".join(elements))
    return path


@pytest.mark.parametrize(
    "elements",
    [
        pytest.param([], id="nothing"),
        pytest.param([element(WAVEFORM, b"SQ", item(NUMBER + DATA))], id="defined"),
        pytest.param([element(WAVEFORM, b"SQ")], id="empty-sequence"),
        pytest.param(
            [
                element(
                    WAVEFORM, b"SQ", item(NUMBER + DATA + ITEM_END, length=OPEN) + SEQUENCE_END, length=OPEN
                )
            ],
            id="undefined",
        ),
        pytest.param(
            [element(WAVEFORM, b"SQ", item(NUMBER + ITEM_END, length=OPEN) + item(DATA))], id="one-of-each"
        ),
        pytest.param(
            [
                element(0x00091010, b"UN", item(element(0x00091011, b"", b"ab")) + SEQUENCE_END, length=OPEN),
                DATA,
            ],
            id="unknown-type-without-types-inside",
        ),
    ],
)
def test_a_file_whose_lengths_fit_passes(tmp_path, elements):
    check_structure(write(tmp_path, *elements))


def test_without_types_the_waveform_is_walked_through_all_the_same(tmp_path):
    inside = element(0x003A0005, b"", b"\1\0") + element(0x54001010, b"", bytes(4))
    check_structure(write(tmp_path, element(WAVEFORM, b"", item(inside)), syntax=IMPLICIT))
    with pytest.raises(FormatError, match=r"element 54001010: expected at most 4 bytes, got 99"):
        check_structure(
            write(
                tmp_path,
                element(WAVEFORM, b"", item(element(0x54001010, b"", bytes(4), length=99))),
                syntax=IMPLICIT,
            )
        )


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        pytest.param([DATA[:-1]], "54001010: expected at most 11 bytes, got 12", id="119-cut"),
        pytest.param([DATA[:7]], "expected an element", id="cut-in-an-element"),
        pytest.param(
            [element(WAVEFORM, b"SQ", item(element(0x54001010, b"OW", bytes(4), length=8)) + item())],
            "54001010: expected at most 4 bytes, got 8",
            id="value-leaves-its-item",
        ),
        pytest.param(
            [element(WAVEFORM, b"SQ", item(NUMBER, length=99)), DATA],
            "fffee000: expected at most 10 bytes, got 99",
            id="item-leaves-its-sequence",
        ),
        pytest.param(
            [element(WAVEFORM, b"SQ", item(DATA), length=OPEN)], "expected an element", id="116-open-sequence"
        ),
        pytest.param(
            [element(WAVEFORM, b"SQ", item(DATA, length=OPEN))], "expected an element", id="116-open-item"
        ),
        pytest.param([element(0x54001010, b"OW", DATA, length=OPEN)], "got 4294967295", id="116-open-value"),
        pytest.param(
            [element(WAVEFORM, b"SQ", length=OPEN) + item(length=OPEN)] * 9, "nested 16 deep", id="117-nested"
        ),
        pytest.param([NUMBER, NUMBER], "003a0005 cannot stand here", id="twice"),
        pytest.param([DATA, NUMBER], "003a0005 cannot stand here", id="not-in-order"),
        pytest.param([SEQUENCE_END], "fffee0dd cannot stand here", id="end-of-nothing"),
        pytest.param([item(NUMBER)], "fffee000 cannot stand here", id="item-outside-a-sequence"),
        pytest.param(
            [element(WAVEFORM, b"SQ", NUMBER)], "003a0005 cannot stand here", id="element-beside-items"
        ),
        pytest.param([element(0x003A0005, b"u5", b"\1\0")], "expected an element", id="no-such-type"),
        pytest.param(
            [element(WAVEFORM, b"SQ", item() * 100_001)], "at most 100000 elements", id="too-many-elements"
        ),
    ],
)
def test_a_length_that_leaves_what_holds_it_is_refused(tmp_path, elements, message):
    with pytest.raises(FormatError, match=rf"r\.dcm: byte \d+: .*{message}"):
        check_structure(write(tmp_path, *elements))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"", "128 bytes, then DICM", id="empty"),
        pytest.param(DATA, "128 bytes, then DICM", id="115-no-preamble"),
        pytest.param(bytes(128) + b"DICM", "got transfer syntax none", id="no-syntax"),
        pytest.param(
            bytes(128) + b"DICM" + element(0x00020010, b"UI", EXPLICIT, length=99),
            "leaves the file",
            id="meta-cut",
        ),
        pytest.param(
            bytes(128) + b"DICM" + element(0x00020010, b"UI", b"1.2.840.10008.1.2.1.99"),
            r"got transfer syntax 1\.2\.840\.10008\.1\.2\.1\.99",
            id="122-deflated",
        ),
    ],
)
def test_what_does_not_begin_like_a_plain_dicom_file_is_refused(tmp_path, raw, message):
    (tmp_path / "r.dcm").write_bytes(raw)
    with pytest.raises(FormatError, match=rf"r\.dcm: .*{message}"):
        check_structure(tmp_path / "r.dcm")
