"""Files are put together by hand, so that every byte of a bad one is known."""

import struct

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.audio_header import AudioHeader, read_flac_header, read_wav_header


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def form(*, tag=1, channels=2, rate=8000, rate_bytes=None, align=4, bits=16, tail=b""):
    total = rate * align if rate_bytes is None else rate_bytes
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, total, align, bits) + tail)


def riff(*chunks, size=None):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


DATA = chunk(b"data", bytes(12))


def flac(*, block=4096, rate=8000, channels=1, bits=16, total=3, md5=bytes(16), more=b"", frames=bytes(20)):
    packed = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | total
    info = struct.pack(">HH6xQ", block, block, packed) + md5
    return b"fLaC" + bytes([0 if more else 0x80, 0, 0, 34]) + info + more + b"\xff\xf8" + frames


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([form(), DATA], AudioHeader(8000, 2, 3, 16), id="pcm"),
        pytest.param([chunk(b"JUNK", b"abc"), form(), DATA], AudioHeader(8000, 2, 3, 16), id="padded-chunk"),
        pytest.param(
            [form(), DATA, chunk(b"LIST", b"INFO")], AudioHeader(8000, 2, 3, 16), id="113-list-after-data"
        ),
        pytest.param(
            [form(tag=3, bits=32, align=8), chunk(b"data", bytes(8))], AudioHeader(8000, 2, 1, 32), id="float"
        ),
        pytest.param(
            [
                form(
                    tag=0xFFFE,
                    tail=struct.pack("<HHIH", 22, 16, 3, 1) + bytes.fromhex("000000001000800000aa00389b71"),
                ),
                DATA,
            ],
            AudioHeader(8000, 2, 3, 16),
            id="extensible",
        ),
        pytest.param(
            [form(bits=8, align=1, channels=1), chunk(b"data", bytes(3))],
            AudioHeader(8000, 1, 3, 8),
            id="odd-length",
        ),
    ],
)
def test_a_wav_header_says_what_the_file_holds(tmp_path, chunks, expected):
    (tmp_path / "r.wav").write_bytes(riff(*chunks))
    assert read_wav_header(tmp_path / "r.wav") == expected


def test_a_last_odd_chunk_may_lack_its_pad(tmp_path):
    whole = riff(form(bits=8, align=1, channels=1), chunk(b"data", bytes(3)))
    (tmp_path / "r.wav").write_bytes(whole[:-1])
    assert read_wav_header(tmp_path / "r.wav").n_samples == 3


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(
            riff(form(), b"data\xff\xff\xff\xff" + bytes(12)), "written to a pipe", id="107-size-open"
        ),
        pytest.param(riff(form(rate=0), DATA), "rate: expected 1 to 1000000 Hz, got 0", id="108-rate-0"),
        pytest.param(
            riff(form(channels=0, align=0), DATA), "channels: expected 1 to 256, got 0", id="109-channels-0"
        ),
        pytest.param(riff(form(align=0), DATA), "expected 4 bytes a position .* got 0", id="110-align-0"),
        pytest.param(riff(form(tag=0x55), DATA), "got tag 0x55 of 16 bits", id="111-mp3"),
        pytest.param(riff(DATA), "expected one chunk 'fmt '", id="112-no-fmt"),
        pytest.param(riff(form()), "expected one chunk 'fmt ' and one 'data'", id="no-data"),
        pytest.param(riff(form(), DATA, DATA), "expected one chunk", id="two-data"),
        pytest.param(
            b"RF64" + riff(form(), DATA)[4:], "RF64 and big-endian files are not read", id="114-rf64"
        ),
        pytest.param(riff(form(), DATA) + bytes(2), "RIFF size|nothing after", id="trailing"),
        pytest.param(
            riff(form(), DATA, size=99), "RIFF size: expected 48 from the file's length, got 99", id="size"
        ),
        pytest.param(riff(form(), DATA)[:-4], "expected at most 8 bytes to the file's end", id="cut"),
        pytest.param(
            riff(form(), chunk(b"data", bytes(10))), "whole positions of 4 bytes, got 10", id="part"
        ),
        pytest.param(riff(form(), chunk(b"data", b"")), "at least 1", id="no-samples"),
        pytest.param(
            riff(form(rate_bytes=16000), DATA), "32000 a second .* got 4 and 16000", id="bytes-a-second"
        ),
        pytest.param(riff(form(bits=12), DATA), "got tag 0x1 of 12 bits", id="bits"),
        pytest.param(riff(chunk(b"fmt ", bytes(4)), DATA), "at least 16 bytes, got 4", id="short-fmt"),
        pytest.param(riff(form(tag=0xFFFE), DATA), "got tag 0xfffe", id="extensible-cut"),
        pytest.param(
            riff(*[chunk(b"JUNK", b"")] * 2000, form(), DATA), "at most 1000 chunks", id="many-chunks"
        ),
        pytest.param(b"", "begins with RIFF", id="empty"),
    ],
)
def test_a_wav_header_that_cannot_be_meant_is_refused(tmp_path, raw, message):
    (tmp_path / "r.wav").write_bytes(raw)
    with pytest.raises(FormatError, match=message) as caught:
        read_wav_header(tmp_path / "r.wav")
    assert "r.wav" in str(caught.value)


def test_all_problems_of_a_header_are_listed_at_once(tmp_path):
    (tmp_path / "r.wav").write_bytes(riff(form(tag=2, rate=0, channels=300), DATA))
    with pytest.raises(FormatError, match=r"format: .*a position.*rate: .*channels: "):
        read_wav_header(tmp_path / "r.wav")


def test_a_flac_header_says_what_the_file_holds(tmp_path):
    comment = bytes([0x84, 0, 0, 3]) + b"abc"
    (tmp_path / "r.flac").write_bytes(flac(channels=2, bits=24, md5=b"5" * 16, more=comment))
    assert read_flac_header(tmp_path / "r.flac") == AudioHeader(8000, 2, 3, 24, b"5" * 16)
    (tmp_path / "r.flac").write_bytes(flac())
    assert read_flac_header(tmp_path / "r.flac").md5 is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(flac(total=2**36 - 1), "no more samples than 22 bytes hold", id="150-lying-count"),
        pytest.param(flac(total=0), "at least 1", id="150-count-open"),
        pytest.param(flac(rate=0), "rate: expected 1", id="rate-0"),
        pytest.param(flac(bits=12), "expected 8, 16 or 24, got 12", id="bits"),
        pytest.param(flac(block=0), "in blocks of 0", id="block-0"),
        pytest.param(flac()[:42], "expected audio after the metadata", id="metadata-only"),
        pytest.param(flac()[:20], "expected metadata within the file", id="cut"),
        pytest.param(b"fLaC\x84\0\0\0", "description first", id="no-description"),
        pytest.param(flac(more=bytes([0, 0, 0, 34]) + bytes(34)), "first and once", id="two-descriptions"),
        pytest.param(flac(more=bytes([0x84, 255, 255, 255])), "16777215 bytes", id="block-beyond-file"),
        pytest.param(flac(more=bytes([1, 0, 0, 0]) * 2000), "expected metadata", id="many-blocks"),
        pytest.param(b"OggS" + bytes(80), "begins with fLaC", id="ogg"),
    ],
)
def test_a_flac_header_that_cannot_be_meant_is_refused(tmp_path, raw, message):
    (tmp_path / "r.flac").write_bytes(raw)
    with pytest.raises(FormatError, match=message) as caught:
        read_flac_header(tmp_path / "r.flac")
    assert "r.flac" in str(caught.value)
