"""The catalogue of bad WFDB records, 1 to 64: each is refused with one typed error, or read as documented."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import packed, sound

from vicinal.errors import FormatError, PathError
from vicinal.inputs.formats.reading import read

VALUES = [[0, 10], [100, -20], [-32768, 30], [50, 40]]  # (time, channels)
HEADER = """# a comment
r 2 250 4 10:00:00 01/02/2020
r.dat 16 100/mV 16 0 0 32918 0 MLII
r.dat 16 1000(10)/uV 12 0 10 60 0 V5
"""
GOOD = [[0, 1, np.nan, 0.5], [0, -0.03, 0.02, 0.03]]


def word(code, value):
    return (code << 10 | value).to_bytes(2, "little")


END, SKIP = word(0, 0), word(59, 0)


def write(folder, header=HEADER, data=None, marks=None):
    (folder / "r.hea").write_bytes(header if isinstance(header, bytes) else header.encode())
    (folder / "r.dat").write_bytes(packed("16", np.ravel(VALUES)) if data is None else data)
    if marks is not None:
        (folder / "r.atr").write_bytes(marks)
    return folder / "r.hea"


def edit(*pairs):
    text = HEADER
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def case(item, title, message, **content):
    return pytest.param(content, message, id=f"{item}-{title}")


REFUSED = [
    case(1, "empty", "empty header", header=""),
    case(2, "only-comments", "empty header", header="# a\n# b\n"),
    case(5, "nul", "NUL bytes", header=b"\0" + HEADER.encode()),
    case(7, "ten-megabyte-line", "at most 1048576 bytes", header="r" * (10 << 20)),
    case(7, "a-megabyte-of-digits", "signal 0", header=edit(("100/mV", "9" * 1_000_000))),
    case(8, "no-record-line", "record name", header=HEADER.split("\n", 2)[2]),
    case(9, "nsig-0", "number of signals: .* got 0", header=edit(("r 2", "r 0"))),
    case(10, "nsig-negative", "number of signals: .* got -1", header=edit(("r 2", "r -1"))),
    case(11, "nsig-100000", "number of signals: .* got 100000", header="r 100000 250 4\nr.dat 16 1\n"),
    case(12, "fewer-lines", "expected 3 signal lines, got 2", header=edit(("r 2", "r 3"))),
    case(13, "more-lines", "expected 1 signal lines, got 2", header=edit(("r 2", "r 1"))),
    case(14, "fs-0", "rate: .* got 0", header=edit((" 250 ", " 0 "))),
    case(15, "fs-negative", "rate: .* got -360", header=edit((" 250 ", " -360 "))),
    case(16, "fs-nan", "rate: .* got nan", header=edit((" 250 ", " nan "))),
    case(17, "fs-1e308", "rate: .* got 1e308", header=edit((" 250 ", " 1e308 "))),
    case(19, "length-negative", "samples a signal: .* got -5", header=edit((" 4 ", " -5 "))),
    case(20, "length-0-and-no-bytes", "of 0 samples", header=edit((" 4 ", " 0 ")), data=b""),
    case(21, "length-1e12", "4000000000000 bytes", header=edit((" 4 ", " 1000000000000 "))),
    case(22, "longer-than-the-file", "20 bytes .* got 16", header=edit((" 4 ", " 5 "))),
    case(23, "shorter-than-the-file", "8 bytes .* got 16", header=edit((" 4 ", " 2 "))),
    case(24, "gain-0", "signal 0: expected a gain", header=edit(("100/mV", "0/mV"))),
    case(25, "gain-nan", "signal 0: expected a gain", header=edit(("100/mV", "nan/mV"))),
    case(26, "gain-1e-300", "signal 0: expected a gain", header=edit(("100/mV", "1e-300/mV"))),
    case(28, "format-99", "storage format among .* got 99", header=edit((" 16 ", " 99 "))),
    case(29, "212-on-odd-bytes", "5 bytes .* got 4", header="r 1 250 3\nr.dat 212 1\n", data=bytes(4)),
    case(30, "a-billion-a-frame", "samples a frame", header=edit((" 16 ", " 16x1000000000 "))),
    case(31, "skew", "skew below 4 samples", header=HEADER.replace(" 16 1", " 16:999999999 1")),
    case(32, "offset", "after byte 999999, got", header=HEADER.replace(" 16 1", " 16+999999 1")),
    case(33, "checksum", "V5: expected checksum 61, got 60", header=edit((" 60 ", " 61 "))),
    case(34, "initial-value", "V5: expected first value 11, got 10", header=edit((" 10 60", " 11 60"))),
    case(36, "baseline-2-to-the-40", "baseline: expected", header=edit(("(10)", "(1099511627776)"))),
    case(39, "another-name", "'x' differs from the file's name 'r'", header=edit(("r 2", "x 2"))),
    case(48, "two-formats", "different formats", header=edit(("r.dat 16 1000", "r.dat 61 1000"))),
    case(50, "itself", "expected a record of signals", header="r/2 2 250 8\nr 4\nr 4\n"),
    case(51, "fewer-segments", "16 segment lines, got 15", header="r/16 2 250\n" + "s 4\n" * 15),
    case(52, "a-billion-segments", "number of segments", header="r/1000000000 2 250\ns 4\n"),
    case(56, "truncated", "cut short", marks=word(1, 1)[:1]),
    case(
        57, "jump-back", "do not decrease", marks=word(1, 3) + SKIP + b"\xff\xff\xfe\xff" + word(1, 0) + END
    ),
    case(58, "text-past-the-end", "cut short", marks=word(1, 1) + word(63, 200) + b"hi" + END),
    case(
        59, "not-monotone", "a step of -1", marks=word(1, 3) + SKIP + b"\xff\xff\xff\xff" + word(1, 0) + END
    ),
    case(60, "beyond-the-record", "within 4 samples, got one at 4", marks=word(1, 4) + END),
    case(61, "code-49", "unknown annotation codes: 49", marks=word(49, 1) + END),
    case(61, "code-55", "unknown annotation code 55", marks=word(55, 1) + END),
    case(62, "no-end-mark", "expected an end mark", marks=word(1, 1)),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_a_bad_record_is_refused_and_file_and_field_are_named(tmp_path, content, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, **content))
    assert re.search(r"r\.(hea|atr|dat)", str(caught.value))
    assert len(str(caught.value)) < 1000


SAME = [
    case(3, "bom", None, header=b"\xef\xbb\xbf" + HEADER.encode()),
    case(4, "crlf", None, header=HEADER.replace("\n", "\r\n")),
    case(6, "latin-1", None, header=edit(("a comment", "é")).encode("latin-1")),
    case(18, "counter-0", None, header=edit((" 250 ", " 250/0 "))),
    case(20, "length-0-is-not-stated", None, header=edit((" 4 ", " 0 "))),
    case(35, "resolution-0", None, header=edit((" 16 0 0", " 0 0 0"))),
    case(37, "date-32-13", None, header=edit(("01/02/2020", "32/13/2020"))),
    case(38, "date-before-time", None, header=edit(("10:00:00 01/02/2020", "05-May-2020 10:00:00"))),
    case(40, "name-with-folder", None, header=edit(("r 2", "some/where/r 2"))),
]


@pytest.mark.parametrize(("content", "message"), SAME)
def test_an_oddity_that_changes_nothing_is_read(tmp_path, content, message):
    assert message is None
    np.testing.assert_allclose(read(write(tmp_path, **content)).samples, GOOD, rtol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../secret.dat", id="41-parent"),
        pytest.param("/etc/passwd", id="42-absolute"),
        pytest.param("~", id="43-home"),
        pytest.param("http://127.0.0.1:1/r.dat", id="44-network"),
        pytest.param("link.dat", id="45-link"),
        pytest.param("pipe.dat", id="46-fifo"),
        pytest.param("/dev/zero", id="47-device"),
    ],
)
def test_a_signal_file_outside_or_special_is_not_opened(tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.dat").write_bytes(bytes(16))
    (folder / "link.dat").symlink_to(tmp_path / "secret.dat")
    os.mkfifo(folder / "pipe.dat")
    with pytest.raises(PathError, match=r"r\.hea: signal .*(file|leads|only)"):
        read(write(folder, HEADER.replace("r.dat", name)))


def test_27_a_negative_gain_turns_the_signal_over(tmp_path):
    assert read(write(tmp_path, edit(("100/mV", "-100/mV")))).samples[0, 1] == -1


def test_49_signals_may_share_a_name_and_then_cannot_be_chosen_by_it(tmp_path):
    header = write(tmp_path, edit(("MLII", "V5")))
    assert read(header).channels == ("V5", "V5")
    with pytest.raises(FormatError, match="exactly one channel named V5"):
        read(header, channels=["V5"])


def test_53_a_segment_of_another_rate_is_refused(tmp_path):
    write(tmp_path)
    (tmp_path / "m.hea").write_text("m/1 2 500 4\nr 4\n")
    with pytest.raises(FormatError, match=r"m\.hea: segment r: expected a rate of 500 Hz, got 250"):
        read(tmp_path / "m.hea")


def test_54_a_flac_file_that_is_cut_short_is_refused(tmp_path):
    header = write(tmp_path, "r 1 250 9000\nr.dat 516 1\n")
    sound(tmp_path / "r.dat", np.random.default_rng(0).integers(-99, 99, (9000, 1)), bits=16)
    assert read(header).samples.shape == (1, 9000)
    data = (tmp_path / "r.dat").read_bytes()
    for share in (0.01, 0.5, 0.99):
        (tmp_path / "r.dat").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(FormatError, match=r"r\.dat: "):
            read(header)


def test_55_a_signal_of_missing_samples_is_missing(tmp_path):
    header = write(tmp_path, "r 1 250 4\nr.dat 16 1\n", data=packed("16", [-32768] * 4))
    assert np.isnan(read(header).samples).all()


@pytest.mark.parametrize(
    ("marks", "symbols"),
    [
        pytest.param(word(32, 1) + word(1, 1) + END, ("[", "N"), id="63-flutter-without-end"),
        pytest.param(word(33, 1) + END, ("]",), id="63-end-without-flutter"),
        pytest.param(word(14, 1) + word(63, 2) + b"U\0" + END, ("~",), id="64-shutdown-never-closed"),
    ],
)
def test_a_bracket_that_is_never_closed_is_an_event_as_it_stands(tmp_path, marks, symbols):
    assert read(write(tmp_path, marks=marks)).events.symbols == symbols


def test_every_item_of_the_catalogue_has_its_case():
    text = Path(__file__).read_text()
    cases = {int(item) for item in re.findall(r'(?:case\(\s*|id="|def test_)(\d+)', text)}
    assert sorted(set(range(1, 65)) - cases) == []
