import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.edf_header import parse_header


def field(value: object, size: int) -> bytes:
    return str(value).encode("latin-1").ljust(size)


def header(
    signals=(("ECG II", "uV", -3276.8, 3276.7, -32768, 32767, 250),), *, version=b"0       ", **changes
) -> bytes:
    main = {"date": "02.03.20", "time": "10.11.12", "n_bytes": 256 * (len(signals) + 1), "reserved": "", "n_records": 2,
            "record_s": 1, "n_signals": len(signals)} | changes  # fmt: skip
    data = version + field("Jane Doe", 80) + field("Startdate 02-MAR-2020", 80) + field(main["date"], 8)
    data += field(main["time"], 8) + field(main["n_bytes"], 8) + field(main["reserved"], 44)
    data += field(main["n_records"], 8) + field(main["record_s"], 8) + field(main["n_signals"], 4)
    columns = list(zip(*signals, strict=True)) if signals else [()] * 7
    label, unit, low, high, d_low, d_high, n = columns
    widths = (
        (label, 16),
        ((" ",) * len(signals), 80),
        (unit, 8),
        (low, 8),
        (high, 8),
        (d_low, 8),
        (d_high, 8),
    )
    for values, size in (*widths, ((" ",) * len(signals), 80), (n, 8), ((" ",) * len(signals), 32)):
        data += b"".join(field(value, size) for value in values)
    return data


def test_a_header_is_read_and_nobody_is_named() -> None:
    found = parse_header(header(), where="r.edf")
    assert (found.width, found.n_records, found.record_s, found.record_bytes) == (2, 2, 1.0, 500)
    assert found.signals[0].label == "ECG II"
    assert "Jane" not in repr(found)


def test_bdf_has_three_bytes_a_sample() -> None:
    found = parse_header(
        header([("a", "uV", -1, 1, -8388608, 8388607, 4)], version=b"\xffBIOSEMI"), where="r"
    )
    assert (found.width, found.record_bytes) == (3, 12)


@pytest.mark.parametrize("sign", [b"\xb5", b"\xc2\xb5", b"\xce\xbc"], ids=["latin-1", "utf-8", "greek"])
def test_a_micro_sign_is_u(sign: bytes) -> None:
    data = header([("a", "uV", -1, 1, -100, 100, 4)]).replace(b"uV".ljust(8), (sign + b"V").ljust(8))
    assert parse_header(data, where="r").signals[0].unit == "uV"


ONE = ("ECG", "mV", -1, 1, -100, 100, 4)
BAD = {
    "65-wrong version byte": (header(version=b"1       "), "expected an EDF or BDF file"),
    "66-header of 256 bytes only": (
        header()[:256],
        "expected a header of 512 bytes, the file ends after 256",
    ),
    "66-cut": (header()[:100], "expected a header of at least 256 bytes, got 100"),
    "67-ns -1": (header(n_signals=-1), "number of signals: expected a whole number in 1 to 4096, got '-1'"),
    "67-ns 0": (header(n_signals=0), "number of signals"),
    "67-ns 9999": (header(n_signals=9999), "number of signals"),
    "68-records 0": (header(n_records=0), "number of records: expected at least 1, got 0"),
    "68-records -2": (header(n_records=-2), "number of records"),
    "69-duration 0": (header(record_s=0), "seconds of a record: expected more than 0"),
    "69-duration nan": (header(record_s="nan"), "seconds of a record: expected a number, got 'nan'"),
    "70-digital range": (header([(*ONE[:4], 100, 100, 4)]), "expected a digital range, got 100 to 100"),
    "70-digital range of another width": (
        header([(*ONE[:4], -40000, 40000, 4)]),
        "digital minimum: expected a whole number",
    ),
    "71-physical range": (
        header([("ECG", "mV", 1, 1, -100, 100, 4)]),
        "expected a physical range, got 1 to 1",
    ),
    "72-samples 0": (header([(*ONE[:6], 0)]), "samples in a record: expected a whole number"),
    "72-samples 99999999": (header([(*ONE[:6], 99999999)]), "samples in a record: expected a whole number"),
    "73-header size": (header(n_bytes=768), "bytes of the header: expected 512 for 1 signals, got 768"),
    "76-not ASCII": (header([("\xe9cg", *ONE[1:])]), "expected a label in ASCII"),
    "76-unit not ASCII": (header([("a", "\xb0C", *ONE[2:])]), "expected a unit in ASCII"),
    "77-no such date": (header(date="99.99.99"), "start: expected a date"),
    "75-annotations too long": (
        header([ONE, ("EDF Annotations", "", -1, 1, -32768, 32767, 1 << 21)]),
        "at most 1048576 samples in a record",
    ),
    "unknown mark": (header(reserved="EDF+X"), "in the reserved field"),
    "too fast": (header([(*ONE[:6], 2000000)]), "expected at most 1e\\+06 Hz"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_header_is_refused(name: str) -> None:
    data, message = BAD[name]
    with pytest.raises(FormatError, match=message) as caught:
        parse_header(data, where="r.edf")
    assert str(caught.value).startswith("r.edf: ")
    assert "Jane" not in str(caught.value)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(FormatError, match=r"(?s)physical range.*digital range.*samples in a record"):
        parse_header(header([("ECG", "mV", 1, 1, 5, 5, 4), (*ONE[:6], 0)]), where="r")
