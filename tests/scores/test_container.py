import hashlib
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError
from vicinal.scores.container import join_members, split_members

LIMITS = {"a.txt": 100, "b.bin": 100}


def sealed(content: bytes) -> bytes:
    return content + hashlib.sha256(content).hexdigest().encode()


def written_by_zipfile(write) -> bytes:
    """A container as another program would write it, with a right digest."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        write(archive)
        archive.comment = b"0" * 64
    return sealed(stream.getvalue()[:-64])


def split(data: bytes) -> dict[str, bytes]:
    return split_members(data, limits=LIMITS, source="m.vicinal")


def test_the_bytes_by_hand():
    data = join_members({"a.txt": b"hi"})

    local = b"PK\3\4" + struct.pack("<5H3I2H", 20, 0, 0, 0, 33, 0xD8932AAC, 2, 2, 5, 0) + b"a.txt" + b"hi"
    central = b"PK\1\2" + struct.pack(
        "<6H3I5H2I", 788, 20, 0, 0, 0, 33, 0xD8932AAC, 2, 2, 5, 0, 0, 0, 0, 0o100644 << 16, 0
    )
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, 51, 37, 64)
    assert data == sealed(local + central + b"a.txt" + end)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_members_come_back_and_any_zip_program_reads_them(a, b):
    data = join_members({"a.txt": a, "b.bin": b})

    assert split(data) == {"a.txt": a, "b.bin": b}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("b.bin") == b
        assert archive.comment == hashlib.sha256(data[:-64]).hexdigest().encode()


def test_every_cut_and_every_flipped_byte_is_found():
    data = join_members({"a.txt": b"hello", "b.bin": bytes(50)})

    for cut in range(len(data)):
        with pytest.raises(FormatError, match=r"damaged|expected a model"):
            split(data[:cut])
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        with pytest.raises(FormatError, match=r"damaged|expected a model"):
            split(bytes(changed))


def stored(name: str, data: bytes = b"hi", **fields):
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    for key, value in fields.items():
        setattr(info, key, value)
    return lambda archive: archive.writestr(info, data)


def twice(archive):
    stored("a.txt")(archive)
    archive.filelist[0].filename, archive.NameToInfo = "a.txt", {}
    stored("a.txt", b"ho")(archive)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (stored("../a.txt"), "member '../a.txt' is unknown"),
        (stored("A.TXT"), "member 'A.TXT' is unknown"),
        (stored("b.bin", bytes(101)), "member 'b.bin': expected at most 100 bytes, got 101"),
        (stored("a.txt", compress_type=zipfile.ZIP_DEFLATED), "member 'a.txt' is compressed"),
        (twice, "member 'a.txt' is there twice"),
        (stored("a.txt", external_attr=0o120777 << 16), "bytes around them"),
        (stored("a.txt", date_time=(2020, 1, 1, 0, 0, 0)), "bytes around them"),
        (stored("a.txt", extra=b"\1\0\0\0"), "bytes around them"),
        (stored("a.txt", comment=b"hidden"), "bytes around them"),
    ],
)
def test_what_other_programs_may_write_is_refused(write, message):
    with pytest.raises(FormatError, match=message):
        split(written_by_zipfile(write))


def test_what_zipfile_writes_plainly_is_the_same_bytes():
    assert split(written_by_zipfile(stored("a.txt"))) == {"a.txt": b"hi"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c + b"trailing", "bytes around them"),
        (lambda c: c + c, "bytes around them"),
        (lambda c: c[:8] + b"\1" + c[9:], "compressed|bytes"),
        (lambda c: c[:6] + b"\1" + c[7:], "encrypted"),
        (lambda c: c[:6] + b"\x08" + c[7:], "written as a stream"),
        (lambda c: c[:18] + b"\xff\xff\xff\xff" + c[22:], "bytes around them|past the end"),
        (lambda c: c[:22] + b"\xff\xff\xff\x7f" + c[26:], "past the end"),
        (lambda c: c[:20], "header at byte 0"),
        (lambda c: c[:14] + b"\0\0\0\0" + c[18:], "bytes around them"),
    ],
)
def test_a_right_digest_does_not_help_wrong_bytes(change, message):
    content = join_members({"a.txt": b"hi"})[:-64]

    with pytest.raises(FormatError, match=message):
        split(sealed(change(content)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"\x80\x04K\x01.", "a pickle, which is never opened"),
        (b"GIF89a", "begin with b'GIF"),
    ],
)
def test_what_is_no_container_is_named(data, message):
    with pytest.raises(FormatError, match=message):
        split(data)
